"""A keyed digest over several values, for rows that grant authority and for digests that must not be guessed.

Each part is written with its type and its length: ``("ab", "c")`` and ``("a", "bc")``, ``1`` and ``"1"``,
``None`` and ``""`` all give different digests.
"""

from __future__ import annotations

import hmac
from struct import Struct
from typing import Final, TypeAlias

from fankeep.hmac_sha256 import HmacSha256
from fankeep.sealing.encoding import U32
from fankeep.sealing.keys import KEY_LENGTH
from fankeep.secret import Secret

__all__ = ["Mac", "Part", "mac", "mac_matches"]

Part: TypeAlias = str | bytes | int | None

_FORMAT: Final = b"\x01"
_I64: Final = Struct(">q")
_I64_HEAD: Final = b"i" + U32.pack(_I64.size)
_NONE: Final = b"n" + U32.pack(0)


class Mac:
    """`mac` under one key, for where many digests are made: the key is made ready once.

    Raises:
        ValueError: the key is short.
    """

    __slots__ = ("_hmac",)

    def __init__(self, key: Secret[bytes]) -> None:
        material = key.reveal()
        if len(material) < KEY_LENGTH:
            raise ValueError(f"a MAC key has at least {KEY_LENGTH} bytes")
        self._hmac = HmacSha256(material)

    def __call__(self, *parts: Part) -> bytes:
        """Compute what `mac` computes, with the same errors."""
        return self._hmac.digest(_FORMAT + b"".join(map(_encoded, parts)))


def mac(key: Secret[bytes], *parts: Part) -> bytes:
    """Compute HMAC-SHA256 over typed, length-prefixed parts (RFC 2104).

    Args:
        key: 32 random bytes, of one purpose.
        parts: text, bytes, whole numbers of 64 bits, or None.

    Returns:
        32 bytes.

    Raises:
        TypeError: a part is of another type; ``bool`` and ``float`` are.
        ValueError: the key is short, a number is too large, or text is not encodable.
    """
    return Mac(key)(*parts)


def mac_matches(key: Secret[bytes], expected: bytes, *parts: Part) -> bool:
    """Tell in constant time whether a stored digest is that of these parts.

    Raises:
        TypeError: as ``mac``.
        ValueError: as ``mac``.
    """
    return hmac.compare_digest(mac(key, *parts), expected)


def _encoded(part: Part) -> bytes:
    # By exact type: True is an int to isinstance(), and a subclass could encode unlike what it shows.
    if type(part) is str:
        body = part.encode()
        return b"s%b%b" % (U32.pack(len(body)), body)
    if type(part) is bytes:
        return b"b" + U32.pack(len(part)) + part
    if type(part) is int:
        if not -(1 << 63) <= part < 1 << 63:
            raise ValueError("a number in a MAC has at most 64 bits")
        return _I64_HEAD + _I64.pack(part)
    if part is None:
        return _NONE
    raise TypeError("a part of a MAC is str, bytes, int or None")
