"""When a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DELIVERY_RETRIES", "LONGEST_LEASE", "GiveUp", "RetryIn", "RetrySchedule"]

LONGEST_LEASE: Final = 3600
"""Seconds for which somebody who fetches events may keep them without a word."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Try again after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Keep it for inspection and replay; no further try by itself."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Waits that grow by a factor up to a cap, with jitter, for a limited number of tries.

    Attributes:
        first: the wait after the first failure, in seconds, before jitter.
        factor: how much longer each further wait is.
        cap: the longest wait, in seconds.
        tries: how often the work is tried in all, the first time included.
    """

    first: float
    factor: float
    cap: float
    tries: int

    def __post_init__(self) -> None:
        if not (0 < self.first <= self.cap and self.factor >= 1 and self.tries >= 1):
            raise ValueError("a schedule waits for more than nothing, never less than before, and tries once")

    def after(self, failures: int, *, jitter: float) -> RetryIn | GiveUp:
        """Decide what follows a failure.

        Args:
            failures: how often the work has failed so far, at least 1.
            jitter: a random number in [0, 1); spreads the tries over the second half of the wait, so that
                what failed together does not come back together.
        """
        if failures < 1 or not 0 <= jitter < 1:
            raise ValueError("failures start at 1 and jitter lies in [0, 1)")
        if failures >= self.tries:
            return GiveUp()
        return RetryIn(self._wait(failures) * (0.5 + jitter / 2))

    def longest(self, *, each: float) -> float:
        """Return how many seconds lie between the first try and the end of the last one, at most.

        Args:
            each: the seconds that one try takes at most.
        """
        return self.tries * each + sum(self._wait(failures) for failures in range(1, self.tries))

    def _wait(self, failures: int) -> float:
        wait = self.first
        for _ in range(failures - 1):
            wait = min(wait * self.factor, self.cap)
        return wait


DELIVERY_RETRIES = RetrySchedule(first=2.0, factor=3.0, cap=6 * 3600.0, tries=16)
"""Seconds at first, hours later: one to two days before an event becomes a dead letter."""
