"""The statements by which events grow old: first what is personal goes, much later the rest.

Each takes a batch, so that no write transaction is long. On PostgreSQL a process passes over the rows that
another one is taking; they are chosen once, before anything is changed (see ``fankeep.store.events``).
"""

from __future__ import annotations

from typing import Final

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = ["empty", "forget_deletions", "forget_fillings", "remove", "repair"]

_LOOKED_THROUGH: Final = 1000
"""How many of the oldest rows a look for those to remove goes through: they are in the order in which they
came, nearly, and an index by time for every event would be written for this alone."""

_CLOCK_JUMP: Final = 86_400.0
"""Seconds: a row that came further ahead than this was written before the clock was set back."""

# Such a row came when the next one did. From the newest on, so that the next one has a neighbour again.
_REPAIR = Command(
    """
    WITH ahead (seq) AS MATERIALIZED (
        SELECT seq FROM events
        WHERE payload IS NOT NULL AND received_at > (SELECT {now}) + :clock_jump
        ORDER BY seq DESC LIMIT :limit {free})
    UPDATE events
    SET received_at = coalesce(
        (SELECT received_at
         FROM (SELECT seq, received_at FROM events AS later WHERE later.seq > events.seq
               ORDER BY later.seq LIMIT :looked_through) AS neighbours
         WHERE received_at <= {now} + :clock_jump ORDER BY seq LIMIT 1),
        {now})
    WHERE seq IN (SELECT ahead.seq FROM ahead)
    """
)
_EMPTY = Command(
    """
    WITH old (seq) AS MATERIALIZED (
        SELECT seq FROM events WHERE payload IS NOT NULL AND received_at < (SELECT {now}) - :age
        ORDER BY received_at LIMIT :limit {free})
    UPDATE events SET payload = NULL, fan_index = NULL, dropped = '' WHERE seq IN (SELECT old.seq FROM old)
    """
)
_REMOVE = Statement(
    """
    WITH old (seq) AS MATERIALIZED (
        SELECT seq FROM events
        WHERE seq IN (SELECT seq FROM events WHERE received_at <= (SELECT {now})
                      ORDER BY seq LIMIT :looked_through)
              AND received_at < (SELECT {now}) - :age
        ORDER BY seq LIMIT :limit {free})
    DELETE FROM events WHERE seq IN (SELECT old.seq FROM old)
    RETURNING state
    """,
    str,
)
_FORGET = Command("DELETE FROM deleted_messages WHERE deleted_at < (SELECT {now}) - :age")
_FORGET_FILLED = Command("DELETE FROM filled_messages WHERE filled_at < (SELECT {now}) - :age")


async def repair(tx: Transaction, *, limit: int) -> int:
    """Set right when events came that are stored as coming from the future; return of how many.

    Those without a payload, which no index finds, are left: they go when their time comes.
    """
    return await tx.run(_REPAIR, limit=limit, clock_jump=_CLOCK_JUMP, looked_through=_LOOKED_THROUGH)


async def empty(tx: Transaction, *, age: float, limit: int) -> int:
    """Take what is personal out of events that are older than ``age`` seconds; return of how many."""
    return await tx.run(_EMPTY, age=age, limit=limit)


async def remove(tx: Transaction, *, age: float, limit: int) -> list[str]:
    """Delete events that are older than ``age`` seconds; return the states in which they were."""
    return await tx.all(_REMOVE, age=age, limit=limit, looked_through=_LOOKED_THROUGH)


async def forget_deletions(tx: Transaction, *, age: float) -> int:
    """Forget which messages were deleted longer than ``age`` seconds ago."""
    return await tx.run(_FORGET, age=age)


async def forget_fillings(tx: Transaction, *, age: float) -> int:
    """Forget which messages were filled in longer than ``age`` seconds ago."""
    return await tx.run(_FORGET_FILLED, age=age)
