"""Processor time of other processes, as the kernel counts it. On a busy machine it says more than a rate."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["busy_seconds", "family", "is_running"]

_STATE, _PARENT = 0, 1  # of the fields after the name in /proc/PID/stat
_ENDED = frozenset("ZX")
_SCHEDULED = 2  # of the clocks of a process, the one that counts nanoseconds and not ticks


def busy_seconds(pids: Iterable[int]) -> float:
    """Seconds that living processes have run, all threads together; 0 where the kernel is not Linux."""
    return sum(map(_busy, pids))


def family(pid: int) -> list[int]:
    """A process and its children."""
    numbers = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [pid, *(number for number in numbers if (stat := _stat(number)) and int(stat[_PARENT]) == pid)]


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only what its parent has still to ask for."""
    stat = _stat(pid)
    return bool(stat) and stat[_STATE] not in _ENDED


def _busy(pid: int) -> float:
    try:
        return time.clock_gettime(~pid << 3 | _SCHEDULED)  # as clock_getcpuclockid(3) names it
    except OSError:
        return 0.0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
