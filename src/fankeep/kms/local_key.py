"""A key-encryption key whose bytes are in this process, and the text in which such keys are kept.

    {"keys": {"kek-20261123-5f0c9a1e": "<32 bytes as base64>"}}

A wrapped key is one byte for the format, a random 12-byte nonce, and the data key under AES-256-GCM-SIV
with the key's id and the context as associated data.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag

from fankeep.errors import ConfigurationError, HostileInputError, SealError
from fankeep.fanvue.strict_json import decode_strict
from fankeep.kms.key_encryption import WrapContext
from fankeep.sealing import KEY_LENGTH, NONCE_LENGTH, Suite, length_prefixed, new_cipher
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["LocalKey", "format_keys", "new_key", "parse_keys"]

_FORMAT: Final = b"\x01"
_WRAPPED_LENGTH: Final = len(_FORMAT) + NONCE_LENGTH + KEY_LENGTH + 16
_KEY_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)

# 32 random bytes have about 30 different values; fewer than 16 happens less than once in 2^50 keys.
_FEWEST_VALUES: Final = 16


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, str]


class LocalKey:
    """One key-encryption key in memory; see :class:`~fankeep.kms.KeyEncryptionKey`.

    Attributes:
        id: stands beside every data key that it wraps.
        source: where it was read from.
    """

    __slots__ = ("_cipher", "id", "source")

    def __init__(self, key_id: KeyId, key: Secret[bytes], *, source: str) -> None:
        self.id: Final = key_id
        self.source: Final = source
        self._cipher = new_cipher(Suite.AES_256_GCM_SIV, key)

    async def wrap(self, plaintext: Secret[bytes], context: WrapContext) -> bytes:
        """Encrypt a data key."""
        nonce = os.urandom(NONCE_LENGTH)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plaintext.reveal(), self._bound_to(context))

    async def unwrap(self, wrapped: bytes, context: WrapContext) -> Secret[bytes]:
        """Decrypt a data key."""
        if len(wrapped) != _WRAPPED_LENGTH or not wrapped.startswith(_FORMAT):
            raise SealError
        nonce, ciphertext = wrapped[1 : 1 + NONCE_LENGTH], wrapped[1 + NONCE_LENGTH :]
        try:
            return Secret(self._cipher.decrypt(nonce, ciphertext, self._bound_to(context)))
        except InvalidTag:
            raise SealError from None

    def _bound_to(self, context: WrapContext) -> bytes:
        return length_prefixed(b"fankeep/v1/wrap", self.id.encode("ascii"), context.encoded())


def new_key() -> tuple[KeyId, Secret[bytes]]:
    """Make a random key and an id for it, which has the day in it."""
    return KeyId(f"kek-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"), Secret(os.urandom(KEY_LENGTH))


def format_keys(keys: Mapping[KeyId, Secret[bytes]]) -> bytes:
    """Write keys as the text that :func:`parse_keys` reads."""
    encoded = {key_id: base64.b64encode(key.reveal()).decode("ascii") for key_id, key in keys.items()}
    return (json.dumps({"keys": encoded}, indent=2) + "\n").encode("ascii")


def parse_keys(data: bytes, *, what: str) -> dict[KeyId, Secret[bytes]]:
    """Read and check a text with keys.

    Args:
        data: the text.
        what: where it came from, for the messages: "key file".

    Raises:
        ConfigurationError: the text is damaged, has no key, one id or one key twice, or a key that is not
            32 random bytes. The message says which and never holds a key.
    """
    content = _decoded(data, what)
    keys = {_key_id(name, what): _key(value, what) for name, value in content.keys.items()}
    if not keys:
        raise ConfigurationError(f"the {what} holds no key")
    if len({key.reveal() for key in keys.values()}) < len(keys):
        raise ConfigurationError(f"the {what} holds one key under two ids")
    return keys


def _decoded(data: bytes, what: str) -> _Content:
    try:
        return msgspec.convert(decode_strict(data), _Content)
    except HostileInputError as error:
        twice = error.reason == "duplicate_key"
    except msgspec.ValidationError:
        twice = False
    if twice:
        raise ConfigurationError(f"the {what} has one id twice")
    raise ConfigurationError(f'the {what} is damaged: it is {{"keys": {{"<id>": "<32 bytes as base64>"}}}}')


def _key_id(name: str, what: str) -> KeyId:
    if not _KEY_ID.fullmatch(name):
        raise ConfigurationError(
            f"the {what} holds a key whose id is not 1 to 64 lower-case letters, digits and hyphens"
        )
    return KeyId(name)


def _key(value: str, what: str) -> Secret[bytes]:
    try:
        key = base64.b64decode(value.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ConfigurationError(f"the {what} holds a key that is not base64") from None
    if len(key) != KEY_LENGTH:
        raise ConfigurationError(f"the {what} holds a key that does not have {KEY_LENGTH} bytes")
    if len(set(key)) < _FEWEST_VALUES or all(0x20 <= octet < 0x7F for octet in key):
        raise ConfigurationError(f"the {what} holds a placeholder or a password where a random key belongs")
    return Secret(key)
