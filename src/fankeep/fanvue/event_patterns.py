"""Patterns of event types: a name, or with ``*`` for any characters, dots included."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fankeep.fanvue.event_types import EVENT_TYPES
from fankeep.fanvue.nearest import did_you_mean

__all__ = ["compiled", "near_type", "unmatched"]


def compiled(pattern: str) -> re.Pattern[str]:
    """Return what matches a whole name as the pattern says."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


def unmatched(pattern: str, *, also: Iterable[str] = ()) -> str | None:
    """Say that no known event matches, and what was probably meant.

    It is no mistake for sure: Fanvue may have events that this version does not know.

    Args:
        pattern: made of characters that a type has, and ``*``.
        also: names that are known besides those of Fanvue.

    Returns:
        One sentence; None when an event matches.
    """
    if any(map(compiled(pattern).fullmatch, (*EVENT_TYPES, *also))):
        return None
    return f"no known event matches {pattern}{near_type(pattern)}"


def near_type(pattern: str) -> str:
    """Ask whether a known type was meant, or for a pattern a group of them."""
    groups = {f"{name[:end]}.*" for name in EVENT_TYPES for end in _dots(name)} if "*" in pattern else set()
    return did_you_mean([pattern], [*EVENT_TYPES, *sorted(groups)])


def _dots(name: str) -> list[int]:
    return [place for place, char in enumerate(name) if char == "."]
