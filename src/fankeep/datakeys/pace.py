"""Long work in portions, at a pace that leaves the database to others."""

from __future__ import annotations

import asyncio
import time
from typing import Final

__all__ = ["Pace"]

_LARGEST: Final = 500
_PORTIONS_PER_SECOND: Final = 10


class Pace:
    """Holds work to a rate.

    Args:
        per_second: at most so many; None for as many as there can be.

    Attributes:
        portion: how many to take at once.
    """

    def __init__(self, per_second: float | None) -> None:
        self._per_second = per_second
        self._began = time.monotonic()
        self._done = 0
        share = _LARGEST if per_second is None else int(per_second / _PORTIONS_PER_SECOND)
        self.portion: Final = max(1, min(_LARGEST, share))

    async def took(self, count: int) -> None:
        """Count what was done, and wait until the rate allows more."""
        self._done += count
        due = 0.0 if self._per_second is None else self._done / self._per_second
        await asyncio.sleep(max(0.0, self._began + due - time.monotonic()))
