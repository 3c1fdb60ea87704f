"""From a committed row to its handlers, after the sender has had its answer.

A claim is a lease: the row of a process that died is taken by the next one when the lease ends. A failure is
retried on a schedule and becomes a dead letter at its end; nothing is ever dropped.
"""

from __future__ import annotations

import asyncio
import time
from secrets import SystemRandom
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.errors import RetryableError, SealError
from fankeep.fanvue import names_of_fact
from fankeep.inbox.handlers import Effect, Handler, Handlers, HandlerTimedOut, ReceivedEvent, Registration
from fankeep.inbox.identity import event_id
from fankeep.inbox.log import EventLog
from fankeep.inbox.metrics import HANDLER_SECONDS, dead
from fankeep.inbox.opening import received
from fankeep.inbox.settling import Settling
from fankeep.policy import DELIVERY_RETRIES, RetryIn, RetrySchedule
from fankeep.store import Transaction
from fankeep.store.events import ClaimedEvent, Settlement
from fankeep.telemetry import get_logger
from fankeep.telemetry.metrics import EVENTS_HANDLED

__all__ = ["Dispatcher"]

_log = get_logger("fankeep.inbox")
_random: Final = SystemRandom()

_LEASE_MARGIN: Final = 30.0
"""Seconds that a claim outlasts its handler's time-out: room for the commit of what became of it."""

_SETTLE_PAUSES: Final = (0.2, 1.0, 5.0)
"""Seconds between tries to record what became of an event, while the database does not answer."""


class Dispatcher:
    """Hands events to handlers. Several processes may run one each on the same log.

    Args:
        log: where events are kept.
        keys: opens what was sealed.
        handlers: may get more handlers while this runs.
        retries: when a failure is tried again, and when it is given up.
        concurrency: how many events are in the hands of handlers at once, at most.
        timeout: seconds that the handlers of one event have.
        poll: seconds after which it looks for events that another process accepted.
    """

    def __init__(
        self,
        log: EventLog,
        keys: DataKeys,
        handlers: Handlers | None = None,
        *,
        retries: RetrySchedule = DELIVERY_RETRIES,
        concurrency: int = 32,
        timeout: float = 30.0,
        poll: float = 1.0,
    ) -> None:
        self._log = log
        self._keys = keys
        self._handlers = handlers or Handlers()
        self._retries = retries
        self._concurrency = concurrency
        self._timeout = timeout
        self._poll = poll
        self._settling = Settling(log)
        self._running: dict[asyncio.Task[None], ClaimedEvent] = {}
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._stopping = False

    def on(self, pattern: str, *, timeout: float | None = None) -> Registration:
        """Register a handler; see :meth:`fankeep.inbox.handlers.Handlers.on`."""
        return self._handlers.on(pattern, timeout=timeout)

    def wake(self) -> None:
        """Look for events now rather than at the next poll."""
        self._awake.set()

    async def run(self) -> None:
        """Hand out events until ``stop`` is called."""
        self._ended.clear()
        try:
            while not self._stopping:
                self._awake.clear()
                if not await self._take():
                    await self._sleep()
        finally:
            self._ended.set()

    async def stop(self, *, grace: float = 10.0) -> None:
        """Take no more events, give running handlers ``grace`` seconds, and put the rest back."""
        self._stopping = True
        self._awake.set()
        await self._ended.wait()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace)
        claims = [self._running[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for claimed in claims:
            await self._record(Settlement(claimed.seq, claimed.claim, "pending", "interrupted"))

    async def _take(self) -> bool:
        """Claim as many events as there are free hands; False when there was nothing or no free hand."""
        free = self._concurrency - len(self._running)
        if free <= 0:
            return False
        try:
            batch = await self._log.claim(limit=free, lease=self._timeout + _LEASE_MARGIN)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next poll may do better
            _log.error("events_not_claimed", error=problem)
            return False
        for claimed in batch:
            task = asyncio.create_task(self._handle(claimed), name="fankeep-event")
            self._running[task] = claimed
            task.add_done_callback(self._finished)
        return bool(batch)

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(self._poll):
                await self._awake.wait()
        except TimeoutError:
            return

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._awake.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("event_task_failed", error=problem)

    async def _handle(self, claimed: ClaimedEvent) -> None:
        if not self._handlers.wants(claimed.type):
            await self._done(claimed, reason="no_handler")
        elif claimed.attempts > self._retries.tries:  # every try ended with the death of its process
            await self._dead(claimed, "crashed")
        else:
            await self._run_handlers(claimed)

    async def _run_handlers(self, claimed: ClaimedEvent) -> None:
        try:
            event = await received(self._keys, claimed)
        except SealError:
            await self._dead(claimed, "unreadable")
            return
        except RetryableError as problem:
            await self._failed(claimed, "key_unavailable", problem)
            return
        handlers = self._handlers.matching(*names_of_fact(event.type, event.data))
        if not handlers:
            await self._done(claimed, reason="no_handler")
            return
        try:
            await self._finish(claimed, await self._effects(handlers, event))
        except HandlerTimedOut as problem:
            await self._failed(claimed, "timed_out", problem)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the event is kept and tried again
            await self._failed(claimed, "handler_failed", problem)

    async def _effects(self, handlers: tuple[Handler, ...], event: ReceivedEvent) -> list[Effect]:
        limit = asyncio.timeout(self._timeout)
        began = time.perf_counter()
        try:
            async with limit:
                return [effect for handler in handlers if (effect := await handler(event))]
        except TimeoutError:
            if limit.expired():
                raise HandlerTimedOut from None
            raise  # the handler's own
        finally:
            HANDLER_SECONDS.observe(time.perf_counter() - began, family=event.family)

    async def _finish(self, claimed: ClaimedEvent, effects: list[Effect]) -> None:
        if not effects:
            await self._done(claimed)
        elif await self._log.complete(claimed, _all(effects)):
            EVENTS_HANDLED.add(outcome="handled")
        else:
            _log.warning("event_claim_lost", event_id=event_id(claimed.digest))
            EVENTS_HANDLED.add(outcome="lost_claim")

    async def _done(self, claimed: ClaimedEvent, *, reason: str | None = None) -> None:
        EVENTS_HANDLED.add(outcome="handled")
        await self._record(Settlement(claimed.seq, claimed.claim, "handled", reason))

    async def _dead(self, claimed: ClaimedEvent, reason: str) -> None:
        _log.error("event_dead", event_id=event_id(claimed.digest), type=claimed.type, reason=reason)
        EVENTS_HANDLED.add(outcome="dead")
        dead(reason)
        await self._record(Settlement(claimed.seq, claimed.claim, "dead", reason))

    async def _failed(self, claimed: ClaimedEvent, reason: str, problem: Exception) -> None:
        identifier = event_id(claimed.digest)
        _log.warning("event_failed", event_id=identifier, type=claimed.type, reason=reason, error=problem)
        next_try = self._retries.after(claimed.attempts, jitter=_random.random())
        if not isinstance(next_try, RetryIn):
            await self._dead(claimed, reason)
            return
        EVENTS_HANDLED.add(outcome="retried")
        await self._record(Settlement(claimed.seq, claimed.claim, "pending", reason, next_try.seconds))

    async def _record(self, settlement: Settlement) -> None:
        for pause in _SETTLE_PAUSES:
            try:
                await self._settling.add(settlement)
            except RetryableError:
                await asyncio.sleep(pause)
            else:
                return
        # The claim ends by itself, and the event comes again.
        _log.error("event_not_settled", seq=settlement.seq, state=settlement.state)


def _all(effects: list[Effect]) -> Effect:
    async def apply(tx: Transaction) -> None:
        for effect in effects:
            await effect(tx)

    return apply
