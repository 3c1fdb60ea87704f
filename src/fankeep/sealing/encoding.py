"""Unambiguous concatenation: every part goes after its own length."""

from __future__ import annotations

from struct import Struct

__all__ = ["U32", "U64", "length_prefixed"]

U32 = Struct(">I")
"""A length: 4 bytes, big-endian."""

U64 = Struct(">Q")
"""A generation: 8 bytes, big-endian."""


def length_prefixed(*parts: bytes) -> bytes:
    """Join parts so that no other list of parts gives the same bytes.

    Args:
        parts: each shorter than 2^32 bytes.

    Returns:
        For each part its length as 4 bytes, big-endian, and then the part.
    """
    return b"".join([piece for part in parts for piece in (U32.pack(len(part)), part)])
