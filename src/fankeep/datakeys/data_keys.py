"""Sealing and opening under the users' data keys."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from fankeep.datakeys.installation import InstallationKeys, open_root
from fankeep.datakeys.keyring import KeyRing
from fankeep.datakeys.ledger import Ledger
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.kms import KeyEncryption
from fankeep.sealing import NONCE_LENGTH, Context, open_sealed, parse_sealed, seal
from fankeep.store import Database
from fankeep.store.data_keys import DataKeyRow
from fankeep.types import UserId

__all__ = ["DataKeys", "open_data_keys"]


async def open_data_keys(
    keys_db: Database,
    kms: KeyEncryption,
    *,
    installation_id: str,
    create: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> DataKeys:
    """Prove that the key database is ours and that every key in use opens; bind a new one to us.

    Args:
        keys_db: the key database.
        kms: the key-encryption keys.
        installation_id: the id that stands in the data database.
        create: whether an empty key database may become ours. False where the data database is not new: its
            keys are elsewhere then, and new ones would open nothing.
        clock: seconds that never go back.

    Raises:
        ConfigurationError: the key database is another installation's, or a key-encryption key in use is
            missing or wrong; the message names it. Nothing was changed.
        KeyUnavailable: a key service did not answer or refused.
        StorageUnavailable: the database did not answer.
    """
    wrapping = KeyWrapping(kms, installation_id)
    root = await open_root(keys_db, wrapping, kms, installation_id, create=create)
    installation = InstallationKeys(installation_id, root)
    return DataKeys(installation, KeyRing(keys_db, wrapping, clock=clock), Ledger(keys_db, installation))


class DataKeys:
    """Seals and opens the values of all users. Made by :func:`open_data_keys`.

    One object a process, used from one event loop.

    Attributes:
        installation: the keys that belong to no user.
        ledger: what must not come back with a back-up of the data.
    """

    def __init__(self, installation: InstallationKeys, ring: KeyRing, ledger: Ledger) -> None:
        self.installation: Final = installation
        self.ledger: Final = ledger
        self._ring = ring

    def context(self, *, user: UserId, table: str, record: str, field: str, generation: int = 0) -> Context:
        """Name the place of a value in this installation."""
        return Context(self.installation.id, user, table, record, field, generation)

    async def ensure(self, user: UserId) -> None:
        """Make the user's data key if there is none. Of several callers one makes it, and all use it.

        A user who was erased and comes back gets a new key; what was sealed before stays closed.

        Raises:
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        await self._ring.ensure(user)

    async def seal(self, context: Context, plaintext: bytes) -> bytes:
        """Seal a value under its user's key, for the purpose that its table is.

        Returns:
            The envelope, to be stored.

        Raises:
            NoKey: the user has no key; ``ensure`` comes first. ``KeyGone`` when it was destroyed.
            KeyUnavailable: the key-encryption key cannot be used now.
            ValueError: the context is another installation's, or something is out of bounds.
        """
        if context.installation != self.installation.id:
            raise ValueError("a context of another installation; DataKeys.context() makes one of this")
        key = self._ring.ready(context.user) or await self._ring.active(context.user)
        nonce = os.urandom(NONCE_LENGTH)
        return seal(key.sealing_key(context.table), context, plaintext, nonce=nonce).data

    async def open(self, context: Context, sealed: bytes) -> bytes:
        """Open a stored value at the place where it was found.

        Raises:
            KeyGone: the user's key was destroyed.
            SealError: the value was changed, moved, or sealed for another user or installation.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        parsed = parse_sealed(sealed)
        key = await self._ring.by_id(context.user, parsed.key_id)
        return open_sealed(key.sealing_key(context.table, parsed.suite), context, parsed)

    async def reseal(self, context: Context, sealed: bytes) -> bytes:
        """Seal a stored value again, under the key that seals for its user now.

        Raises:
            SealError, KeyUnavailable: as `open` and `seal`.
        """
        return await self.seal(context, await self.open(context, sealed))

    async def renew(self, old: DataKeyRow) -> None:
        """Let a new key seal for the owner of this one; other processes follow within 30 seconds.

        Raises:
            KeyGone: the owner was erased meanwhile.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        await self._ring.renew(old)

    async def prove_primary(self) -> None:
        """Make sure that this process has the key-encryption key that wraps new keys.

        Raises:
            ConfigurationError: it has not; names it.
        """
        await self._ring.prove_primary()

    async def destroy(self, user: UserId) -> None:
        """Destroy all keys of a user; everything sealed with them is lost, in every copy of the data.

        Another process may use a key that it holds for up to 30 seconds more.

        Raises:
            StorageUnavailable: nothing was destroyed.
        """
        await self.ledger.note("user", user)
        await self._ring.destroy(user)
