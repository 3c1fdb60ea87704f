"""Where events are kept between the delivery and the handler; the seam behind which that can change."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from fankeep.inbox.first_facts import FirstFacts
from fankeep.store import Database, Transaction, events, families
from fankeep.store.events import ClaimedEvent, NewEvent, Settlement
from fankeep.types import UserId

__all__ = ["DatabaseLog", "EventLog"]


class EventLog(Protocol):
    """What accepting and dispatching need. Every method raises the store's errors and no others."""

    async def add(self, new: Sequence[NewEvent], *, modern: Sequence[UserId]) -> frozenset[bytes]:
        """Store a group, all or nothing; return the digests that were there before."""
        ...

    async def claim(self, *, limit: int, lease: float) -> list[ClaimedEvent]:
        """Take events that are due; nobody else gets them for ``lease`` seconds."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Record what became of claimed events; a claim that was lost is left alone."""
        ...

    async def complete(self, event: ClaimedEvent, effect: Callable[[Transaction], Awaitable[None]]) -> bool:
        """Apply an effect and mark the event as handled, both or neither; False when the claim is lost."""
        ...


class DatabaseLog:
    """The :class:`EventLog` in fankeep's own database: an effect and its mark share one transaction.

    Args:
        database: the data store.
        ordered: whether an event is taken only when no earlier one of its creator is waiting or in hand.
    """

    def __init__(self, database: Database, *, ordered: bool = False) -> None:
        self._database = database
        self._ordered = ordered
        self._first_facts = FirstFacts()

    async def add(self, new: Sequence[NewEvent], *, modern: Sequence[UserId]) -> frozenset[bytes]:
        """Store a group, all or nothing; return the digests that were there before."""
        # Once in the life of a creator; from then on it costs a read, once a process.
        noting = await self._database.read(lambda tx: families.not_noted(tx, modern)) if modern else []

        async def work(tx: Transaction) -> frozenset[bytes]:
            before = await events.insert(tx, new, modern=noting)
            if self._first_facts.concern(modern):
                await self._first_facts.tell_once(tx, new, modern)
            return before

        return await self._database.write(work, deliveries="held_up" if noting else "stored")

    async def claim(self, *, limit: int, lease: float) -> list[ClaimedEvent]:
        """Take events that are due; nobody else gets them for ``lease`` seconds."""
        name = secrets.token_hex(16)
        return await self._database.write(
            lambda tx: events.claim(tx, claim=name, limit=limit, lease=lease, ordered=self._ordered)
        )

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Record what became of claimed events; a claim that was lost is left alone."""
        await self._database.write(lambda tx: events.settle(tx, settlements))

    async def complete(self, event: ClaimedEvent, effect: Callable[[Transaction], Awaitable[None]]) -> bool:
        """Apply an effect and mark the event as handled, both or neither; False when the claim is lost."""

        async def both(tx: Transaction) -> None:
            # The mark first: it finds out whether the effect may happen at all.
            if not await events.mark_handled(tx, seq=event.seq, claim=event.claim):
                raise _ClaimLost
            await effect(tx)

        try:
            await self._database.write(both)
        except _ClaimLost:
            return False
        return True


class _ClaimLost(Exception):
    """Rolls back; does not leave this module."""
