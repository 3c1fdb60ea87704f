"""From a data key to the keys that do the work: HKDF-Expand, one output per purpose (RFC 5869 section 2.3).

A data key is 32 uniformly random bytes, which is what HKDF-Expand asks for; there is nothing to extract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from fankeep.sealing.associated_data import associated_head
from fankeep.sealing.envelope import COMMITMENT_LENGTH, FORMAT, envelope_head
from fankeep.sealing.suites import Cipher, Suite, new_cipher
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["KEY_LENGTH", "SealingKey", "derive_key", "derive_sealing_key"]

KEY_LENGTH: Final = 32
"""Bytes of a data key, of a key derived from one, and of a key-encryption key."""

# A purpose cannot contain the slash, so "fankeep/v1/" + purpose and "fankeep/v1/key/" + purpose never meet:
# HKDF gives a shorter output as the beginning of a longer one, and the two must not share a byte.
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class SealingKey:
    """One data key for one purpose, ready for use.

    It keeps what every seal needs and never changes, so that sealing a value derives nothing.

    Attributes:
        key_id: the data key's name; stands in every value that it seals.
        suite: the cipher.
        commitment: 32 bytes that no other key has; compared before a value is opened. Not secret.
    """

    key_id: KeyId
    suite: Suite
    cipher: Cipher = field(repr=False)
    commitment: bytes = field(repr=False)
    envelope_head: bytes = field(repr=False)
    associated_head: bytes = field(repr=False)


def derive_sealing_key(
    data_key: Secret[bytes], *, key_id: KeyId, purpose: str, suite: Suite = Suite.AES_256_GCM_SIV
) -> SealingKey:
    """Derive the subkey and the commitment of one purpose.

    Args:
        data_key: 32 uniformly random bytes.
        key_id: the data key's name, 1 to 64 lower-case letters, digits and hyphens.
        purpose: what the values are, for example the table they lie in.
        suite: the cipher.

    Raises:
        ValueError: the key, its name or the purpose has the wrong form.
        ConfigurationError: the suite is not available here.

    Security:
        AES-GCM and AES-GCM-SIV alone do not commit to their key: a ciphertext can be made that opens under
        two. The commitment is derived beside the subkey and settles which key a value belongs to.
    """
    okm = _expand(data_key, b"fankeep/v1/" + _purpose(purpose), KEY_LENGTH + COMMITMENT_LENGTH)
    commitment = okm[KEY_LENGTH:]
    return SealingKey(
        key_id=key_id,
        suite=suite,
        cipher=new_cipher(suite, Secret(okm[:KEY_LENGTH])),
        commitment=commitment,
        envelope_head=envelope_head(suite, key_id, commitment),
        associated_head=associated_head(FORMAT, suite, key_id),
    )


def derive_key(root: Secret[bytes], *, purpose: str) -> Secret[bytes]:
    """Derive a plain 32-byte key, for MACs and keyed digests.

    Args:
        root: 32 uniformly random bytes.
        purpose: what the key is for; two purposes give unrelated keys.

    Raises:
        ValueError: the root or the purpose has the wrong form.
    """
    return Secret(_expand(root, b"fankeep/v1/key/" + _purpose(purpose), KEY_LENGTH))


def _purpose(purpose: str) -> bytes:
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError("a purpose is 1 to 64 lower-case letters, digits, underscores and hyphens")
    return purpose.encode("ascii")


def _expand(key: Secret[bytes], info: bytes, length: int) -> bytes:
    material = key.reveal()
    if len(material) != KEY_LENGTH:
        raise ValueError(f"a key to derive from has {KEY_LENGTH} bytes")
    return HKDFExpand(SHA256(), length, info).derive(material)
