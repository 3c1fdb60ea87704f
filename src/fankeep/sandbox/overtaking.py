"""Deliveries that wait until others have arrived before them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

__all__ = ["Overtaking"]


@dataclass(slots=True, eq=False)
class _Waiting:
    endpoint_id: str
    behind: int
    passed: asyncio.Event = field(default_factory=asyncio.Event)


class Overtaking:
    """Holds deliveries back, each until a number of others to its endpoint has been sent."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    async def wait(self, endpoint_id: str, *, behind: int, longest: float) -> None:
        """Wait to be overtaken.

        Args:
            endpoint_id: where the delivery goes.
            behind: how many others go first.
            longest: seconds after which it goes all the same, since nothing may follow it.
        """
        waiting = _Waiting(endpoint_id, behind)
        self._waiting.append(waiting)
        try:
            await asyncio.wait_for(waiting.passed.wait(), longest)
        except TimeoutError:
            return
        finally:
            self._waiting.remove(waiting)

    def sent(self, endpoint_id: str) -> None:
        """Tell those who wait that a delivery to this endpoint was sent, and answered or not."""
        for waiting in self._waiting:
            if waiting.endpoint_id == endpoint_id:
                waiting.behind -= 1
                if waiting.behind <= 0:
                    waiting.passed.set()
