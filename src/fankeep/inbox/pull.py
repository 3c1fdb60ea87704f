"""Events that the app fetches by itself, for apps that cannot be reached.

The database stays the truth. Fetching claims events for as long as their lease; those that are acknowledged
under their claim are handled, and the others come again, to whoever asks then.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Final, TypeAlias

from fankeep.datakeys import DataKeys
from fankeep.errors import RetryableError, SealError
from fankeep.inbox.body import event_body
from fankeep.inbox.cursor import REACH_BYTES, cursor_of, position_of
from fankeep.inbox.identity import event_id
from fankeep.inbox.metrics import dead
from fankeep.inbox.opening import received
from fankeep.policy import DELIVERY_RETRIES, RetryIn, RetrySchedule
from fankeep.sealing import Mac
from fankeep.store import Database, Transaction, event_pulls, events
from fankeep.store.event_pulls import Ack, Taken
from fankeep.store.events import ClaimedEvent, Settlement
from fankeep.telemetry import get_logger
from fankeep.telemetry.metrics import EVENTS_HANDLED
from fankeep.types import UserId

__all__ = ["Outcome", "PulledEvents", "Puller"]

_log = get_logger("fankeep.inbox")
_random: Final = SystemRandom()

_POLL: Final = 1.0
"""Seconds after which a waiting caller looks for what another process stored."""

_NOT_ACKNOWLEDGED: Final = "not_acknowledged"

_Opened: TypeAlias = dict[str, object] | Settlement


@dataclass(frozen=True, slots=True)
class PulledEvents:
    """One page.

    Attributes:
        events: in the form in which they are forwarded, each with the ``receipt`` to acknowledge it with.
        cursor: what the next look may begin behind.
    """

    events: list[dict[str, object]]
    cursor: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of acknowledgements, by the ids of their events.

    Attributes:
        lost: the lease had ended and another caller has the event, or an operator asked for it again, or
            there is no such event.
    """

    acknowledged: list[str]
    lost: list[str]


class Puller:
    """Hands events out to callers who ask. Several processes may do so on one database.

    Args:
        database: where events are kept.
        keys: opens what was sealed.
        retries: how long an event that was not acknowledged waits beyond its lease, and when it is given up.
    """

    def __init__(
        self, database: Database, keys: DataKeys, *, retries: RetrySchedule = DELIVERY_RETRIES
    ) -> None:
        self._database = database
        self._keys = keys
        self._retries = retries
        self._reaches = Mac(keys.installation.key("pull-reach"))
        self._stored = asyncio.Event()
        self._closing = False

    def wake(self) -> None:
        """Have waiting callers look now rather than at the next poll."""
        self._stored.set()
        self._stored = asyncio.Event()

    def close(self) -> None:
        """Answer waiting callers now."""
        self._closing = True
        self.wake()

    async def pull(
        self,
        *,
        cursor: str,
        limit: int,
        lease: float,
        wait: float,
        only: Collection[UserId] | None = None,
    ) -> PulledEvents:
        """Claim the events that are due.

        Args:
            cursor: of the page before; empty to begin. It spares the database looking at what was handed
                out before; when nothing is behind it, or it is of a look at other creators, the look begins
                anew, so that it hides nothing.
            limit: how many at most.
            lease: seconds in which an acknowledgement surely counts.
            wait: seconds to wait for an event when there is none.
            only: leave out what is not about one of these creators.

        Raises:
            HostileInputError: the cursor is not one of ours.
            RetryableError: the database or the key service did not answer.
            StorageError: the database is damaged.
        """
        reach = self._reach(only)
        position = position_of(cursor, reach)
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            stored = self._stored
            taken = await self._take(position, limit=limit, lease=lease, only=only)
            position = taken.position
            opened = await self._open(taken.events)
            left = deadline - asyncio.get_running_loop().time()
            if opened or (left <= 0 and not taken.given_up) or self._closing:
                return PulledEvents(opened, cursor_of(position, reach))
            if not taken.events and not taken.given_up:
                await _until(stored, min(left, _POLL))

    async def acknowledge(self, receipts: Sequence[tuple[str, str]]) -> Outcome:
        """Mark events as handled.

        Args:
            receipts: the id of each event, and the receipt that came with it.

        Raises:
            RetryableError: the database did not answer; the same acknowledgement may be repeated.
            StorageError: the database is damaged.
        """
        acks = {Ack(bytes.fromhex(identifier), claim) for identifier, claim in receipts}
        done = await self._database.write(lambda tx: event_pulls.acknowledge(tx, list(acks)))
        named = dict.fromkeys(identifier for identifier, _ in receipts)
        lost = [identifier for identifier in named if bytes.fromhex(identifier) not in done]
        EVENTS_HANDLED.add(len(named) - len(lost), outcome="handled")
        if lost:
            EVENTS_HANDLED.add(len(lost), outcome="lost_claim")
            _log.warning("event_claims_lost", count=len(lost))
        return Outcome([identifier for identifier in named if identifier not in set(lost)], lost)

    async def _take(
        self, position: float, *, limit: int, lease: float, only: Collection[UserId] | None
    ) -> Taken:
        def seconds(attempts: int) -> float | None:
            return self._lease(lease, attempts)

        async def look(tx: Transaction) -> Taken:
            return await event_pulls.take(
                tx,
                claim=secrets.token_hex(16),
                limit=limit,
                lease=seconds,
                reason=_NOT_ACKNOWLEDGED,
                position=position,
                creators=only,
            )

        taken = await self._database.write(look)
        if taken.given_up:
            _log.error("events_dead", count=taken.given_up, reason=_NOT_ACKNOWLEDGED)
            dead(_NOT_ACKNOWLEDGED, taken.given_up)
        elif not taken.events and position:
            return await self._take(0.0, limit=limit, lease=lease, only=only)
        return taken

    def _reach(self, only: Collection[UserId] | None) -> bytes:
        """Whose events are looked at, in a form that names nobody."""
        return self._reaches(None if only is None else len(only), *sorted(only or ()))[:REACH_BYTES]

    def _lease(self, lease: float, attempts: int) -> float | None:
        """Seconds until an event comes again: of one that keeps failing, longer each time."""
        if attempts == 0:
            return lease
        wait = self._retries.after(attempts, jitter=_random.random())
        return max(lease, wait.seconds) if isinstance(wait, RetryIn) else None

    async def _open(self, claimed: Sequence[ClaimedEvent]) -> list[dict[str, object]]:
        opened = await asyncio.gather(*(self._opened(one) for one in claimed))
        settlements = [one for one in opened if isinstance(one, Settlement)]
        if settlements:
            await self._database.write(lambda tx: events.settle(tx, settlements))
        return [one for one in opened if isinstance(one, dict)]

    async def _opened(self, claimed: ClaimedEvent) -> _Opened:
        try:
            event = await received(self._keys, claimed)
            return {**event_body(event), "attempt": event.attempt, "receipt": claimed.claim}
        except SealError:
            return _dead(claimed, "unreadable")
        except RetryableError as problem:
            return self._failed(claimed, "key_unavailable", problem)
        except Exception as problem:  # noqa: BLE001 - one event that nobody foresaw must not cost the page
            return self._failed(claimed, "unreadable", problem)

    def _failed(self, claimed: ClaimedEvent, reason: str, problem: Exception) -> Settlement:
        _log.warning("event_failed", event_id=event_id(claimed.digest), reason=reason, error=problem)
        wait = self._retries.after(claimed.attempts, jitter=_random.random())
        if isinstance(wait, RetryIn):
            return Settlement(claimed.seq, claimed.claim, "pending", reason, wait.seconds)
        return _dead(claimed, reason)


def _dead(claimed: ClaimedEvent, reason: str) -> Settlement:
    _log.error("event_dead", event_id=event_id(claimed.digest), type=claimed.type, reason=reason)
    dead(reason)
    return Settlement(claimed.seq, claimed.claim, "dead", reason)


async def _until(stored: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stored.wait()
    except TimeoutError:
        return
