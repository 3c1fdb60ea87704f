"""The ids that tie an answer to its log lines."""

from __future__ import annotations

import secrets

__all__ = ["reference"]


def reference() -> str:
    """A new random id, 128 bits as 32 hex digits: shown to the user, logged with the details."""
    return secrets.token_hex(16)
