r"""Where a browser goes after a sign-in: a path of this origin and never another place.

Browsers read ``//host``, ``/\host`` and ``/<tab>/host`` as another origin, and proxies in front may decode
once more; so the rule is a short list of what is allowed, not a list of tricks.
"""

from __future__ import annotations

import re
from typing import NewType
from urllib.parse import unquote_to_bytes

from fankeep.errors import HostileInputError

__all__ = ["ReturnPath", "parse_return_path"]

ReturnPath = NewType("ReturnPath", str)
"""A local path with an optional query; safe as the value of a ``Location`` header."""

_MAX_LENGTH = 512
_ALLOWED = re.compile(r"/(?!/)(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_REFUSED_WHEN_DECODED = re.compile(rb"[\x00-\x20\x7f/\\%]")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def parse_return_path(value: str) -> ReturnPath:
    """Check a return path that came with a request.

    Args:
        value: for example ``/inbox?tab=unread``; at most 512 characters.

    Raises:
        HostileInputError: the value could lead anywhere else: it is not a local absolute path, has empty or
            dot segments, a fragment, a backslash, a control character, or an escape that hides one of these
            or another escape.
    """
    if len(value) > _MAX_LENGTH or not _ALLOWED.fullmatch(value):
        raise HostileInputError("return_path")
    if any(_REFUSED_WHEN_DECODED.fullmatch(unquote_to_bytes(escape)) for escape in _ESCAPE.findall(value)):
        raise HostileInputError("return_path")
    path = value.partition("?")[0]
    segments = unquote_to_bytes(path).split(b"/")[1:]
    if any(segment in {b".", b".."} for segment in segments) or b"" in segments[:-1]:
        raise HostileInputError("return_path")
    return ReturnPath(value)
