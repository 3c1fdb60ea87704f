"""Recording what became of events, in groups: one commit for all that finish while another one runs."""

from __future__ import annotations

import asyncio

from fankeep.errors import FankeepError
from fankeep.inbox.log import EventLog
from fankeep.store.events import Settlement

__all__ = ["Settling"]


class Settling:
    """Writes settlements in groups. Used from one event loop."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: list[tuple[Settlement, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, settlement: Settlement) -> None:
        """Record one settlement; return after the commit.

        Raises:
            FankeepError: as the log raises it; nothing was recorded.
        """
        recorded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, recorded))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="fankeep-settling")
        await recorded

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                problem = await self._record([settlement for settlement, _ in group])
                for _, recorded in group:
                    _resolve(recorded, problem)
        finally:
            self._writer = None

    async def _record(self, settlements: list[Settlement]) -> FankeepError | None:
        try:
            await self._log.settle(settlements)
        except FankeepError as problem:
            return problem
        return None


def _resolve(recorded: asyncio.Future[None], problem: FankeepError | None) -> None:
    if recorded.done():
        return
    if problem is None:
        recorded.set_result(None)
    else:
        recorded.set_exception(problem)
