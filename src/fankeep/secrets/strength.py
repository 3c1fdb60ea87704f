"""What a secret must be to be accepted: long enough, and not something that stood in an example."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["NAME", "why_unusable"]

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""The pattern of a secret's name, which appears in logs."""

# How placeholders begin once everything but letters and digits is taken away. All are long enough that a
# random secret does not begin so.
_PLACEHOLDERS: Final = (
    "changeme",
    "changethis",
    "enteryour",
    "exampleclient",
    "examplesecret",
    "examplewebhook",
    "insertyour",
    "pasteyour",
    "placeholder",
    "putyour",
    "replaceme",
    "replacethis",
    "replacewith",
    "xxxxxx",
    "yourclient",
    "yourfanvue",
    "yoursecret",
    "yoursigning",
    "yourwebhook",
)
_TEMPLATE = re.compile(r"\$\{|\$\(|\{\{|\A\$[A-Za-z_]|\A<.*>\Z|\.\.\.", re.ASCII)
_QUOTES: Final = "\"'`"
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_SECOND_PAIR = re.compile(r"[,;][A-Za-z0-9._-]+=", re.ASCII)

# A random hexadecimal text of 24 digits has about 13 different ones; fewer than 6 is a pattern.
_FEWEST_CHARACTERS: Final = 6


def why_unusable(value: str, *, at_least: int) -> str | None:
    """Say why a value cannot be the secret that somebody was given, or None when it can.

    Args:
        value: as it was written in a setting.
        at_least: the least length, in characters.

    Returns:
        A fixed sentence that holds nothing of the value.
    """
    for wrong, complaint in _RULES:
        if wrong(value):
            return complaint
    return None if len(value) >= at_least else f"a secret has at least {at_least} characters"


def _is_invisible(value: str) -> bool:
    return _VISIBLE.fullmatch(value) is None


def _is_quoted(value: str) -> bool:
    return value[0] in _QUOTES or value[-1] in _QUOTES


def _is_several(value: str) -> bool:
    return _SECOND_PAIR.search(value) is not None


def _is_placeholder(value: str) -> bool:
    bare = re.sub(r"[^a-z0-9]", "", value.lower().removeprefix("whsec_"))
    return bare.startswith(_PLACEHOLDERS) or _TEMPLATE.search(value) is not None


def _is_pattern(value: str) -> bool:
    return len(set(value)) < _FEWEST_CHARACTERS


_RULES: Final[tuple[tuple[Callable[[str], bool], str], ...]] = (
    (_is_invisible, "a secret is made of visible ASCII characters: look for blanks and line ends"),
    (_is_quoted, "there are quotation marks around the secret: leave them out"),
    (_is_several, "there seem to be several secrets: write each on a line of its own"),
    (_is_placeholder, "this is a placeholder: put in the real secret"),
    (_is_pattern, "a secret that repeats a few characters protects nothing: put in the real one"),
)
"""What is wrong with a value; the first that applies is told."""
