"""The statements of browser sessions, and the states of sign-ins that were used."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement
from fankeep.types import UserId

__all__ = [
    "SessionRow",
    "clock",
    "count",
    "insert",
    "load",
    "prune",
    "remove",
    "remove_all",
    "remove_every",
    "remove_unseen",
    "touch",
    "use_state",
]


class SessionRow(NamedTuple):
    """A session as it stands.

    Attributes:
        created_at: seconds since 1970 by the database's clock, as is ``last_seen_at``; for the MAC alone.
        unseen_for: seconds since it was last seen.
        left: seconds until one of its two limits is reached; not positive when it is over.
    """

    user_id: UserId
    created_at: float
    last_seen_at: float
    mac: bytes
    unseen_for: float
    left: float


_CLOCK = Statement("SELECT {now}", float)

_LOAD = Statement(
    """
    SELECT user_id, created_at, last_seen_at, mac, {now} - last_seen_at,
           {least}(last_seen_at + :idle, created_at + :absolute) - {now}
    FROM sessions WHERE hash = :hash
    """,
    SessionRow,
)
_COUNT = Statement(
    """
    SELECT count(*) FROM sessions
    WHERE user_id = :user_id AND last_seen_at + :idle > {now} AND created_at + :absolute > {now}
    """,
    int,
)
_INSERT = Command(
    """
    INSERT INTO sessions (hash, user_id, created_at, last_seen_at, mac)
    VALUES (:hash, :user_id, :created_at, :created_at, :mac)
    """
)
# Two requests at once: whichever is later by the database's clock stays.
_TOUCH = Command(
    """
    UPDATE sessions SET last_seen_at = :seen_at, mac = :mac
    WHERE hash = :hash AND created_at = :created_at AND last_seen_at < :seen_at
    """
)
_REMOVE = Command("DELETE FROM sessions WHERE hash = :hash")
_REMOVE_ALL = Command("DELETE FROM sessions WHERE user_id = :user_id")
_REMOVE_UNSEEN = Command(
    "DELETE FROM sessions WHERE user_id = :user_id AND last_seen_at + :unseen_for < {now}"
)
_REMOVE_EVERY = Command("DELETE FROM sessions")
_PRUNE_SESSIONS = Command(
    "DELETE FROM sessions WHERE last_seen_at + :idle <= {now} OR created_at + :absolute <= {now}"
)

_USE_STATE = Command(
    "INSERT INTO used_states (hash, used_at) VALUES (:hash, {now}) ON CONFLICT (hash) DO NOTHING"
)
_PRUNE_STATES = Command("DELETE FROM used_states WHERE used_at + :kept < {now}")


async def clock(tx: Transaction) -> float:
    """The database's clock, in seconds since 1970."""
    now = await tx.one(_CLOCK)
    assert now is not None
    return now


async def load(tx: Transaction, session_hash: bytes, *, idle: float, absolute: float) -> SessionRow | None:
    """Read a session by the hash of its id.

    Args:
        idle: seconds that it may go unseen.
        absolute: seconds that it may last in all.
    """
    return await tx.one(_LOAD, hash=session_hash, idle=idle, absolute=absolute)


async def count(tx: Transaction, user: UserId, *, idle: float, absolute: float) -> int:
    """Count the living sessions of a user; the limits as for `load`."""
    return await tx.one(_COUNT, user_id=user, idle=idle, absolute=absolute) or 0


async def insert(
    tx: Transaction, session_hash: bytes, user: UserId, *, created_at: float, mac: bytes
) -> None:
    """Store a new session."""
    await tx.run(_INSERT, hash=session_hash, user_id=user, created_at=created_at, mac=mac)


async def touch(tx: Transaction, session_hash: bytes, row: SessionRow, *, seen_at: float, mac: bytes) -> None:
    """Note that a session was seen, unless it has ended or was seen later."""
    await tx.run(_TOUCH, hash=session_hash, created_at=row.created_at, seen_at=seen_at, mac=mac)


async def remove(tx: Transaction, session_hash: bytes) -> bool:
    """End one session; False when there was none."""
    return await tx.run(_REMOVE, hash=session_hash) == 1


async def remove_all(tx: Transaction, user: UserId) -> int:
    """End every session of a user and return how many there were."""
    return await tx.run(_REMOVE_ALL, user_id=user)


async def remove_unseen(tx: Transaction, user: UserId, *, unseen_for: float) -> int:
    """End the sessions of a user that were not seen for so long, and return how many there were."""
    return await tx.run(_REMOVE_UNSEEN, user_id=user, unseen_for=unseen_for)


async def remove_every(tx: Transaction) -> int:
    """End every session of every user and return how many there were."""
    return await tx.run(_REMOVE_EVERY)


async def use_state(tx: Transaction, state_hash: bytes) -> bool:
    """Record that the state of a sign-in was used; False when it had been used before."""
    return await tx.run(_USE_STATE, hash=state_hash) == 1


async def prune(tx: Transaction, *, idle: float, absolute: float, states_kept: float) -> int:
    """Delete sessions that are over, and used states older than ``states_kept`` seconds.

    Returns:
        How many sessions were deleted.
    """
    await tx.run(_PRUNE_STATES, kept=states_kept)
    return await tx.run(_PRUNE_SESSIONS, idle=idle, absolute=absolute)
