"""A query string, read strictly.

Lenient readers repair what they get: they keep the first or the last of two equal names, replace bytes that
are not UTF-8, drop line breaks. Two readers then see two different callbacks. This one refuses instead.
"""

from __future__ import annotations

import re

from fankeep.errors import CallbackError

__all__ = ["MAX_QUERY_BYTES", "parse_query"]

MAX_QUERY_BYTES = 8192
_MAX_PARAMETERS = 32
_MALFORMED = "query_malformed"

_COMPONENT = re.compile(rb"(?:[A-Za-z0-9\-._~:/?@!$'()*+,;=]|%[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_query(query: bytes) -> dict[str, str]:
    """Read ``application/x-www-form-urlencoded`` parameters (RFC 6749 appendix B).

    A parameter without a value counts as omitted, and no parameter may come twice (RFC 6749 section 3.1).

    Args:
        query: what follows the question mark, as received.

    Returns:
        The parameters that have a value; unknown ones too.

    Raises:
        CallbackError: with reason ``query_malformed``: too large, a bad escape, a character that must be
            escaped, not UTF-8, a control character, an empty name, or a name that comes twice.
    """
    if not query:
        return {}
    if len(query) > MAX_QUERY_BYTES:
        raise CallbackError(_MALFORMED)
    pairs = query.split(b"&", _MAX_PARAMETERS)
    if len(pairs) > _MAX_PARAMETERS:
        raise CallbackError(_MALFORMED)
    found: dict[str, str] = {}
    for pair in pairs:
        raw_name, _, raw_value = pair.partition(b"=")
        name = _decode(raw_name)
        if not name or name in found:
            raise CallbackError(_MALFORMED)
        found[name] = _decode(raw_value)
    return {name: value for name, value in found.items() if value}


def _decode(component: bytes) -> str:
    if not _COMPONENT.fullmatch(component):
        raise CallbackError(_MALFORMED)
    octets = _ESCAPE.sub(
        lambda escape: bytes.fromhex(escape[1].decode("ascii")), component.replace(b"+", b" ")
    )
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise CallbackError(_MALFORMED) from None
    if _CONTROLS.search(text):
        raise CallbackError(_MALFORMED)
    return text
