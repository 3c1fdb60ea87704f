"""Making, wrapping and unwrapping data keys."""

from __future__ import annotations

import os
import secrets

from fankeep.datakeys.errors import KeyGone
from fankeep.datakeys.open_key import OpenKey
from fankeep.errors import ConfigurationError, SealError
from fankeep.kms import KeyEncryption, WrapContext
from fankeep.sealing import KEY_LENGTH
from fankeep.secret import Secret
from fankeep.store.data_keys import DataKeyRow, Rewrapped
from fankeep.types import KeyId

__all__ = ["KeyWrapping"]


class KeyWrapping:
    """Data keys of one installation under its key-encryption keys.

    A wrapped key is bound to the installation, its owner and its id: copied to another row, or into the key
    file of another installation, it does not unwrap.
    """

    def __init__(self, kms: KeyEncryption, installation_id: str) -> None:
        self._kms = kms
        self._installation_id = installation_id

    async def new(self, owner: str, kek_id: KeyId) -> DataKeyRow:
        """Make a random data key, wrapped and ready to be stored.

        Raises:
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        key_id = KeyId(f"dk-{secrets.token_hex(16)}")
        secret = Secret(os.urandom(KEY_LENGTH))
        wrapped = await self._kms.wrap(kek_id, secret, self._context(owner, key_id))
        return DataKeyRow(id=key_id, owner=owner, kek_id=kek_id, wrapped=wrapped, age=0.0)

    async def open(self, row: DataKeyRow) -> OpenKey:
        """Unwrap a stored data key.

        Raises:
            KeyGone: it was destroyed.
            KeyUnavailable: the key-encryption key that wraps it is not at hand, or does not answer.
            SealError: the row was changed, or the key-encryption key is another one than its name says.
        """
        if row.wrapped is None:
            raise KeyGone
        return OpenKey(KeyId(row.id), row.owner, await self._secret(row, row.wrapped), row.wrapped)

    async def rewrap(self, row: DataKeyRow, kek_id: KeyId) -> Rewrapped:
        """Wrap a stored data key under another key-encryption key.

        The result is opened again before it may take the place of the only other copy.

        Raises:
            KeyGone, KeyUnavailable, SealError: as `open`.
        """
        if row.wrapped is None:
            raise KeyGone
        secret = await self._secret(row, row.wrapped)
        context = self._context(row.owner, KeyId(row.id))
        wrapped = await self._kms.wrap(kek_id, secret, context)
        if await self._kms.unwrap(kek_id, wrapped, context) != secret:
            raise SealError
        return Rewrapped(row.id, wrapped, row.wrapped)

    async def prove(self, row: DataKeyRow) -> None:
        """Make sure that the key-encryption key of this row is at hand and is the right one.

        Raises:
            ConfigurationError: it is missing or another; names it.
            KeyUnavailable: it lies in another system, which did not answer.
        """
        self.require(KeyId(row.kek_id))
        try:
            await self.open(row)
        except SealError:
            raise ConfigurationError(
                f"the key-encryption key {row.kek_id} does not open what was wrapped with it: FANKEEP_KEYS"
                " holds another key under this name, or the key database is damaged; nothing was changed"
            ) from None

    async def prove_usable(self, kek_id: KeyId) -> None:
        """Make sure that a key-encryption key wraps, opens what it wrapped, and only in its place.

        Raises:
            ConfigurationError: it does not.
            KeyUnavailable: it is not at hand, or the system that has it did not answer or refused.
        """
        secret, context = Secret(os.urandom(KEY_LENGTH)), self._context("probe", KeyId("dk-probe"))
        wrapped = await self._kms.wrap(kek_id, secret, context)
        if not await self._opens(kek_id, wrapped, context, secret):
            raise ConfigurationError(f"the key-encryption key {kek_id} does not open what it has wrapped")
        if await self._opens(kek_id, wrapped, context._replace(owner="other"), secret):
            raise ConfigurationError(
                f"the key-encryption key {kek_id} does not bind what it wraps to its place: it has to be a"
                " key for authenticated encryption"
            )

    def require(self, kek_id: KeyId) -> None:
        """Make sure that a key-encryption key is at hand.

        Raises:
            ConfigurationError: it is not; names it.
        """
        if not self._kms.has(kek_id):
            raise ConfigurationError(
                f"the key-encryption key {kek_id} is in use but not at hand: put it back into FANKEEP_KEYS;"
                " nothing was changed"
            )

    async def _opens(
        self, kek_id: KeyId, wrapped: bytes, context: WrapContext, secret: Secret[bytes]
    ) -> bool:
        try:
            return await self._kms.unwrap(kek_id, wrapped, context) == secret
        except SealError:
            return False

    async def _secret(self, row: DataKeyRow, wrapped: bytes) -> Secret[bytes]:
        return await self._kms.unwrap(KeyId(row.kek_id), wrapped, self._context(row.owner, KeyId(row.id)))

    def _context(self, owner: str, key_id: KeyId) -> WrapContext:
        return WrapContext(self._installation_id, owner, key_id)
