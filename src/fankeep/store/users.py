"""The creators that this installation knows."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement
from fankeep.types import UserId

__all__ = ["UserRow", "add", "every", "known_since", "load", "page"]


class UserRow(NamedTuple):
    """A creator; ``erased`` when only the fact of the erasure is left."""

    id: UserId
    erased: bool


_LOAD = Statement("SELECT id, erased_at IS NOT NULL FROM users WHERE id = :id", UserRow)

_PAGE = Statement(
    "SELECT id FROM users WHERE id > :after AND erased_at IS NULL ORDER BY id LIMIT :limit", UserId
)

_ALL = Statement("SELECT id FROM users WHERE erased_at IS NULL", UserId)

_KNOWN_SINCE = Statement("SELECT created_at FROM users WHERE id = :id AND erased_at IS NULL", float)

_ADD = Command(
    """
    INSERT INTO users (id, created_at) VALUES (:id, {now})
    ON CONFLICT (id) DO UPDATE
    SET created_at = CASE WHEN users.erased_at IS NULL THEN users.created_at ELSE excluded.created_at END,
        erased_at = NULL
    """
)


async def load(tx: Transaction, user: UserId) -> UserRow | None:
    """Read one creator."""
    return await tx.one(_LOAD, id=user)


async def page(tx: Transaction, after: str, limit: int) -> list[UserId]:
    """Return the next creators in the order of their ids; those who were erased are not among them."""
    return await tx.all(_PAGE, after=after, limit=limit)


async def every(tx: Transaction) -> list[UserId]:
    """Return all creators but those who were erased."""
    return await tx.all(_ALL)


async def known_since(tx: Transaction, user: UserId) -> float | None:
    """Return when the creator connected first, in seconds since 1970; None for who never did."""
    return await tx.one(_KNOWN_SINCE, id=user)


async def add(tx: Transaction, user: UserId) -> None:
    """Make sure that the creator has a row; one who was erased and connects again starts anew from now on."""
    await tx.run(_ADD, id=user)
