"""What was probably meant by a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

__all__ = ["did_you_mean"]

_LONGEST: Final = 120


def did_you_mean(given: Iterable[str], known: Iterable[str]) -> str:
    """Ask whether known names were meant by unknown ones.

    Returns:
        The end of a sentence, made of known names alone; empty when none is near.
    """
    names = list(known)
    near = [
        match
        for name in given
        if name not in names
        for match in difflib.get_close_matches(name[:_LONGEST], names, n=1)
    ]
    return f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
