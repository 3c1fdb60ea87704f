"""The ciphers that a sealed value can name. Data: a further suite is a further line."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret

__all__ = ["Cipher", "Suite", "new_cipher"]

Cipher: TypeAlias = AESGCM | AESGCMSIV
"""A cipher with its key in it. All suites take a 12-byte nonce and append a 16-byte tag."""


class Suite(Enum):
    """How a value is encrypted; the number is the envelope's second byte."""

    AES_256_GCM_SIV = 1
    """RFC 8452. The one that seals: a nonce used twice reveals only that two values are equal."""

    AES_256_GCM = 2
    """NIST SP 800-38D. For where the first is not approved; a nonce used twice breaks it."""


_CIPHERS: Final[dict[Suite, type[Cipher]]] = {
    Suite.AES_256_GCM_SIV: AESGCMSIV,
    Suite.AES_256_GCM: AESGCM,
}


def new_cipher(suite: Suite, key: Secret[bytes]) -> Cipher:
    """Put a 32-byte key into the suite's cipher.

    Raises:
        ConfigurationError: the OpenSSL behind ``cryptography`` lacks the suite (GCM-SIV came with 3.2).
    """
    try:
        return _CIPHERS[suite](key.reveal())
    except UnsupportedAlgorithm:
        raise ConfigurationError(
            f"the installed OpenSSL lacks {suite.name}; use the cryptography wheels, which bring their own"
        ) from None
