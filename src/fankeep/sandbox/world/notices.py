"""The numbers that Fanvue gives to what its notifications are about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NOTICES"]

NOTICES: Mapping[str, int] = MappingProxyType(
    {"comment": 6, "like": 7, "message": 9, "post": 9, "subscription": 10, "tip": 11, "follow": 12}
)
"""By what happened; a message or post was bought, a subscription is new."""
