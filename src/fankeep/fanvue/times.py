"""Times as Fanvue writes them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["as_iso", "as_seconds", "is_writable"]

_MAX_LENGTH = 40
_EARLIEST = datetime.min.replace(tzinfo=UTC).timestamp()
_END = datetime(9999, 12, 31, tzinfo=UTC).timestamp() + 86_400.0


def as_seconds(value: object) -> float | None:
    """Read an ISO 8601 time with its offset; one without could be any of 26 hours.

    Returns:
        Seconds since 1970, or None when it is no such time. That goes for one which lies outside of the years
        1 to 9999 in UTC, as ``0001-01-01T00:00:00+14:00`` does: nobody could write it again.
    """
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds = moment.timestamp()
    return seconds if is_writable(seconds) else None


def is_writable(seconds: float) -> bool:
    """Whether seconds since 1970 lie in the years 1 to 9999 of UTC, the ones that a ``datetime`` knows."""
    return _EARLIEST <= seconds < _END


def as_iso(seconds: float) -> str:
    """Write seconds since 1970 as the API takes them: to the second, in UTC.

    Raises:
        ValueError: they are not writable; whatever ``as_seconds`` returns is.
    """
    if not is_writable(seconds):
        raise ValueError("only the years 1 to 9999 can be written")
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
