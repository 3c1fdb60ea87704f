"""The failures of opening and sealing that callers act on."""

from __future__ import annotations

from fankeep.errors import SealError

__all__ = ["KeyGone", "NoKey"]


class NoKey(SealError):
    """The user has no data key, so nothing can be sealed: never connected.

    Unlike any other ``SealError`` this is no sign of damage: what arrives is kept without its personal
    fields.
    """

    code = "no_key"


class KeyGone(NoKey):
    """The user's data key was destroyed: what was sealed with it cannot be opened any more."""

    code = "key_gone"
