"""Having events handled once more because an operator says so: marked on each, and on the trail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

from fankeep.inbox.identity import event_id
from fankeep.store import Database, Transaction, event_queries, events, trail
from fankeep.store.event_queries import EventFilter

__all__ = ["Batch", "Replays", "Single", "described"]

ACTION: Final = "events_replayed"
_BATCH: Final = 500

Single: TypeAlias = Literal["replayed", "unknown", "shadow"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did.

    Attributes:
        count: events that will be handled once more.
        through: the place in the sequence up to which the filter has been gone through.
    """

    count: int
    through: int


class Replays:
    """Replays events, beside running processes: they take the events as they take new ones.

    Args:
        database: where events are kept.
        actor: who asks, for the trail.
    """

    def __init__(self, database: Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor

    async def one(self, digest: bytes, *, shadow: bool, dry_run: bool = False) -> Single:
        """Replay one event, whatever became of it.

        Args:
            digest: of the event.
            shadow: also one that was set aside since the same fact came as an event of another family.
            dry_run: only say what would become of it.
        """

        async def work(tx: Transaction) -> Single:
            found = await event_queries.load(tx, digest)
            if found is None:
                return "unknown"
            if found.state == "shadow" and not shadow:
                return "shadow"
            if not dry_run:
                await events.replay(tx, digest)
                await self._note(tx, event_id(digest), "1")
            return "replayed"

        return await self._database.write(work)

    async def all(
        self, wanted: EventFilter, *, after: int = 0, done: Callable[[Batch], None] = lambda _: None
    ) -> int:
        """Replay the events that were stored when this began and are meant, the oldest first, in batches.

        Each batch is one transaction with its line on the trail. Whoever is interrupted goes on behind the
        last batch; what was replayed stays replayed.

        Args:
            wanted: which; it names a state, since the events leave it by being replayed.
            after: the place in the sequence behind which to begin.
            done: called after each batch.

        Returns:
            How many.
        """
        assert wanted.state is not None
        total = 0
        for low, high in event_queries.stretches(
            wanted, after + 1, await self._database.read(event_queries.last_seq) + 1
        ):
            begin = low
            while begin < high:
                batch = await self._batch_to_its_end(wanted, begin, high, done)
                total += batch.count
                begin = batch.through + 1
        return total

    async def _batch_to_its_end(
        self, wanted: EventFilter, low: int, high: int, done: Callable[[Batch], None]
    ) -> Batch:
        """Replay a batch and tell it, even if somebody interrupts: it is committed all the same."""
        running = asyncio.ensure_future(self._batch(wanted, low, high))
        try:
            return await asyncio.shield(running)
        finally:
            done(await running)

    async def _batch(self, wanted: EventFilter, low: int, high: int) -> Batch:
        async def work(tx: Transaction) -> Batch:
            seqs = await event_queries.replay_some(tx, wanted, low=low, high=high, limit=_BATCH)
            through = seqs[-1] if len(seqs) == _BATCH else high - 1
            if seqs:
                await self._note(tx, described(wanted), f"{len(seqs)} through {through}")
            return Batch(len(seqs), through)

        return await self._database.write(work)

    async def _note(self, tx: Transaction, subject: str, outcome: str) -> None:
        await trail.note(tx, actor=self._actor, action=ACTION, subject=subject, outcome=outcome)


def described(wanted: EventFilter) -> str:
    """A filter in one line, for the trail."""
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return " ".join(f"{name}={value}" for name, value in given.items() if value is not None)
