"""One attempt a grant and process, in a task of its own, for which any number of callers wait."""

from __future__ import annotations

import asyncio

from fankeep.errors import FankeepError, NotConnected, RefreshPending, RetryableError
from fankeep.store.grants import GrantRow
from fankeep.types import Generation, GrantId
from fankeep.vault.clock import elapsed
from fankeep.vault.decide import NoteGraceOver, Refuse, Send, Serve, Settle, decide
from fankeep.vault.holding import AccessToken, Holding
from fankeep.vault.observation import Observation
from fankeep.vault.refresh import Refresher
from fankeep.vault.states import State
from fankeep.vault.timing import Timing

__all__ = ["Attempts"]


class Attempts:
    """Brings grants to a good token or a final word.

    A caller's time-out or disconnect never cancels an attempt: the request may have left already, and its
    answer must be stored.
    """

    def __init__(self, holding: Holding, refresher: Refresher, timing: Timing) -> None:
        self._holding = holding
        self._refresher = refresher
        self._timing = timing
        self._running: dict[GrantId, asyncio.Task[AccessToken | FankeepError]] = {}
        self._settled_sends = 0
        self._closing = False

    async def join(self, grant: GrantId, *, forced: Generation | None = None) -> AccessToken:
        """Wait for the attempt of this grant, starting it when none is running.

        Args:
            grant: which one.
            forced: the generation whose access token the API refused, so that its expiry does not count.

        Raises:
            RefreshPending: it takes longer than a caller should wait; it goes on.
            FankeepError: the final word.
        """
        attempt = self.begin(grant, forced=forced)
        await asyncio.wait({attempt}, timeout=self._timing.join)
        if not attempt.done():
            raise RefreshPending(retry_after=1.0)
        result = attempt.result()
        if isinstance(result, FankeepError):
            raise result.with_traceback(None)
        return result

    def begin(
        self, grant: GrantId, *, forced: Generation | None = None
    ) -> asyncio.Task[AccessToken | FankeepError]:
        """Return the attempt of a grant, starting it when none is running."""
        running = self._running.get(grant)
        if running is not None:
            return running
        task = asyncio.create_task(self._run(grant, forced), name=f"refresh {grant}")
        self._running[grant] = task
        task.add_done_callback(lambda _: self._running.pop(grant, None))
        return task

    async def close(self) -> None:
        """Start nothing more and wait until every answer that was received is stored."""
        self._closing = True
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, grant: GrantId, forced: Generation | None) -> AccessToken | FankeepError:
        observation = Observation(self._timing.settle_of(grant), self._timing.watch_gap)
        settling = False
        while True:
            now = elapsed()
            try:
                row = await self._holding.by_id(grant)
                if row is None:
                    return NotConnected()
                settling = row.state == State.UNCERTAIN
                answer = await self._step(row, observation, forced, now)
            except RetryableError as error:
                if not settling:
                    return error
                # Changes may be missed while the database is away, so the watch starts anew.
                observation.interrupt()
                answer = None
                await asyncio.sleep(self._timing.watch)
            except FankeepError as error:
                return error
            if answer is not None:
                return answer

    async def _step(
        self, row: GrantRow, observation: Observation, forced: Generation | None, now: float
    ) -> AccessToken | FankeepError | None:
        """Do the next thing; None means: look again."""
        settled = observation.settled(row, now)
        match decide(row, self._timing, forced=row.generation == forced, settled=settled):
            case Serve():
                access = await self._holding.open(row, now)
                return self._shutting_down() if access is None and self._closing else access
            case Refuse(error):
                return error
            case _ if self._closing:
                return self._shutting_down()
            case Send(settled=True):
                await self._send_settled(row, observation, now)
            case Send():
                await self._refresher.attempt(row, settled=False)
            case NoteGraceOver():
                await self._refresher.note_grace_over(row)
            case Settle():
                observation.see(row, now)
                await asyncio.sleep(self._timing.watch)
            case _:
                await asyncio.sleep(self._timing.poll)
        return None

    async def _send_settled(self, row: GrantRow, observation: Observation, now: float) -> None:
        """Send past the grace; only so many at once, since nothing is lost any more by waiting."""
        if self._settled_sends >= self._timing.settled_budget:
            observation.see(row, now)
            await asyncio.sleep(self._timing.watch)
            return
        self._settled_sends += 1
        try:
            await self._refresher.attempt(row, settled=True)
        finally:
            self._settled_sends -= 1

    def _shutting_down(self) -> RefreshPending:
        return RefreshPending("this process is shutting down", retry_after=1.0)
