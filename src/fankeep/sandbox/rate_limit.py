"""A bucket of calls for each app and user, refilled at the end of each window."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from fankeep.fanvue.limits import RATE_LIMIT_HEADER, RATE_LIMIT_REMAINING_HEADER, RATE_LIMIT_RESET_HEADER

__all__ = ["Allowance", "RateLimiter", "exhausted"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a call was told about its bucket.

    Attributes:
        reset: when the bucket is full again, in seconds since 1970.
        wait: seconds until then.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    wait: int

    def told(self, skew: float) -> Allowance:
        """The same, by a clock that is wrong by so many seconds."""
        return replace(self, reset=math.ceil(self.reset + skew))

    @property
    def headers(self) -> dict[str, str]:
        """The fields of the answer; ``Retry-After`` on a refusal only."""
        fields = {
            RATE_LIMIT_HEADER: str(self.limit),
            RATE_LIMIT_REMAINING_HEADER: str(self.remaining),
            RATE_LIMIT_RESET_HEADER: str(self.reset),
        }
        return fields if self.allowed else {**fields, "retry-after": str(self.wait)}


def exhausted(limit: int, *, wait: float, now: float) -> Allowance:
    """What a call is told whose bucket is empty for so many seconds more."""
    return Allowance(
        allowed=False, limit=limit, remaining=0, reset=math.ceil(now + wait), wait=math.ceil(wait)
    )


class RateLimiter:
    """Counts calls.

    Args:
        limit: calls in a window.
        window: seconds.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("_buckets",)

    def __init__(self, *, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._buckets: dict[str, tuple[float, int]] = {}

    def take(self, key: str, *, now: float) -> Allowance:
        """Count a call against a bucket."""
        reset, used = self._buckets.get(key, (0.0, 0))
        if now >= reset:
            reset, used = now + self._window, 0
        allowed = used < self._limit
        used += allowed
        self._buckets[key] = (reset, used)
        return Allowance(
            allowed=allowed,
            limit=self._limit,
            remaining=self._limit - used,
            reset=math.ceil(reset),
            wait=max(1, math.ceil(reset - now)),
        )
