"""HMAC-SHA256 under a key that is used again and again.

Half of the work of an HMAC over a short message is putting the key into the hash. Here the standard library
does that once, and what it made is copied for each message.
"""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

__all__ = ["HmacSha256"]


class HmacSha256:
    """HMAC-SHA256 (RFC 2104) under one key.

    It never gives up Python's global lock for messages under 2 KiB, as `hmac.digest` does for a microsecond
    of work, after which a busy event loop waits much longer until it has it back.

    Args:
        key: of any length; one of more than 64 bytes is hashed first, as the RFC has it.

    Security:
        What it keeps is as good as the key: it is not printed, and refuses to be pickled or copied.
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed: Final = hmac.new(key, digestmod="sha256")

    def digest(self, message: bytes) -> bytes:
        """Compute the 32 bytes for one message."""
        fresh = self._keyed.copy()
        fresh.update(message)
        return fresh.digest()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not pickled or copied")
