"""Header fields, on the way out and on the way back.

What frames a message and what concerns one connection only (RFC 9110 section 7.6.1) is the transport's own
business. A caller who could set it could make two servers read one request in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyreqwest.http import HeaderMap

__all__ = ["TRANSPORT_HEADERS", "check_headers", "readable_headers"]

TRANSPORT_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""The fields that never come from a caller."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
# RFC 9110 section 5.5 without obs-text: visible ASCII, with blanks inside only.
_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse header fields that a caller may not set or that cannot be sent as they are.

    Args:
        headers: lower-case names.

    Raises:
        ValueError: a name or value is malformed, or the field belongs to the transport.
    """
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError("a header name is malformed or not in lower case")
        if name in TRANSPORT_HEADERS:
            raise ValueError("a header belongs to the transport")
        if not _VALUE.fullmatch(value):
            raise ValueError("a header value holds characters that cannot be sent")


def readable_headers(headers: HeaderMap) -> list[tuple[str, str]]:
    """Read the header fields of an answer: lower-case names, in order, repeats kept.

    A field whose value is not visible ASCII is left out instead of failing the answer: the answer may hold
    the only copy of a token.

    Args:
        headers: the answer's fields.

    Returns:
        The fields that can be read.
    """
    try:
        return list(headers.items())
    except ValueError:
        return [pair for name in dict.fromkeys(headers.keys()) for pair in _readable(headers, name)]


def _readable(headers: HeaderMap, name: str) -> list[tuple[str, str]]:
    try:
        return [(name, value) for value in headers.getall(name)]
    except ValueError:
        return []
