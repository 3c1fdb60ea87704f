"""apsw's exceptions as ours: busy, full or gone; damaged; or against the schema."""

from __future__ import annotations

from types import TracebackType
from typing import Final

import apsw

from fankeep.errors import FankeepError, StorageError, StorageUnavailable
from fankeep.store.database import ConstraintViolated

__all__ = ["mapped"]

_PASSING: Final[dict[type[apsw.Error], str]] = {
    apsw.BusyError: "the database is locked by another program",
    apsw.LockedError: "the database is locked by another program",
    apsw.ProtocolError: "the database is locked by another program",
    apsw.FullError: "the disk is full",
    apsw.IOError: "the disk does not answer",
    apsw.ReadOnlyError: "the database is read-only here",
    apsw.CantOpenError: "the database file cannot be opened",
    apsw.PermissionsError: "the database file cannot be opened",
    apsw.NoMemError: "out of memory",
    apsw.InterruptError: "the statement was interrupted",
}

_DAMAGED: Final = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


class _Mapped:
    """Lets nothing of apsw out of a ``with`` block.

    Security:
        ``from None``: apsw's tracebacks carry the parameters of the statement.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(problem, apsw.Error):
            raise _error(problem) from None


mapped: Final = _Mapped()
"""Written ``with mapped:`` around every call into apsw; a class, since it stands on the hot path."""


def _error(problem: apsw.Error) -> FankeepError:
    kind = type(problem)
    if kind in _PASSING:
        return StorageUnavailable(_PASSING[kind])
    if isinstance(problem, _DAMAGED):
        return StorageError("the database file is damaged")
    if isinstance(problem, apsw.ConstraintError):
        return ConstraintViolated()
    if kind is apsw.SQLError:  # names the SQL and never a parameter: those are bound, not pasted in
        return StorageError(f"the statement does not run: {problem}")
    return StorageError(f"the statement failed: {kind.__name__}")
