"""The statements of service keys."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.sessions import clock
from fankeep.store.statement import Command, Statement

__all__ = ["ServiceKeyRow", "clock", "insert", "load", "load_all", "remove", "touch"]


class ServiceKeyRow(NamedTuple):
    """A service key as it stands.

    Attributes:
        created_at: seconds since 1970 by the database's clock, as is ``expires_at``; for the MAC alone.
        left: seconds until it expires; not positive when it has.
        unused_for: seconds since it was last used, or None.
    """

    id: str
    hash: bytes
    name: str
    operations: str
    users: str
    access_tokens: int
    events: int
    created_at: float
    expires_at: float
    mac: bytes
    left: float
    unused_for: float | None


_COLUMNS = """
    id, hash, name, operations, users, access_tokens, events, created_at, expires_at, mac,
    expires_at - {now}, {now} - last_used_at
"""
_LOAD = Statement("SELECT" + _COLUMNS + "FROM service_keys WHERE id = :id", ServiceKeyRow)
_LOAD_ALL = Statement("SELECT" + _COLUMNS + "FROM service_keys ORDER BY created_at, id", ServiceKeyRow)
_INSERT = Command(
    """
    INSERT INTO service_keys (id, hash, name, operations, users, access_tokens, events, created_at,
                              expires_at, mac)
    VALUES (:id, :hash, :name, :operations, :users, :access_tokens, :events, :created_at, :expires_at, :mac)
    """
)
_TOUCH = Command("UPDATE service_keys SET last_used_at = {now} WHERE id = :id")
_REMOVE = Command("DELETE FROM service_keys WHERE id = :id")


async def load(tx: Transaction, key_id: str) -> ServiceKeyRow | None:
    """Read one key."""
    return await tx.one(_LOAD, id=key_id)


async def load_all(tx: Transaction) -> list[ServiceKeyRow]:
    """Read every key, the oldest first."""
    return await tx.all(_LOAD_ALL)


async def insert(tx: Transaction, row: ServiceKeyRow) -> None:
    """Store a new key; what is left of its time follows from when it expires."""
    await tx.run(
        _INSERT,
        id=row.id,
        hash=row.hash,
        name=row.name,
        operations=row.operations,
        users=row.users,
        access_tokens=row.access_tokens,
        events=row.events,
        created_at=row.created_at,
        expires_at=row.expires_at,
        mac=row.mac,
    )


async def touch(tx: Transaction, key_id: str) -> None:
    """Note that a key was used."""
    await tx.run(_TOUCH, id=key_id)


async def remove(tx: Transaction, key_id: str) -> bool:
    """Delete a key; False when there was none."""
    return await tx.run(_REMOVE, id=key_id) == 1
