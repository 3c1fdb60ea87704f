"""The key file's rows: wrapped data keys, one active key an owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fankeep.store import key_encryption_keys
from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Rows, Statement

__all__ = [
    "DataKeyRow",
    "Rewrapped",
    "add",
    "count_not_under",
    "count_old_active",
    "destroy",
    "load",
    "load_active",
    "not_under",
    "old_active",
    "old_ids",
    "one_per_kek",
    "renew",
    "rewrap",
    "was_destroyed",
]


class DataKeyRow(NamedTuple):
    """A wrapped data key.

    Attributes:
        wrapped: None once the key is destroyed.
        age: seconds since it was made, by the database's clock.
    """

    id: str
    owner: str
    kek_id: str
    wrapped: bytes | None
    age: float


class Rewrapped(NamedTuple):
    """A data key that was wrapped anew, and the bytes that stood there before."""

    id: str
    wrapped: bytes
    old_wrapped: bytes


_LOAD = Statement(
    "SELECT id, owner, kek_id, wrapped, {now} - created_at FROM data_keys WHERE id = :id", DataKeyRow
)
_LOAD_ACTIVE = Statement(
    """
    SELECT id, owner, kek_id, wrapped, {now} - created_at FROM data_keys
    WHERE owner = :owner AND retired_at IS NULL AND destroyed_at IS NULL
    """,
    DataKeyRow,
)
# The root where there is one: nothing opens without it, and a creator's damaged key must not stop others.
_ONE_PER_KEK = Statement(
    """
    SELECT id, owner, kek_id, wrapped, {now} - created_at FROM data_keys
    WHERE id IN (SELECT coalesce(max(CASE WHEN owner = 'installation' THEN id END), min(id))
                 FROM data_keys WHERE wrapped IS NOT NULL GROUP BY kek_id)
    """,
    DataKeyRow,
)
_WAS_DESTROYED = Statement(
    "SELECT EXISTS (SELECT 1 FROM data_keys WHERE owner = :owner AND destroyed_at IS NOT NULL)", int
)
_NOT_UNDER = Statement(
    """
    SELECT id, owner, kek_id, wrapped, {now} - created_at FROM data_keys
    WHERE id > :after AND kek_id <> :kek_id AND wrapped IS NOT NULL ORDER BY id LIMIT :limit
    """,
    DataKeyRow,
)
_COUNT_NOT_UNDER = Statement(
    "SELECT count(*) FROM data_keys WHERE kek_id <> :kek_id AND wrapped IS NOT NULL", int
)
# The unique index over active keys decides a race.
_ADD = Command(
    """
    INSERT INTO data_keys (id, owner, kek_id, wrapped, created_at)
    VALUES (:id, :owner, :kek_id, :wrapped, {now})
    ON CONFLICT DO NOTHING
    """
)
# A key that was destroyed or wrapped anew meanwhile is not the one that was read: it stays as it is.
_REWRAP = Command(
    """
    UPDATE data_keys SET kek_id = :kek_id, wrapped = row.wrapped FROM {rows} AS row
    WHERE data_keys.id = row.id AND data_keys.wrapped = row.old_wrapped
    """,
    rows=Rows(id="text", wrapped="blob", old_wrapped="blob"),
)
_OLD = """
    FROM data_keys
    WHERE owner <> :owner AND wrapped IS NOT NULL
      AND created_at <= (SELECT since FROM key_encryption_keys WHERE id = :kek_id)
"""
_OLD_IDS = Statement("SELECT id" + _OLD, str)
_OLD_ACTIVE = Statement(
    "SELECT id, owner, kek_id, wrapped, {now} - created_at"
    + _OLD
    + "AND retired_at IS NULL AND id > :after ORDER BY id LIMIT :limit",
    DataKeyRow,
)
_COUNT_OLD_ACTIVE = Statement("SELECT count(*)" + _OLD + "AND retired_at IS NULL", int)
_RETIRE = Command(
    """
    UPDATE data_keys SET retired_at = {now}
    WHERE id = :id AND retired_at IS NULL AND destroyed_at IS NULL
    """
)
_DESTROY = Command(
    """
    UPDATE data_keys SET wrapped = NULL, destroyed_at = {now}
    WHERE owner = :owner AND destroyed_at IS NULL
    """
)


async def load(tx: Transaction, key_id: str) -> DataKeyRow | None:
    """Return a key by its id, whether active, retired or destroyed."""
    return await tx.one(_LOAD, id=key_id)


async def load_active(tx: Transaction, owner: str) -> DataKeyRow | None:
    """Return the key that seals for this owner."""
    return await tx.one(_LOAD_ACTIVE, owner=owner)


async def one_per_kek(tx: Transaction) -> list[DataKeyRow]:
    """Return, for every key-encryption key in use, one data key that it wraps."""
    return await tx.all(_ONE_PER_KEK)


async def was_destroyed(tx: Transaction, owner: str) -> bool:
    """Tell whether this owner had a key that was destroyed."""
    found = await tx.one(_WAS_DESTROYED, owner=owner)
    return found == 1


async def count_not_under(tx: Transaction, kek_id: str) -> int:
    """Count the data keys that another key-encryption key than this one wraps."""
    return await tx.one(_COUNT_NOT_UNDER, kek_id=kek_id) or 0


async def not_under(tx: Transaction, kek_id: str, *, after: str, limit: int) -> list[DataKeyRow]:
    """Return data keys that another key-encryption key wraps, in the order of their ids.

    Args:
        tx: any transaction.
        kek_id: the key-encryption key that the others are to be under.
        after: the id of the last one that was seen, or nothing.
        limit: how many.
    """
    return await tx.all(_NOT_UNDER, kek_id=kek_id, after=after, limit=limit)


async def rewrap(tx: Transaction, kek_id: str, keys: Sequence[Rewrapped]) -> None:
    """Put keys under another key-encryption key, which is the primary one.

    Raises:
        NotPrimary: it is not; nothing was changed.
    """
    await key_encryption_keys.take_primary(tx, kek_id)
    await tx.run(_REWRAP, kek_id=kek_id, rows=keys)


async def old_ids(tx: Transaction, kek_id: str, *, owners_except: str) -> list[str]:
    """Return the data keys that are older than the state of a key-encryption key.

    Args:
        tx: any transaction.
        kek_id: names the moment: the one at which it was marked as compromised.
        owners_except: an owner whose keys are left out.
    """
    return await tx.all(_OLD_IDS, kek_id=kek_id, owner=owners_except)


async def old_active(
    tx: Transaction, kek_id: str, *, owners_except: str, after: str, limit: int
) -> list[DataKeyRow]:
    """Return those of ``old_ids`` that still seal, in the order of their ids, after the id that was seen."""
    return await tx.all(_OLD_ACTIVE, kek_id=kek_id, owner=owners_except, after=after, limit=limit)


async def count_old_active(tx: Transaction, kek_id: str, *, owners_except: str) -> int:
    """Count those of ``old_ids`` that still seal."""
    return await tx.one(_COUNT_OLD_ACTIVE, kek_id=kek_id, owner=owners_except) or 0


async def add(tx: Transaction, new: DataKeyRow) -> DataKeyRow | None:
    """Store an owner's key, unless there is an active one; return the one that stands.

    Returns:
        None only when the id is taken.

    Raises:
        NotPrimary: the key-encryption key that wraps it is not the primary one any more.
    """
    await key_encryption_keys.take_primary(tx, new.kek_id)
    await tx.run(_ADD, id=new.id, owner=new.owner, kek_id=new.kek_id, wrapped=new.wrapped)
    return await load_active(tx, new.owner)


async def renew(tx: Transaction, old_id: str, new: DataKeyRow) -> DataKeyRow | None:
    """Retire a key and put a new one in its place, unless somebody did; return the one that stands.

    Returns:
        None when the owner's keys were destroyed.

    Raises:
        NotPrimary: the key-encryption key that wraps the new one is not the primary one any more.
    """
    # First of all, as everywhere: whoever locks the two in the other order would wait for us in a circle.
    await key_encryption_keys.take_primary(tx, new.kek_id)
    if await tx.run(_RETIRE, id=old_id):
        return await add(tx, new)
    return await load_active(tx, new.owner)


async def destroy(tx: Transaction, owner: str) -> int:
    """Overwrite all keys of an owner; what was sealed with them is lost for good.

    Returns:
        How many keys there were.
    """
    destroyed = 0
    # A renewal that was under way may have committed a key that the first look could not see; it has locked
    # the old one, so that a second look sees the new one.
    while found := await tx.run(_DESTROY, owner=owner):
        destroyed += found
    return destroyed
