"""The users' data keys: made once, loaded when asked for, renewed in time, destroyed for good."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Final, TypeAlias, TypeVar

from fankeep.datakeys.cache import BoundedCache
from fankeep.datakeys.errors import KeyGone, NoKey
from fankeep.datakeys.installation import INSTALLATION
from fankeep.datakeys.open_key import OpenKey
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import SealError
from fankeep.store import Database, Transaction, data_keys, key_encryption_keys
from fankeep.store.data_keys import DataKeyRow
from fankeep.store.key_encryption_keys import NotPrimary
from fankeep.types import KeyId

__all__ = [
    "FRESH_SECONDS",
    "KEPT_KEYS",
    "KEPT_SECONDS",
    "KEPT_USES",
    "RENEW_AFTER_SECONDS",
    "KeyRing",
]

KEPT_KEYS: Final = 2048
"""How many opened keys are kept in memory."""

FRESH_SECONDS: Final = 30.0
"""How long an opened key is used before its row is looked at again. So long, after ``destroy`` has answered,
another process can still use a key that it holds."""

KEPT_SECONDS: Final = 3600.0
"""How long an opened key is used before it is unwrapped again. So long, at most, a user is served while the
key service does not answer."""

KEPT_USES: Final = 1 << 20
"""How often an opened key is used before it is unwrapped again."""

RENEW_AFTER_SECONDS: Final = 90 * 86400.0
"""The age at which a user's key stops sealing and a new one starts. 2^32 values in that time would take 550
seals a second for one user, day and night."""

K = TypeVar("K", bound=Hashable)

_Store: TypeAlias = Callable[[Transaction, DataKeyRow], Awaitable[DataKeyRow | None]]


class KeyRing:
    """Opened data keys by owner and by id.

    Args:
        database: the key database.
        wrapping: makes and unwraps keys.
        clock: seconds that never go back.
    """

    def __init__(
        self, database: Database, wrapping: KeyWrapping, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._wrapping = wrapping
        self._active: BoundedCache[str, OpenKey] = BoundedCache(KEPT_KEYS, FRESH_SECONDS, clock)
        self._by_id: BoundedCache[KeyId, OpenKey] = BoundedCache(KEPT_KEYS, FRESH_SECONDS, clock)
        self._unwrapped: BoundedCache[KeyId, OpenKey] = BoundedCache(KEPT_KEYS, KEPT_SECONDS, clock)
        self._destructions = 0

    async def ensure(self, owner: str) -> None:
        """Make the owner's key if there is none; the one that another process stored first is as good.

        An owner whose keys were destroyed gets a new one, which opens nothing of what was.

        Raises:
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        _refuse_reserved(owner)
        if self._fresh(self._active, owner):
            return
        if await self._database.read(lambda tx: data_keys.load_active(tx, owner)):
            return
        await self._stored(owner, data_keys.add)

    def ready(self, owner: str) -> OpenKey | None:
        """Return the key that seals for this owner if it need not be looked at again yet."""
        return self._fresh(self._active, owner)

    async def active(self, owner: str) -> OpenKey:
        """Return the key that seals for this owner.

        Raises:
            KeyGone: it was destroyed.
            NoKey: the owner has none.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        key = self.ready(owner)
        if key is not None:
            return key
        _refuse_reserved(owner)
        seen = self._destructions
        row = await self._row(owner, lambda tx: _active_row(tx, owner))
        if row.age >= RENEW_AFTER_SECONDS:
            row = await self.renew(row)
        key = await self._opened(row)
        if seen == self._destructions:
            self._keep(key)
            self._active.put(owner, key)
        return key

    async def by_id(self, owner: str, key_id: KeyId) -> OpenKey:
        """Return the key that a value of this owner names.

        Raises:
            KeyGone: it was destroyed.
            SealError: there is no such key, or it is somebody else's.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        key = self._fresh(self._by_id, key_id) or await self._load(owner, key_id)
        if key.owner != owner:
            raise SealError
        return key

    async def destroy(self, owner: str) -> None:
        """Overwrite all keys of an owner, and forget them here."""
        _refuse_reserved(owner)
        await self._database.write(lambda tx: data_keys.destroy(tx, owner))
        # Whoever read a row before the commit must not put its key back into memory after it.
        self._destructions += 1
        self._forget(owner)

    async def renew(self, old: DataKeyRow) -> DataKeyRow:
        """Let a new key seal for the owner of this one from now on; return the one that does.

        Raises:
            KeyGone: the owner's keys were destroyed.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        row = await self._stored(old.owner, lambda tx, new: data_keys.renew(tx, old.id, new))
        self._active.drop(lambda key: key.owner == old.owner)
        return row

    async def prove_primary(self) -> None:
        """Make sure that the key-encryption key that wraps new keys is at hand.

        Raises:
            ConfigurationError: it is not; names it.
        """
        self._wrapping.require(KeyId(await self._database.read(key_encryption_keys.require_primary)))

    async def _stored(self, owner: str, store: _Store) -> DataKeyRow:
        """Make a key under the primary key-encryption key and store it, before another one is promoted."""
        while True:
            kek_id = await self._database.read(key_encryption_keys.require_primary)
            new = await self._wrapping.new(owner, KeyId(kek_id))
            try:
                row = await self._database.write(partial(_apply, store, new))
            except NotPrimary:
                continue
            if row is None:
                raise KeyGone
            return row

    async def _load(self, owner: str, key_id: KeyId) -> OpenKey:
        _refuse_reserved(owner)
        seen = self._destructions
        row = await self._row(owner, lambda tx: _row_by_id(tx, owner, key_id))
        key = await self._opened(row)
        if seen == self._destructions:
            self._keep(key)
        return key

    async def _row(self, owner: str, find: Callable[[Transaction], Awaitable[DataKeyRow]]) -> DataKeyRow:
        try:
            return await self._database.read(find)
        except KeyGone:
            self._forget(owner)  # destroyed by another process
            raise

    async def _opened(self, row: DataKeyRow) -> OpenKey:
        known = self._fresh(self._unwrapped, KeyId(row.id))
        if known is not None and (known.owner, known.wrapped) == (row.owner, row.wrapped):
            return known
        return await self._wrapping.open(row)

    def _fresh(self, cache: BoundedCache[K, OpenKey], key: K) -> OpenKey | None:
        """Return a key that need not be looked at again yet."""
        found = cache.fresh(key)
        return None if found is None or found.uses >= KEPT_USES else found

    def _keep(self, key: OpenKey) -> None:
        self._by_id.put(key.id, key)
        if self._unwrapped.fresh(key.id) is not key:  # one that was known keeps the time of its unwrapping
            self._unwrapped.put(key.id, key)

    def _forget(self, owner: str) -> None:
        for cache in (self._by_id, self._unwrapped):
            cache.drop(lambda key: key.owner == owner)
        self._active.drop(lambda key: key.owner == owner)


async def _apply(store: _Store, new: DataKeyRow, tx: Transaction) -> DataKeyRow | None:
    return await store(tx, new)


def _refuse_reserved(owner: str) -> None:
    if owner in {"", INSTALLATION}:
        raise SealError


async def _active_row(tx: Transaction, owner: str) -> DataKeyRow:
    row = await data_keys.load_active(tx, owner)
    if row is not None:
        return row
    if await data_keys.was_destroyed(tx, owner):
        raise KeyGone
    raise NoKey


async def _row_by_id(tx: Transaction, owner: str, key_id: KeyId) -> DataKeyRow:
    row = await data_keys.load(tx, key_id)
    if row is None or row.owner != owner:
        raise SealError
    if row.wrapped is None:
        raise KeyGone
    return row
