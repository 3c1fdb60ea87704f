"""One SQL text as a value, with the type of the rows that it returns.

Statements are module constants of the store's topic modules. The text is a ``LiteralString``: a type checker
refuses SQL that was put together from input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, Literal, LiteralString, TypeAlias, TypeVar, cast

import msgspec

__all__ = ["Command", "Group", "Rows", "SqlValue", "Statement"]

R = TypeVar("R")

_Scalar: TypeAlias = str | int | float | bytes | None

Group: TypeAlias = Sequence[tuple[_Scalar, ...]]
"""The rows of one group, each with the columns of its `Rows`."""

SqlValue: TypeAlias = _Scalar | Group
"""What a parameter can be. Times are seconds since 1970, identifiers text, digests and sealed
values bytes.
"""

# The database's clock at execution. SQLite reads it once a statement, to the millisecond; PostgreSQL anew
# wherever it stands. `now()` would be the time at which the transaction began.
_SQLITE_NOW: Final = "((julianday('now')-2440587.5)*86400.0)"
_POSTGRESQL_NOW: Final = "extract(epoch from clock_timestamp())::float8"

_SQLITE: Final = {"{now}": _SQLITE_NOW, "{least}": "min", "{free}": ""}
_POSTGRESQL: Final = {"{now}": _POSTGRESQL_NOW, "{least}": "least", "{free}": "FOR UPDATE SKIP LOCKED"}

_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_POSTGRESQL_TYPES: Final = {
    "blob": "bytea",
    "boolean": "boolean",
    "integer": "bigint",
    "real": "float8",
    "text": "text",
}
_json = msgspec.json.Encoder()

_BOUND_ROWS: Final = 128
"""The rows of a small group: a prepared statement for so many weighs half a megabyte at most."""


class Rows:
    """A group of rows as one parameter, so that a group of any size is one statement: ``FROM {rows} AS row``.

    On SQLite a small group is bound value by value to a table of constants and a larger one goes in as one
    JSON text; on PostgreSQL it is one array a column. Not statement by statement: SQLite's driver gives up
    Python's global lock at every step, and a busy event loop is slow to give it back. See
    ``docs/adr/0002-sql-files-and-raw-drivers.md``.

    Args:
        columns: their names and types, in their order. The first one is never null.
    """

    __slots__ = ("_blobs", "_names", "_types")

    def __init__(self, **columns: Literal["blob", "boolean", "integer", "real", "text"]) -> None:
        self._names = tuple(columns)
        self._types = tuple(columns.values())
        self._blobs = tuple(index for index, kind in enumerate(self._types) if kind == "blob")

    def sqlite_bound(self, size: int, first: int) -> str:
        """The group as a table of SQLite with room for ``size`` rows; its parameters begin with ``first``.

        Rows that are missing have null in the first column.
        """
        columns = ", ".join(f"column{place} AS {name}" for place, name in enumerate(self._names, start=1))
        width = len(self._names)
        rows = ", ".join(
            f"({', '.join(f'?{number}' for number in range(start, start + width))})"
            for start in range(first, first + size * width, width)
        )
        return f"(SELECT {columns} FROM (VALUES {rows}) WHERE column1 IS NOT NULL)"  # noqa: S608  as below

    @property
    def sqlite(self) -> str:
        """The group as a table of SQLite; its parameter is ``:rows``."""
        columns = ", ".join(
            f"unhex(value ->> {index}) AS {name}" if index in self._blobs else f"value ->> {index} AS {name}"
            for index, name in enumerate(self._names)
        )
        return f"(SELECT {columns} FROM json_each(:rows))"  # noqa: S608  from constants, as is the next one

    @property
    def postgresql(self) -> str:
        """The group as a table of PostgreSQL; its parameters are the first ones, one a column."""
        numbered = enumerate(self._types, start=1)
        arrays = ", ".join(f"${number}::{_POSTGRESQL_TYPES[kind]}[]" for number, kind in numbered)
        return f"(SELECT * FROM unnest({arrays}) AS given ({', '.join(self._names)}))"  # noqa: S608

    def as_json(self, group: Group) -> str:
        """The group as the JSON text that ``sqlite`` takes apart."""
        return _json.encode([self._hexed(row) for row in group]).decode()

    def as_arrays(self, group: Group) -> list[list[_Scalar]]:
        """The group as the arrays that ``postgresql`` takes."""
        return [[row[index] for row in group] for index in range(len(self._names))]

    def _hexed(self, row: tuple[_Scalar, ...]) -> list[_Scalar]:
        values = list(row)
        for index in self._blobs:
            value = values[index]
            values[index] = value.hex() if isinstance(value, bytes) else None
        return values

    def __len__(self) -> int:
        return len(self._names)


class Command:
    """A statement that returns no rows.

    Args:
        sql: parameters are written ``:name``; ``{now}`` is the database's clock in seconds since 1970 as a
            float, ``{least}`` the name of the function of the smallest value, ``{rows}`` the group that the
            parameter ``rows`` holds; ``{free}`` ends a query for rows to change and passes over those that
            another transaction is changing.
        rows: the columns of that group.

    Attributes:
        sqlite: the text as SQLite runs it; `on_sqlite` has the one for a group.
        postgresql: the text as PostgreSQL runs it; its parameters are numbered.
    """

    __slots__ = ("_bound", "_names", "_rows", "_sql", "postgresql", "sqlite")

    def __init__(self, sql: LiteralString, *, rows: Rows | None = None) -> None:
        self._rows: Final = rows
        self._sql: Final = sql
        self._bound: Final[dict[int, str]] = {}
        self.sqlite: Final[str] = _filled(sql, _SQLITE, rows.sqlite if rows else "")
        self._names: Final = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
        first = len(rows) + 1 if rows else 1
        numbers = {name: f"${number}" for number, name in enumerate(self._names, start=first)}
        numbered = _PARAMETER.sub(lambda found: numbers[found[1]], sql)
        self.postgresql: Final[str] = _filled(numbered, _POSTGRESQL, rows.postgresql if rows else "")

    def on_sqlite(
        self, params: Mapping[str, SqlValue]
    ) -> tuple[str, Mapping[str, SqlValue] | list[SqlValue]]:
        """The text and the parameters as SQLite takes them: by name, or by number with a small group.

        Raises:
            ValueError: a row does not fit; it would be passed over, or read as another one.
        """
        if self._rows is None:
            return self.sqlite, params
        group = cast("Group", params["rows"])
        if not 0 < len(group) <= _BOUND_ROWS:
            return self.sqlite, {**params, "rows": self._rows.as_json(group)}
        size = 1 << (len(group) - 1).bit_length()  # few sizes, so that each is prepared once
        values = [params[name] for name in self._names]
        for row in group:
            values += row
        if len(values) != len(self._names) + len(group) * len(self._rows) or None in [
            row[0] for row in group
        ]:
            raise ValueError("a row of the group has other columns, or null in the first one")
        values += [None] * ((size - len(group)) * len(self._rows))
        return self._bound.get(size) or self._bind(self._rows, size), values

    def _bind(self, rows: Rows, size: int) -> str:
        numbers = {name: f"?{number}" for number, name in enumerate(self._names, start=1)}
        numbered = _PARAMETER.sub(lambda found: numbers[found[1]], self._sql)
        text = _filled(numbered, _SQLITE, rows.sqlite_bound(size, len(numbers) + 1))
        self._bound[size] = text
        return text

    def postgresql_values(self, params: Mapping[str, SqlValue]) -> list[object]:
        """The parameters as PostgreSQL takes them: by number.

        Raises:
            KeyError: one is missing.
        """
        values: list[object] = [params[name] for name in self._names]
        if self._rows is None:
            return values
        return [*self._rows.as_arrays(cast("Group", params["rows"])), *values]

    def __repr__(self) -> str:
        first_line = self.sqlite.strip().partition("\n")[0]
        return f"<{type(self).__name__} {first_line!r}>"


class Statement(Command, Generic[R]):
    """A statement that returns rows.

    Args:
        sql: as for :class:`Command`.
        returns: makes a value of one row; called with the columns in their order. A ``NamedTuple``, a
            dataclass, or ``int``, ``str``, ``bytes`` for a single column.
        rows: as for :class:`Command`.
    """

    __slots__ = ("returns",)

    def __init__(self, sql: LiteralString, returns: Callable[..., R], *, rows: Rows | None = None) -> None:
        super().__init__(sql, rows=rows)
        self.returns: Final[Callable[..., R]] = returns


def _filled(sql: str, words: Mapping[str, str], rows: str) -> str:
    for macro, word in words.items():
        sql = sql.replace(macro, word)
    return sql.replace("{rows}", rows)
