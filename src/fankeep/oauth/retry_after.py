"""The ``Retry-After`` header (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from fankeep.types import HttpResponse

__all__ = ["MAX_RETRY_AFTER", "parse_retry_after"]

MAX_RETRY_AFTER = 3600.0
"""A longer wait is cut to this: a wrong header must not silence a grant for a day."""

_MIN_RETRY_AFTER = 1.0
_MAX_LENGTH = 64
_DELAY_SECONDS = re.compile(r"[0-9]{1,10}")


def parse_retry_after(response: HttpResponse, *, now: float) -> float | None:
    """Read how long the server asks us to wait.

    Args:
        response: any answer.
        now: seconds since 1970, for the form that is a date.

    Returns:
        Seconds, between 1 and `MAX_RETRY_AFTER`; None when the header is missing or not readable.
    """
    text = response.headers.get("retry-after", "").strip()
    if not text or len(text) > _MAX_LENGTH:
        return None
    wait = float(text) if _DELAY_SECONDS.fullmatch(text) else _until(text, now)
    return None if wait is None else min(max(wait, _MIN_RETRY_AFTER), MAX_RETRY_AFTER)


def _until(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # "-0000" gives a time without a zone; an HTTP date is always UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
