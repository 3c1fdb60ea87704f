"""How the threads of a serving process take turns on the processors."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["take_turns"]


def take_turns() -> None:
    """Let no thread that wakes up push another one aside; for this thread and those that it starts.

    A server's threads wake each other for every request, and most of them then want Python's lock, which the
    one that was just pushed aside still holds. On Linux ``SCHED_BATCH`` lets a thread that works go on until
    it waits or its time is up. It takes nothing from anybody else: the share of the processor stays the same.
    Where that is not known or not allowed, everything stays as it was.
    """
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
