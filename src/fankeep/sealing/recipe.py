"""Sealing and opening one value."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag

from fankeep.errors import SealError
from fankeep.sealing.associated_data import Context, associated_data
from fankeep.sealing.envelope import MAX_PLAINTEXT, NONCE_LENGTH, Sealed, new_sealed
from fankeep.sealing.keys import SealingKey

__all__ = ["open_sealed", "seal"]


def seal(key: SealingKey, context: Context, plaintext: bytes, *, nonce: bytes) -> Sealed:
    """Encrypt a value and bind it to its place.

    Args:
        key: the sealing key of the value's purpose.
        context: where the value will lie; opening needs the very same.
        plaintext: up to 1 MiB.
        nonce: 12 random bytes, new for every call.

    Raises:
        ValueError: the nonce, the value or the context is out of bounds.

    Security:
        Take the nonce from ``os.urandom``. Nothing here can notice a nonce that was used before.
    """
    if len(nonce) != NONCE_LENGTH:
        raise ValueError(f"a nonce has {NONCE_LENGTH} bytes")
    if len(plaintext) > MAX_PLAINTEXT:
        raise ValueError(f"a value to seal has at most {MAX_PLAINTEXT} bytes")
    data = associated_data(key.associated_head, context)
    ciphertext = key.cipher.encrypt(nonce, plaintext, data)
    return new_sealed(key.envelope_head, key.suite, key.key_id, nonce, ciphertext)


def open_sealed(key: SealingKey, context: Context, sealed: Sealed) -> bytes:
    """Decrypt a value at the place where it was found.

    Raises:
        SealError: another key, another place, or changed bytes; which of them is not told.
    """
    if sealed.key_id != key.key_id or sealed.suite is not key.suite:
        raise SealError
    if not hmac.compare_digest(sealed.commitment, key.commitment):
        raise SealError
    try:
        data = associated_data(key.associated_head, context)
        return key.cipher.decrypt(sealed.nonce, sealed.ciphertext, data)
    except (InvalidTag, ValueError):
        raise SealError from None
