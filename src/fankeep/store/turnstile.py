"""A fair lock between processes, made of two ``flock`` files.

One ``flock`` alone is unfair: a process that releases it and takes it again at once wins against the one
that the kernel is still waking up. Here a process takes the *turn*, then the *lock*, then gives the turn
back. While somebody waits for the lock it holds the turn, so that whoever comes back has to queue behind it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

__all__ = ["Turnstile"]


class Turnstile:
    """Held inside ``with``; waits without a limit. The kernel releases it when the process dies.

    One thread uses one instance.

    Args:
        beside: the database file; the two lock files get its name with ``-turn`` and ``-lock``.
    """

    __slots__ = ("_lock", "_turn")

    def __init__(self, beside: Path) -> None:
        self._turn = _open(beside.with_name(beside.name + "-turn"))
        try:
            self._lock = _open(beside.with_name(beside.name + "-lock"))
        except OSError:
            os.close(self._turn)
            raise

    def __enter__(self) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close both files."""
        os.close(self._turn)
        os.close(self._lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
