"""The names of subscriptions: the last part of the address that each has for itself.

A name carries a short MAC of itself. So a name that we never gave out is known without a look into the
database, and whoever sends invented ones cannot keep it busy. A name is no secret and proves nothing: it only
says which secret may have signed what came to its address.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Final

from fankeep.sealing import mac
from fankeep.secret import Secret

__all__ = ["RANDOM_BYTES", "is_name", "make_name"]

RANDOM_BYTES: Final = 16
_TAG_BYTES: Final = 6
_FORM: Final = re.compile(r"[a-z2-7]{36}")


def make_name(key: Secret[bytes], entropy: bytes) -> str:
    """Make a name of 36 lower-case letters and digits.

    Args:
        key: of the installation.
        entropy: 16 random bytes.
    """
    tag = mac(key, "subscription-name", entropy)[:_TAG_BYTES]
    return base64.b32encode(entropy + tag).decode().rstrip("=").lower()


def is_name(key: Secret[bytes], text: str) -> bool:
    """Whether ``make_name`` has made this text, with the same key."""
    if not _FORM.fullmatch(text):
        return False
    entropy = base64.b32decode(f"{text.upper()}====")[:RANDOM_BYTES]
    return hmac.compare_digest(make_name(key, entropy), text)
