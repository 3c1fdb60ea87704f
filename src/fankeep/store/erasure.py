"""Removing everything that is stored about one creator."""

from __future__ import annotations

from typing import Final

from fankeep.store.database import Transaction
from fankeep.store.statement import Command
from fankeep.types import UserId

__all__ = ["erase"]

_STEPS: Final = (
    # The user's row is locked first: whoever adds something about the creator waits, and then finds out.
    Command("UPDATE users SET erased_at = {now} WHERE id = :user_id"),
    Command("DELETE FROM grants WHERE user_id = :user_id"),
    Command("DELETE FROM revocations WHERE user_id = :user_id"),
    Command("DELETE FROM sessions WHERE user_id = :user_id"),
    Command("DELETE FROM subscriptions WHERE user_id = :user_id"),
    Command("DELETE FROM events WHERE creator_id = :user_id"),
    # Which family tells of the creator stays, without a time: running processes remember it as well, and both
    # families would have effects when the creator connects again.
    Command("UPDATE creator_families SET since = 0 WHERE creator_id = :user_id"),
)


async def erase(tx: Transaction, user: UserId) -> None:
    """Delete every row about a creator, and leave the fact.

    Which messages were deleted or filled in is known by keyed digests that name nobody. They go by age, as do
    those of everybody else (``retention``): what was deleted does not come back with a late delivery.
    """
    for step in _STEPS:
        await tx.run(step, user_id=user)
