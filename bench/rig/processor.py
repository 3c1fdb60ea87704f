"""Processor time of other processes, as the kernel counts it. On a busy machine it says more than a rate."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["busy_seconds", "family"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12  # of the fields after the name in /proc/PID/stat


def busy_seconds(pids: Iterable[int]) -> float:
    """Seconds that living processes have run, all threads together; 0 where there is no ``/proc``."""
    return sum(int(stat[_USER]) + int(stat[_SYSTEM]) for stat in map(_stat, pids) if stat) / _TICKS


def family(pid: int) -> list[int]:
    """A process and its children."""
    numbers = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [pid, *(number for number in numbers if (stat := _stat(number)) and int(stat[_PARENT]) == pid)]


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
