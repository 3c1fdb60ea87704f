"""Which header fields pass, in each direction, as data. What is not on a list stays behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fankeep.errors import HostileInputError
from fankeep.fanvue.limits import RATE_LIMIT_HEADER, RATE_LIMIT_REMAINING_HEADER, RATE_LIMIT_RESET_HEADER

__all__ = ["ANSWER_HEADERS", "REQUEST_HEADERS", "announced_length", "answer_headers", "request_headers"]

REQUEST_HEADERS = frozenset({"accept", "accept-language", "content-type", "idempotency-key", "if-none-match"})
"""What a caller's request may say to the API. Never cookies, and no authorization but ours."""

ANSWER_HEADERS = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "deprecation",
        "etag",
        "retry-after",
        "sunset",
        "x-fanvue-api-next-version",
        "x-request-id",
        RATE_LIMIT_HEADER,
        RATE_LIMIT_REMAINING_HEADER,
        RATE_LIMIT_RESET_HEADER,
    }
)
"""What an answer of the API may say to the caller. Bodies pass unchanged, so their length stays true."""

# RFC 9110 section 5.5 without obs-text.
_VALUE = re.compile(r"[ \t!-~]*")
_LENGTH = re.compile(r"[0-9]{1,15}")


def request_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keep what may go on of a caller's header fields; repeated fields are joined, empty ones left out.

    Args:
        headers: in any case.

    Raises:
        HostileInputError: the value of a field that would pass cannot be sent.
    """
    kept: dict[str, str] = {}
    for name, value in _listed(headers, REQUEST_HEADERS):
        if not _VALUE.fullmatch(value):
            raise HostileInputError("header_malformed")
        if text := value.strip():
            kept[name] = f"{kept[name]}, {text}" if name in kept else text
    return kept


def answer_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keep what may be shown of the API's header fields."""
    return _listed(headers, ANSWER_HEADERS)


def announced_length(headers: Iterable[tuple[str, str]]) -> int | None:
    """The length of a caller's body, when it was announced once and plainly."""
    lengths = [value for _, value in _listed(headers, frozenset({"content-length"}))]
    return int(lengths[0]) if len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) else None


def _listed(headers: Iterable[tuple[str, str]], names: frozenset[str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers if name.lower() in names]
