"""Comparing one creator's history at Fanvue with the events that came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

from fankeep.client import ApiError, FanvueApi, FanvueClient
from fankeep.datakeys import DataKeys, KeyGone
from fankeep.errors import AccessError, FankeepError, RetryableError, SealError
from fankeep.fanvue import Event
from fankeep.inbox.filling import Filling
from fankeep.inbox.identity import event_id
from fankeep.inbox.payload import open_payload
from fankeep.policy import Json
from fankeep.reconcile.history import FoundMessage, Window, messages, payments
from fankeep.reconcile.patience import PatientClient
from fankeep.reconcile.report import Compared, Report
from fankeep.store import Database, reconciling, sessions, users
from fankeep.store.reconciling import StoredPayload
from fankeep.telemetry import get_logger
from fankeep.types import UserId

__all__ = ["Reconciler"]

_log = get_logger("fankeep.reconcile")

_RECEIVED: Final = "creator.message.received"
_GROUP: Final = 100
_FORBIDDEN: Final = 403
_ON_ITS_WAY: Final = 120.0
_EARLY: Final = 300.0
"""Seconds by which an event may have come before the time that the API gives: two clocks."""

_Payment: TypeAlias = "tuple[str, int]"
"""Who paid, and how many cents: all that every family's event and the API have in common."""

_PAID: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "creator.payment.succeeded": (("purchaser", "uuid"), ("gross",)),
    "checkout_link.payment.succeeded": (("purchaser", "uuid"), ("gross",)),
    "tip.new": (("sender", "uuid"), ("price",)),
    "purchase.new": (("sender", "uuid"), ("price",)),
    "subscription.new": (("sender", "uuid"), ("price",)),
}
"""Where events of payments say who paid and how much."""


class Reconciler:
    """Reads what the API tells and looks whether a webhook told it too.

    Messages have an identity that both sides share, so a missing one can be stored as if its event had come.
    Payments have none: an event that seems to be missing is reported and never made up, since money that is
    counted twice is worse than money that somebody has to look for.

    Args:
        api: how the API is reached.
        database: where events are kept.
        keys: opens what was kept of payments.
        filling: knows and stores events about messages.
        payloads_age: seconds after which events lose their payload: older payments cannot be compared.
        sleep: how to wait for the API.
    """

    def __init__(
        self,
        api: FanvueApi,
        database: Database,
        keys: DataKeys,
        filling: Filling,
        *,
        payloads_age: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._database = database
        self._keys = keys
        self._filling = filling
        self._payloads_age = payloads_age
        self._sleep = sleep

    async def everybody(self, *, since: float, fill: bool) -> AsyncIterator[Report]:
        """Compare every creator who is known, one after the other.

        Args:
            since: from when on, in seconds since 1970.
            fill: store messages that are missing, of creators whose messages webhooks do tell of: where
                none ever came, the app may not want to hear of them.

        Raises:
            StorageError: the database did not answer.
        """
        for creator in await self.creators():
            told = fill and await self._filling.hears(creator, _RECEIVED)
            yield await self.one(creator, since=since, fill=told)

    async def creators(self) -> list[UserId]:
        """Return every creator who was ever connected and is not erased.

        Raises:
            StorageError: the database did not answer.
        """
        return [UserId(user) for user in await self._database.read(users.every)]

    async def one(self, creator: UserId, *, since: float, fill: bool) -> Report:
        """Compare one creator, from when they connected up to two minutes ago.

        Of what was before no webhook was to be expected, and what is newer may still be on its way.

        Raises:
            StorageError: the database did not answer.
        """
        now = await self._database.read(sessions.clock)
        known = await self._database.read(lambda tx: users.known_since(tx, creator))
        since = max(since, now if known is None else known)
        client = PatientClient(self._api, creator, sleep=self._sleep)
        until = now - _ON_ITS_WAY
        comparable = max(since, now - self._payloads_age + _EARLY)
        return Report(
            creator,
            since,
            messages=await self._messages(client, creator, Window(since, until), fill=fill),
            payments=await self._payments(client, creator, Window(comparable, until)),
        )

    async def _messages(
        self, client: FanvueClient, creator: UserId, window: Window, *, fill: bool
    ) -> Compared:
        seen = missing = filled = 0
        try:
            async for group in _grouped(messages(client, creator, window)):
                lost = await self._filling.missing([_event(found, creator) for found in group])
                seen, missing = seen + len(group), missing + len(lost)
                if fill and lost:
                    filled += await self._filling.fill(lost)
        except _UNREADABLE as problem:
            return Compared(seen, missing, filled, _why(problem))
        return Compared(seen, missing, filled)

    async def _payments(self, client: FanvueClient, creator: UserId, window: Window) -> Compared:
        told: Counter[_Payment] = Counter()
        unread = None
        try:
            async for found in payments(client, window):
                told[found.fan, found.gross] += 1
        except _UNREADABLE as problem:
            unread = _why(problem)
        missing = told - await self._paid(creator, window.since - _EARLY) if told else told
        return Compared(told.total(), missing.total(), unread=unread)

    async def _paid(self, creator: UserId, since: float) -> Counter[_Payment]:
        """Count the payments that webhooks have told of; what two families tell is one payment."""
        stored = await self._database.read(
            lambda tx: reconciling.payloads_since(tx, creator, types=list(_PAID), since=since)
        )
        families: dict[str, Counter[_Payment]] = {}
        for row in stored:
            payment = _payment(row.type, await self._opened(creator, row))
            if payment is not None:
                families.setdefault(row.family, Counter())[payment] += 1
        same = families.get("creator", Counter()) | families.get("legacy", Counter())
        return same + families.get("checkout", Counter())

    async def _opened(self, creator: UserId, row: StoredPayload) -> dict[str, Json]:
        try:
            return await open_payload(
                self._keys,
                creator,
                event_id(row.digest),
                row.payload,
                family=row.family,
                type_name=row.type,
            )
        except (KeyGone, SealError):
            return {}


_UNREADABLE = (ApiError, AccessError, RetryableError)


def _why(problem: FankeepError) -> str:
    _log.warning("api_not_read", error=problem)
    if isinstance(problem, ApiError) and problem.answer.status == _FORBIDDEN:
        return "scope_missing"
    return problem.code


def _event(found: FoundMessage, creator: UserId) -> Event:
    """The event that should have come."""
    return Event(
        family="creator",
        type=_RECEIVED,
        id=None,
        occurred_at=found.sent_at,
        creator=creator,
        fan=found.fan,
        message_uuid=found.uuid,
        data=found.data,
    )


def _payment(kind: str, data: dict[str, Json]) -> _Payment | None:
    who, much = (_at(data, place) for place in _PAID[kind])
    return (who.lower(), much) if isinstance(who, str) and isinstance(much, int) else None


def _at(data: Json, place: tuple[str, ...]) -> Json:
    for name in place:
        data = data.get(name) if isinstance(data, dict) else None
    return data


async def _grouped(found: AsyncIterator[FoundMessage]) -> AsyncIterator[list[FoundMessage]]:
    group: list[FoundMessage] = []
    async for one in found:
        group.append(one)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group
