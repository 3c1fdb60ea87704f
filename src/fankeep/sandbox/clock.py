"""The sandbox's own clock: real time plus an offset that a test may move, plus what it is wrong by."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

from fankeep.errors import ConfigurationError

__all__ = ["SandboxClock", "iso"]

_END = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


class SandboxClock:
    """Seconds since 1970 as the sandbox sees them.

    Tokens age, rate limits refill and webhooks are signed by this clock, so a test can pass an hour in an
    instant. Delivery retries wait in real time.

    Attributes:
        skew: seconds by which the sandbox tells the wrong time. Nothing happens or expires by it.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("_offset", "skew")

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._offset = 0.0
        self.skew = 0.0

    @property
    def offset(self) -> float:
        """Seconds by which time was moved on, without the skew."""
        return self._offset

    def now(self) -> float:
        """The present, in seconds since 1970."""
        return self._real() + self._offset

    def told(self) -> float:
        """The present as the sandbox tells it, with its skew."""
        return self.now() + self.skew

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass in an instant.

        Raises:
            ConfigurationError: it would be after 2999.
        """
        if self.now() + seconds >= _END:
            raise ConfigurationError("the sandbox's clock goes up to 2999")
        self._offset += seconds


def iso(at: float) -> str:
    """Write a time the way Fanvue does: UTC with milliseconds and a ``Z``."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
