"""Moments as operators write them: an age, or a date with or without a time."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime
from typing import Final

import click

__all__ = ["iso", "moment"]

_AGE: Final = re.compile(r"([0-9]{1,6})(s|min|h|d|w)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Read the value of an option: seconds since 1970; a time without a zone is UTC."""
    if value is None:
        return None
    if age := _AGE.fullmatch(value):
        return time.time() - int(age[1]) * _SECONDS[age[2]]
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            "say how long ago, as 30min, 2h or 7d, or when, as 2026-11-29T14:00Z"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def iso(seconds: float | None) -> str | None:
    """Write seconds since 1970 as UTC to the millisecond; None for None, and for what is no time."""
    if seconds is None:
        return None
    try:
        written = datetime.fromtimestamp(math.floor(seconds * 1000) / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # somebody has written to the row
        return None
    return written.isoformat(timespec="milliseconds").replace("+00:00", "Z")
