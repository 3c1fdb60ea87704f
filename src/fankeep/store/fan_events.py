"""The statements about the events of one fan."""

from __future__ import annotations

from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.events import State
from fankeep.store.statement import Command, Statement

__all__ = ["FanRow", "clock", "erase", "fans", "page"]


class FanRow(NamedTuple):
    """What is stored of one event."""

    seq: int
    digest: bytes
    family: str
    type: str
    occurred_at: float | None
    received_at: float
    payload: bytes | None
    dropped: str
    state: State


_PAGE: Final = Statement(
    """
    SELECT seq, digest, family, type, occurred_at, received_at, payload, dropped, state FROM events
    WHERE fan_index = :fan_index AND seq > :after ORDER BY seq LIMIT :limit
    """,
    FanRow,
)
# What stays says what was seen and when, and of nobody: the digest by which a repeat is known, and the index
# of the message, by which a later look at the API knows that it has been here.
_ERASE: Final = Command(
    "UPDATE events SET payload = NULL, fan_index = NULL, dropped = '' WHERE fan_index = :fan_index"
)
_FANS: Final = Statement("SELECT DISTINCT fan_index FROM events WHERE fan_index IS NOT NULL", bytes)
_CLOCK: Final = Statement("SELECT {now}", float)


async def page(tx: Transaction, fan_index: bytes, *, after: int, limit: int) -> list[FanRow]:
    """Read the next events of a fan, in the order in which they came."""
    return await tx.all(_PAGE, fan_index=fan_index, after=after, limit=limit)


async def erase(tx: Transaction, fan_index: bytes) -> int:
    """Take what is personal out of all events of a fan, and return of how many."""
    return await tx.run(_ERASE, fan_index=fan_index)


async def fans(tx: Transaction) -> list[bytes]:
    """Return the index of every fan about whom something is stored."""
    return await tx.all(_FANS)


async def clock(tx: Transaction) -> float:
    """Return the database's time, in seconds since 1970."""
    return await tx.one(_CLOCK) or 0.0
