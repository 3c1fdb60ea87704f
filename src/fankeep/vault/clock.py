"""The one clock that the vault reads itself."""

from __future__ import annotations

import time

__all__ = ["elapsed"]


def elapsed() -> float:
    """Return seconds since the machine started, sleep included.

    A suspended machine must not believe that its claim still holds, so this is the clock of the send guard
    (CLOCK_BOOTTIME). Where the system has none, the monotonic clock is the nearest.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
