"""What the rest of fankeep knows of key-encryption keys, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from fankeep.errors import ConfigurationError, KeyUnavailable
from fankeep.sealing import KEY_LENGTH, length_prefixed
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["KeyEncryption", "KeyEncryptionKey", "WrapContext"]


class WrapContext(NamedTuple):
    """What a wrapped data key is bound to: it unwraps at this place alone. Not secret.

    Attributes:
        installation: the installation's id.
        owner: the user, or ``installation`` for the root.
        key_id: of the data key.
    """

    installation: str
    owner: str
    key_id: KeyId

    def encoded(self) -> bytes:
        """Return the parts as bytes that no other parts give."""
        return length_prefixed(b"fankeep/v1/data-key", *(part.encode() for part in self))


class KeyEncryptionKey(Protocol):
    """One key that wraps data keys. Its bytes may be here, or never leave another system."""

    @property
    def id(self) -> KeyId:
        """The name under which the key database knows it."""
        ...

    @property
    def source(self) -> str:
        """The scheme of ``FANKEEP_KEYS`` that it came by, for example ``file``."""
        ...

    async def wrap(self, plaintext: Secret[bytes], context: WrapContext) -> bytes:
        """Encrypt a data key of 32 bytes.

        Raises:
            KeyUnavailable: the key is in another system, which did not answer or refused.
        """
        ...

    async def unwrap(self, wrapped: bytes, context: WrapContext) -> Secret[bytes]:
        """Decrypt a data key.

        Raises:
            SealError: this key did not wrap it, or bytes or context were changed.
            KeyUnavailable: the key is in another system, which did not answer or refused.
        """
        ...


class KeyEncryption:
    """The key-encryption keys at hand, by their ids.

    Which of them wraps new data keys is written in the key database; the order in which they come means
    nothing.
    """

    def __init__(self, keys: Iterable[KeyEncryptionKey]) -> None:
        self._keys: dict[KeyId, KeyEncryptionKey] = {}
        for key in keys:
            if key.id in self._keys:
                raise ConfigurationError(
                    f"FANKEEP_KEYS gives the key-encryption key {key.id} twice: leave one of them out"
                )
            self._keys[key.id] = key

    @property
    def ids(self) -> tuple[KeyId, ...]:
        """The keys at hand, sorted."""
        return tuple(sorted(self._keys))

    def has(self, key_id: KeyId) -> bool:
        """Tell whether this key is at hand, without using it."""
        return key_id in self._keys

    def source(self, key_id: KeyId) -> str | None:
        """Say by which scheme a key came, or None when it is not at hand."""
        key = self._keys.get(key_id)
        return None if key is None else key.source

    async def wrap(self, key_id: KeyId, plaintext: Secret[bytes], context: WrapContext) -> bytes:
        """Encrypt a data key under the key of this name.

        Raises:
            KeyUnavailable: the key is not at hand, or the system that has it did not answer or refused.
        """
        if len(plaintext.reveal()) != KEY_LENGTH:
            raise ValueError(f"a data key has {KEY_LENGTH} bytes")
        return await self._key(key_id).wrap(plaintext, context)

    async def unwrap(self, key_id: KeyId, wrapped: bytes, context: WrapContext) -> Secret[bytes]:
        """Decrypt a data key with the key of this name.

        Raises:
            SealError: that key did not wrap it, or bytes or context were changed.
            KeyUnavailable: the key is not at hand, or the system that has it did not answer or refused.
        """
        return await self._key(key_id).unwrap(wrapped, context)

    def _key(self, key_id: KeyId) -> KeyEncryptionKey:
        key = self._keys.get(key_id)
        if key is None:
            raise KeyUnavailable(
                f"the key-encryption key {key_id} is in use but not at hand: put it back into FANKEEP_KEYS"
            )
        return key
