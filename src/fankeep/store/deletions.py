"""The statements about messages that are gone: what is stored of them goes, and does not come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Rows, Statement

__all__ = ["Deletion", "apply", "empty", "since"]


class Deletion(NamedTuple):
    """A message that is gone.

    Attributes:
        message_index: keyed digest of its uuid.
        type: of the event that said so, which keeps its own payload: handlers learn from it what is gone.
    """

    message_index: bytes
    type: str


_DELETIONS: Final = Rows(message_index="blob", type="text")

_NOTE = Command(
    """
    INSERT INTO deleted_messages (message_index, type, deleted_at)
    SELECT row.message_index, row.type, {now} FROM {rows} AS row WHERE true ORDER BY row.message_index
    ON CONFLICT (message_index) DO NOTHING
    """,
    rows=_DELETIONS,
)
_EMPTY = Command(
    """
    UPDATE events SET payload = NULL, fan_index = NULL, dropped = ''
    FROM {rows} AS row
    WHERE events.message_index = row.message_index AND events.type <> row.type
          AND events.payload IS NOT NULL
    """,
    rows=_DELETIONS,
)
_SINCE = Statement(
    """
    SELECT message_index, type FROM deleted_messages
    WHERE message_index > :after AND deleted_at > (SELECT {now}) - :age
    ORDER BY message_index LIMIT :limit
    """,
    Deletion,
)


async def apply(tx: Transaction, deletions: Iterable[Deletion]) -> None:
    """Empty the events about messages that are gone, and have those that come later stored empty.

    Args:
        tx: the transaction that stores the events which say so.
        deletions: one known before counts again.
    """
    rows = sorted(set(deletions))  # every process in the same order: no two groups wait for each other
    if rows:
        await tx.run(_NOTE, rows=rows)
        await tx.run(_EMPTY, rows=rows)


async def empty(tx: Transaction, deletions: Sequence[Deletion]) -> int:
    """Empty what is still stored about messages that are gone, and return how many events that were."""
    return await tx.run(_EMPTY, rows=deletions)


async def since(tx: Transaction, *, age: float, after: bytes, limit: int) -> list[Deletion]:
    """Return the next deletions that are at most ``age`` seconds old, in the order of their messages."""
    return await tx.all(_SINCE, age=age, after=after, limit=limit)
