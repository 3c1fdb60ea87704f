"""The statements of webhook subscriptions."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.sessions import clock
from fankeep.store.statement import Command, Statement
from fankeep.types import UserId

__all__ = [
    "SubscriptionRow",
    "clock",
    "end",
    "every",
    "forget",
    "insert",
    "load",
    "of_user",
    "remove",
    "speaking",
]


class SubscriptionRow(NamedTuple):
    """A subscription as it stands.

    Attributes:
        created_at: seconds since 1970 by the database's clock; for the MAC alone.
        age: seconds since it was made.
        ended_for: seconds since it was removed, or None while it stands.
    """

    id: str
    user_id: UserId
    name: str
    url: str
    events: str
    sealed_secret: bytes
    created_at: float
    mac: bytes
    age: float
    ended_for: float | None


_COLUMNS = """
    s.id, s.user_id, s.name, s.url, s.events, s.sealed_secret, s.created_at, s.mac, {now} - s.created_at,
    {now} - s.ended_at
"""
_LOAD = Statement("SELECT" + _COLUMNS + "FROM subscriptions s WHERE s.id = :id", SubscriptionRow)
_EVERY = Statement("SELECT" + _COLUMNS + "FROM subscriptions s ORDER BY s.created_at, s.id", SubscriptionRow)
_OF_USER = Statement(
    "SELECT" + _COLUMNS + "FROM subscriptions s WHERE s.user_id = :user_id ORDER BY s.created_at, s.id",
    SubscriptionRow,
)
# A grant that was lost is no word of the creator or of Fanvue: what comes meanwhile is still wanted.
_SPEAKING = Statement(
    "SELECT"
    + _COLUMNS
    + """
    FROM subscriptions s JOIN grants g ON g.user_id = s.user_id
    WHERE s.name = :name AND (s.ended_at IS NULL OR s.ended_at > {now} - :overlap)
      AND (g.state NOT IN ('ending', 'dead') OR g.end_reason IN ('answer_lost', 'back_up_too_old'))
    """,
    SubscriptionRow,
)
# Holds the creator's row, so that an erasure waits and then finds what is added, or was first.
_HOLD = Command("UPDATE users SET erased_at = NULL WHERE id = :user_id AND erased_at IS NULL")
_INSERT = Command(
    """
    INSERT INTO subscriptions (id, user_id, name, url, events, sealed_secret, created_at, mac)
    VALUES (:id, :user_id, :name, :url, :events, :sealed_secret, :created_at, :mac)
    """
)
_END = Command("UPDATE subscriptions SET ended_at = {now} WHERE id = :id AND ended_at IS NULL")
_REMOVE = Command("DELETE FROM subscriptions WHERE id = :id")
_FORGET = Command("DELETE FROM subscriptions WHERE ended_at <= {now} - :overlap")


async def load(tx: Transaction, subscription_id: str) -> SubscriptionRow | None:
    """Read one subscription by Fanvue's id."""
    return await tx.one(_LOAD, id=subscription_id)


async def every(tx: Transaction) -> list[SubscriptionRow]:
    """Read all subscriptions, the oldest first."""
    return await tx.all(_EVERY)


async def of_user(tx: Transaction, user: UserId) -> list[SubscriptionRow]:
    """Read the subscriptions of one creator, the oldest first."""
    return await tx.all(_OF_USER, user_id=user)


async def speaking(tx: Transaction, name: str, *, overlap: float) -> SubscriptionRow | None:
    """Read the subscription of this name if its secret counts.

    Args:
        tx: the transaction.
        name: the last part of its address.
        overlap: seconds for which the secret of a removed one still counts.

    Returns:
        None as well when the creator or Fanvue has ended the connection.
    """
    return await tx.one(_SPEAKING, name=name, overlap=overlap)


async def insert(tx: Transaction, row: SubscriptionRow) -> bool:
    """Store a new subscription; False, and nothing stored, when its creator was erased."""
    if not await tx.run(_HOLD, user_id=row.user_id):
        return False
    await tx.run(
        _INSERT,
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        url=row.url,
        events=row.events,
        sealed_secret=row.sealed_secret,
        created_at=row.created_at,
        mac=row.mac,
    )
    return True


async def end(tx: Transaction, subscription_id: str) -> bool:
    """Note that a subscription was removed; False when it had ended before."""
    return await tx.run(_END, id=subscription_id) == 1


async def remove(tx: Transaction, subscription_id: str) -> None:
    """Delete a subscription with its secret."""
    await tx.run(_REMOVE, id=subscription_id)


async def forget(tx: Transaction, *, overlap: float) -> int:
    """Delete, with their secrets, the subscriptions that were removed this long ago; return how many."""
    return await tx.run(_FORGET, overlap=overlap)
