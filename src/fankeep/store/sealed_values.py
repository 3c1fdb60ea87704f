"""Every column that holds sealed values, with the place that each value is bound to.

For what has to visit all of them. A test holds the list to the schema.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement
from fankeep.types import UserId

__all__ = ["COLUMNS", "SealedColumn", "SealedValue", "count", "page", "replace"]


class SealedValue(NamedTuple):
    """One sealed value and its place.

    Attributes:
        at: the row's place in the order of the column.
        record: as the associated data have it; bytes stand for their hex digits.
    """

    at: str | int
    user: UserId
    record: str | bytes
    field: str
    generation: int
    sealed: bytes


class SealedColumn(NamedTuple):
    """A column.

    Attributes:
        first: comes before every ``at``.
        total: how many values there are.
        select: values after ``:after``, at most ``:limit``.
        update: puts ``:sealed`` in the place of ``:old`` in the row at ``:at``.
    """

    table: str
    column: str
    first: str | int
    total: Statement[int]
    select: Statement[SealedValue]
    update: Command


COLUMNS: Final = (
    SealedColumn(
        "grants",
        "sealed_access",
        "",
        Statement("SELECT count(*) FROM grants WHERE sealed_access IS NOT NULL", int),
        Statement(
            """
            SELECT id, user_id, id, 'access', generation, sealed_access FROM grants
            WHERE id > :after AND sealed_access IS NOT NULL ORDER BY id LIMIT :limit
            """,
            SealedValue,
        ),
        Command("UPDATE grants SET sealed_access = :sealed WHERE id = :at AND sealed_access = :old"),
    ),
    SealedColumn(
        "grants",
        "sealed_refresh",
        "",
        Statement("SELECT count(*) FROM grants WHERE sealed_refresh IS NOT NULL", int),
        Statement(
            """
            SELECT id, user_id, id, 'refresh', generation, sealed_refresh FROM grants
            WHERE id > :after AND sealed_refresh IS NOT NULL ORDER BY id LIMIT :limit
            """,
            SealedValue,
        ),
        Command("UPDATE grants SET sealed_refresh = :sealed WHERE id = :at AND sealed_refresh = :old"),
    ),
    SealedColumn(
        "revocations",
        "sealed_refresh",
        "",
        Statement("SELECT count(*) FROM revocations", int),
        Statement(
            """
            SELECT id, user_id, id, 'refresh', 0, sealed_refresh FROM revocations
            WHERE id > :after ORDER BY id LIMIT :limit
            """,
            SealedValue,
        ),
        Command("UPDATE revocations SET sealed_refresh = :sealed WHERE id = :at AND sealed_refresh = :old"),
    ),
    SealedColumn(
        "subscriptions",
        "sealed_secret",
        "",
        Statement("SELECT count(*) FROM subscriptions", int),
        Statement(
            """
            SELECT id, user_id, id, 'secret', 0, sealed_secret FROM subscriptions
            WHERE id > :after ORDER BY id LIMIT :limit
            """,
            SealedValue,
        ),
        Command("UPDATE subscriptions SET sealed_secret = :sealed WHERE id = :at AND sealed_secret = :old"),
    ),
    SealedColumn(
        "events",
        "payload",
        0,
        Statement("SELECT count(*) FROM events WHERE payload IS NOT NULL", int),
        Statement(
            """
            SELECT seq, creator_id, digest, 'payload/' || family || '/' || type, 0, payload FROM events
            WHERE seq > :after AND payload IS NOT NULL ORDER BY seq LIMIT :limit
            """,
            SealedValue,
        ),
        Command("UPDATE events SET payload = :sealed WHERE seq = :at AND payload = :old"),
    ),
)


async def count(tx: Transaction) -> int:
    """Count all sealed values."""
    return sum([await tx.one(column.total) or 0 for column in COLUMNS])


async def page(tx: Transaction, column: SealedColumn, *, after: str | int, limit: int) -> list[SealedValue]:
    """Return the next values of a column, after the one that was seen last."""
    return await tx.all(column.select, after=after, limit=limit)


async def replace(tx: Transaction, column: SealedColumn, value: SealedValue, sealed: bytes) -> bool:
    """Put a value in the place of another that says the same; False when that one is not there any more."""
    return await tx.run(column.update, at=value.at, old=value.sealed, sealed=sealed) == 1
