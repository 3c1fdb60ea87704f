"""A position among waiting events as an opaque word for callers.

It says whose events were looked at as well: behind a position may lie what a look at fewer creators passed
over.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import Final

from fankeep.errors import HostileInputError

__all__ = ["REACH_BYTES", "cursor_of", "position_of"]

REACH_BYTES: Final = 8

_FORM: Final = struct.Struct(f">d{REACH_BYTES}s")


def cursor_of(position: float, reach: bytes) -> str:
    """Write a position.

    Args:
        position: in seconds since 1970.
        reach: ``REACH_BYTES`` that stand for the creators whose events were looked at.
    """
    return base64.urlsafe_b64encode(_FORM.pack(position, reach)).decode().rstrip("=")


def position_of(cursor: str, reach: bytes) -> float:
    """Read a position; the beginning for an empty word, and for one of another reach.

    Raises:
        HostileInputError: it is not one of ours.
    """
    if not cursor:
        return 0.0
    try:
        packed = base64.b64decode(cursor + "==", altchars=b"-_", validate=True)
        position, looked_at = _FORM.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        raise HostileInputError("cursor_malformed") from None
    if not math.isfinite(position):
        raise HostileInputError("cursor_malformed")
    return float(position) if looked_at == reach else 0.0
