"""The bytes of a sealed value.

    offset  length  what
    0       1       format, 1
    1       1       suite
    2       1       n, the length of the key id, 1 to 64
    3       n       key id: lower-case letters, digits and hyphens
    3+n     32      commitment to the key
    35+n    12      nonce
    47+n    16+     ciphertext, and in its last 16 bytes the tag

There is one way to write a value and one way to read it: no field is optional, nothing follows the
ciphertext.
"""

from __future__ import annotations

import re
from dataclasses import InitVar, dataclass
from typing import Final

from fankeep.errors import SealError
from fankeep.sealing.suites import Suite
from fankeep.types import KeyId

__all__ = [
    "COMMITMENT_LENGTH",
    "FORMAT",
    "MAX_PLAINTEXT",
    "NONCE_LENGTH",
    "Sealed",
    "envelope_head",
    "new_sealed",
    "parse_sealed",
]

FORMAT: Final = 1
COMMITMENT_LENGTH: Final = 32
NONCE_LENGTH: Final = 12
MAX_PLAINTEXT: Final = 1 << 20
"""The longest value that is sealed, in bytes; more than any webhook or token is allowed to be."""

_TAG_LENGTH: Final = 16
_KEY_ID_START: Final = 3
_FIXED_LENGTH: Final = _KEY_ID_START + COMMITMENT_LENGTH + NONCE_LENGTH + _TAG_LENGTH
_MAX_KEY_ID: Final = 64
_KEY_ID = re.compile(rb"[a-z0-9][a-z0-9-]*", re.ASCII)
_SUITES: Final = {suite.value: suite for suite in Suite}
_BRAND: Final = object()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value whose form is right. Made by ``seal`` and ``parse_sealed`` alone.

    Whether it opens is not known yet; nothing in it is secret.

    Attributes:
        data: the whole envelope, as it is stored.
        suite: the cipher it names.
        key_id: the key it names.
    """

    data: bytes
    suite: Suite
    key_id: KeyId
    brand: InitVar[object]

    def __post_init__(self, brand: object) -> None:
        if brand is not _BRAND:
            raise TypeError("a Sealed comes from seal() or parse_sealed()")

    def __bytes__(self) -> bytes:
        return self.data

    @property
    def commitment(self) -> bytes:
        """The 32 bytes by which the value says which key it was sealed with."""
        start = _KEY_ID_START + len(self.key_id)
        return self.data[start : start + COMMITMENT_LENGTH]

    @property
    def nonce(self) -> bytes:
        """The 12 bytes that the value was sealed with."""
        start = _KEY_ID_START + len(self.key_id) + COMMITMENT_LENGTH
        return self.data[start : start + NONCE_LENGTH]

    @property
    def ciphertext(self) -> bytes:
        """The encrypted value and its tag."""
        return self.data[_KEY_ID_START + len(self.key_id) + COMMITMENT_LENGTH + NONCE_LENGTH :]


def envelope_head(suite: Suite, key_id: KeyId, commitment: bytes) -> bytes:
    """Encode what stays the same as long as the key does: everything before the nonce.

    Raises:
        ValueError: the key id is not 1 to 64 lower-case letters, digits and hyphens.
    """
    name = key_id.encode("ascii", "replace")
    if len(name) > _MAX_KEY_ID or not _KEY_ID.fullmatch(name):
        raise ValueError("a key id is 1 to 64 lower-case letters, digits and hyphens")
    return bytes([FORMAT, suite.value, len(name)]) + name + commitment


def new_sealed(head: bytes, suite: Suite, key_id: KeyId, nonce: bytes, ciphertext: bytes) -> Sealed:
    """Join the parts of a value that was sealed just now."""
    return Sealed(head + nonce + ciphertext, suite, key_id, _BRAND)


def parse_sealed(data: bytes) -> Sealed:
    """Read the form of a stored value.

    Raises:
        SealError: this is not a sealed value of a known format and suite.
    """
    if not _FIXED_LENGTH < len(data) <= _FIXED_LENGTH + _MAX_KEY_ID + MAX_PLAINTEXT:
        raise SealError
    fmt, suite_number, name_length = data[0], data[1], data[2]
    suite = _SUITES.get(suite_number)
    if fmt != FORMAT or suite is None or not 1 <= name_length <= _MAX_KEY_ID:
        raise SealError
    room = len(data) - _FIXED_LENGTH - name_length
    name = data[_KEY_ID_START : _KEY_ID_START + name_length]
    if not 0 <= room <= MAX_PLAINTEXT or not _KEY_ID.fullmatch(name):
        raise SealError
    return Sealed(data, suite, KeyId(name.decode("ascii")), _BRAND)
