"""The statements that compare what came with what should have come, and note what was filled in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Rows, Statement
from fankeep.types import UserId

__all__ = ["RECONCILED", "StoredPayload", "heard", "known_messages", "note_filled", "payloads_since"]

RECONCILED: Final = "reconciled"
"""In the place of a signing secret's name: the event was read from the API."""


class StoredPayload(NamedTuple):
    """What is needed to open one event."""

    digest: bytes
    family: str
    type: str
    payload: bytes


class _Known(NamedTuple):
    message_index: bytes
    type: str


_INDEXES: Final = Rows(message_index="blob")
_TYPES: Final = Rows(type="text")
_FILLED: Final = Rows(message_index="blob", type="text")

_KNOWN: Final = Statement(
    """
    SELECT message_index, type FROM events
    WHERE message_index IN (SELECT row.message_index FROM {rows} AS row)
    """,
    _Known,
    rows=_INDEXES,
)
_NOTE: Final = Command(
    """
    INSERT INTO filled_messages (message_index, type, filled_at)
    SELECT row.message_index, row.type, {now} FROM {rows} AS row WHERE true
    ORDER BY row.message_index, row.type
    ON CONFLICT (message_index, type) DO NOTHING
    """,
    rows=_FILLED,
)
_PAYLOADS: Final = Statement(
    """
    SELECT digest, family, type, payload FROM events
    WHERE creator_id = :creator AND received_at >= :since AND payload IS NOT NULL
          AND type IN (SELECT row.type FROM {rows} AS row)
    """,
    StoredPayload,
    rows=_TYPES,
)


_HEARD: Final = Statement(
    """
    SELECT count(*) FROM (
        SELECT 1 FROM events
        WHERE creator_id = :creator AND secret_name <> :reconciled
              AND type IN (SELECT row.type FROM {rows} AS row) LIMIT 1
    ) AS one
    """,
    int,
    rows=_TYPES,
)


async def heard(tx: Transaction, creator: UserId, *, types: Sequence[str]) -> bool:
    """Say whether a webhook of one of the types is stored for a creator."""
    rows = [(name,) for name in types]
    return await tx.one(_HEARD, creator=creator, reconciled=RECONCILED, rows=rows) == 1


async def known_messages(
    tx: Transaction, indexes: Sequence[bytes], *, types: Collection[str]
) -> frozenset[bytes]:
    """Return those blind indexes of messages under which an event of one of the types is stored."""
    rows = await tx.all(_KNOWN, rows=[(index,) for index in indexes])
    return frozenset(row.message_index for row in rows if row.type in types)


async def note_filled(tx: Transaction, filled: Sequence[tuple[bytes, str]]) -> None:
    """Note that events about messages are stored, so that the same told by a webhook has no effect.

    Args:
        tx: the transaction that stores them; after the insert. It holds deliveries up: one that is being
            stored at this moment would not know.
        filled: blind index of the message and type of the event, one pair for each type that tells the same.
    """
    await tx.run(_NOTE, rows=filled)


async def payloads_since(
    tx: Transaction, creator: UserId, *, types: Sequence[str], since: float
) -> list[StoredPayload]:
    """Return a creator's events of some types that came after a moment and still have their payload."""
    return await tx.all(_PAYLOADS, creator=creator, since=since, rows=[(name,) for name in types])
