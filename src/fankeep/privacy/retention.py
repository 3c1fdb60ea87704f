"""Events lose what is personal after days, and go after weeks; what was done is recorded."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Final

from fankeep.store import Database, Transaction, deletions, retention, trail
from fankeep.store.deletions import Deletion
from fankeep.telemetry import get_logger
from fankeep.telemetry.metrics import EVENTS_EXPIRED

__all__ = ["Expired", "Retention"]

_DAY: Final = 86_400.0
_BATCH: Final = 500
_LOOK_BACK: Final = _DAY
"""Seconds: messages that were deleted since then are gone through at each run. Two transactions of PostgreSQL
that run at the same moment do not see each other: one can store a message while the other deletes it."""

log = get_logger("fankeep.privacy")


@dataclass(frozen=True, slots=True)
class Expired:
    """What one run has done, in numbers of events.

    Attributes:
        emptied: lost their payload by age.
        emptied_of_deleted: lost it since they were stored at the moment when their message was deleted.
        removed: gone, in whatever state.
        pending: of those, that were never handled.
        dead: of those, that were dead letters.
    """

    emptied: int
    emptied_of_deleted: int
    removed: int
    pending: int
    dead: int


class Retention:
    """Empties and deletes events by the database's clock. Several processes may do it at once.

    Args:
        data: the data database.
        payloads_days: how long what is personal is kept.
        events_days: how long a repeat of an event is known.
        batch: how many events a transaction takes at most.
    """

    def __init__(
        self, data: Database, *, payloads_days: float, events_days: float, batch: int = _BATCH
    ) -> None:
        self._data = data
        self._payloads_age = payloads_days * _DAY
        self._events_age = events_days * _DAY
        self._batch = batch

    async def run(self) -> Expired:
        """Empty and delete all that is old enough, batch by batch; a line on the trail says what was done.

        Raises:
            StorageUnavailable: some of it is left for the next run.
        """
        done: Counter[str] = Counter()
        try:
            await self._expire(done)
        finally:
            await self._record(done)
        return Expired(**{field.name: done[field.name] for field in fields(Expired)})

    async def _expire(self, done: Counter[str]) -> None:
        """Do it, and count what was committed."""

        async def empty(tx: Transaction) -> Counter[str]:
            return Counter(emptied=await retention.empty(tx, age=self._payloads_age, limit=self._batch))

        async def remove(tx: Transaction) -> Counter[str]:
            states = await retention.remove(tx, age=self._events_age, limit=self._batch)
            return Counter(removed=len(states), pending=states.count("pending"), dead=states.count("dead"))

        async def repair(tx: Transaction) -> Counter[str]:
            return Counter(repaired=await retention.repair(tx, limit=self._batch))

        async for batch in self._batches(repair, "repaired"):
            if batch["repaired"]:
                log.warning("events_from_the_future", **batch)
        async for batch in self._batches(empty, "emptied"):
            done.update(batch)
        async for batch in self._batches(remove, "removed"):
            done.update(batch)
        await self._empty_deleted(done)
        await self._data.write(lambda tx: retention.forget_deletions(tx, age=self._events_age))
        await self._data.write(lambda tx: retention.forget_fillings(tx, age=self._events_age))

    async def _empty_deleted(self, done: Counter[str]) -> None:
        """Empty what was stored beside the deletion of its message."""
        gone: list[Deletion] = []

        async def following(tx: Transaction) -> list[Deletion]:
            after = gone[-1].message_index if gone else b""
            return await deletions.since(tx, age=_LOOK_BACK, after=after, limit=self._batch)

        while gone := await self._data.read(following):
            done["emptied_of_deleted"] += await self._data.write(lambda tx: deletions.empty(tx, gone))

    async def _batches(
        self, step: Callable[[Transaction], Awaitable[Counter[str]]], what: str
    ) -> AsyncIterator[Counter[str]]:
        """Repeat a step until it finds less than a batch, and leave others as much time as it took."""
        while True:
            begun = time.monotonic()
            batch = await self._data.write(step)
            yield batch
            if batch[what] < self._batch:
                return
            await asyncio.sleep(time.monotonic() - begun)

    async def _record(self, done: Counter[str]) -> None:
        numbers = {name: number for name, number in done.items() if number}
        if not numbers:
            return
        unhandled = done["pending"] + done["dead"]
        EVENTS_EXPIRED.add(done["emptied"], what="payload")
        EVENTS_EXPIRED.add(done["emptied_of_deleted"], what="payload_of_deleted")
        EVENTS_EXPIRED.add(done["removed"] - unhandled, what="event")
        EVENTS_EXPIRED.add(done["pending"], what="event_pending")
        EVENTS_EXPIRED.add(done["dead"], what="event_dead")
        (log.warning if unhandled else log.info)("events_expired", **numbers)
        outcome = " ".join(f"{name}={number}" for name, number in numbers.items())
        await self._data.write(
            lambda tx: trail.note(
                tx, actor="system", action="events_expired", subject="events", outcome=outcome
            )
        )
