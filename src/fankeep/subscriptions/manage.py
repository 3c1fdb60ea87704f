"""Making, listing and removing subscriptions at Fanvue, and what is kept of them here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fankeep.client import ApiError, FanvueApi, FanvueClient
from fankeep.datakeys import DataKeys
from fankeep.errors import AccessError, ConfigurationError, FankeepError, NotConnected, ProviderError
from fankeep.fanvue import subscriptions as fanvue
from fankeep.fanvue.subscriptions import CreatedSubscription, ListedSubscription
from fankeep.fanvue.webhook_secrets import Reading, WebhookSecret, secret_keys
from fankeep.store import Database, Transaction, trail
from fankeep.store import subscriptions as rows
from fankeep.store.subscriptions import SubscriptionRow
from fankeep.subscriptions.names import RANDOM_BYTES, make_name
from fankeep.subscriptions.records import Records
from fankeep.telemetry import get_logger
from fankeep.types import UserId

__all__ = ["Found", "Removal", "Standing", "Subscriptions"]

_GONE: Final = 404
_LEAVING: Final = 5.0

log = get_logger("fankeep.subscriptions")


class Standing(StrEnum):
    """How a subscription stands."""

    HELD = "held"
    """The secret is held here; Fanvue was not asked."""
    ACTIVE = "active"
    """Fanvue has it, and the secret is held here."""
    NOT_AT_FANVUE = "not_at_fanvue"
    """The secret is held here, and Fanvue does not have the subscription any more."""
    SECRET_NOT_HELD = "secret_not_held"  # noqa: S105  a word, not a secret
    """Fanvue has it; nothing that it sends can be verified here."""
    ENDED = "ended"
    """It was removed; the secret counts a while longer for what was on its way."""
    NOT_GENUINE = "not_genuine"
    """Somebody has written to the table; the secret does not count."""


class Removal(StrEnum):
    """What a removal did."""

    REMOVED = "removed"
    """Fanvue has deleted the subscription."""
    WAS_GONE = "was_gone"
    """Fanvue did not have it any more."""
    ENDED_HERE = "ended_here"
    """The creator is not connected, so Fanvue could not be told; what it sends will be refused."""


@dataclass(frozen=True, slots=True)
class Found:
    """One subscription, as an operator may see it.

    Attributes:
        id: Fanvue's.
        events: what it hears.
        age: seconds since it was made, for one whose secret is held here.
    """

    id: str
    user: UserId
    standing: Standing
    url: str
    events: tuple[str, ...]
    age: float | None


class Subscriptions:
    """The webhook subscriptions of an installation.

    Security:
        A signing secret goes from Fanvue's answer into its seal. Nothing returns it, prints it or logs it;
        only `secret` opens one, for a delivery of our own.
    """

    def __init__(
        self,
        database: Database,
        datakeys: DataKeys,
        api: FanvueApi,
        *,
        address: str,
        readings: Sequence[Reading],
        actor: str,
    ) -> None:
        """Say what to work with.

        Args:
            database: of the data.
            datakeys: seals the secrets.
            api: Fanvue.
            address: where deliveries go; the name of the subscription is added to it.
            readings: how a secret's text becomes a key.
            actor: who works, for the trail.
        """
        self._database = database
        self._datakeys = datakeys
        self._api = api
        self._address = address
        self._readings = readings
        self._actor = actor
        self._records = Records(datakeys)
        self._name_key = datakeys.installation.key("subscription-name")

    async def add(self, user: UserId, events: tuple[str, ...]) -> Found:
        """Make a subscription and keep its secret.

        Fanvue shows the secret once. So nothing that can be tried before waits until after; and when the
        secret could not be kept, or nobody knows whether there is a subscription now, it is deleted again by
        its address, which no other one has.

        Raises:
            ApiError: Fanvue refuses it; nothing was made.
            AccessError: the creator is not connected.
            ProviderError: Fanvue's answer is not what is known of this API.
            RetryableError: it did not work this time; ``list`` shows what may be left at Fanvue.
        """
        await self._datakeys.ensure(user)
        client = FanvueClient(self._api, user)
        name = make_name(self._name_key, os.urandom(RANDOM_BYTES))
        url = f"{self._address}/{name}"
        made: list[str] = []
        try:
            answer = await client.perform(fanvue.CREATE, body={"url": url, "events": list(events)})
            created = fanvue.read_created(answer.data)
            made.append(created.id)
            self._check(created)
            row = await self._store(user, created, name, url, events)
        except BaseException as error:  # also when somebody interrupts
            if made or not isinstance(error, (ApiError, AccessError)):
                await self._take_back(client, url, made)
            raise
        log.info("subscription_made", subscription=row.id, user=user)
        return _found(row, Standing.ACTIVE)

    async def held(self) -> list[Found]:
        """Return every subscription whose secret is held here, the oldest first. Asks nobody."""
        kept = await self._database.read(rows.every)
        return [_found(row, self._standing(row, None)) for row in kept]

    async def of(self, user: UserId) -> list[Found]:
        """Return the subscriptions of one creator, those that are held here and those at Fanvue.

        Raises:
            ApiError: Fanvue refuses to list them.
            AccessError: the creator is not connected.
            RetryableError: Fanvue or the database did not answer.
        """
        there = {one.id: one for one in await _listed(FanvueClient(self._api, user))}
        here = await self._database.read(lambda tx: rows.of_user(tx, user))
        known = [_found(row, self._standing(row, there)) for row in here]
        ids = {row.id for row in here}
        strangers = [
            Found(one.id, user, Standing.SECRET_NOT_HELD, one.url, one.events, None)
            for one in there.values()
            if one.id not in ids
        ]
        return known + strangers

    async def remove(self, subscription_id: str, user: UserId | None = None) -> Removal:
        """Delete a subscription at Fanvue; its secret counts a while longer and is forgotten then.

        In this order: a crash in between leaves one that is shown as not at Fanvue, and can be removed again.

        Args:
            subscription_id: Fanvue's.
            user: whose it is, for one whose secret is not held here.

        Raises:
            ConfigurationError: nothing of this id is known here, and no creator was named.
            ApiError: Fanvue refuses; nothing was changed.
            RetryableError: Fanvue or the database did not answer.
        """
        row = await self._database.read(lambda tx: rows.load(tx, subscription_id))
        owner = user if row is None else row.user_id
        if owner is None:
            raise ConfigurationError(
                "no subscription of this id is held here: name its creator with --creator, if it is one that "
                "only Fanvue has"
            )
        removal = await _delete(FanvueClient(self._api, owner), subscription_id, known=row is not None)
        if row is not None:
            await self._end(row, removal)
        log.info("subscription_removed", subscription=subscription_id, user=owner, outcome=removal.value)
        return removal

    async def leave(self, user: UserId) -> None:
        """Delete the subscriptions of a creator whose grant is about to end, as far as that is quick.

        Fanvue would go on sending otherwise. What could not be deleted counts no more than the grant does.
        """
        try:
            kept = await self._database.read(lambda tx: rows.of_user(tx, user))
            async with asyncio.timeout(_LEAVING):
                for row in kept:
                    if row.ended_for is None:
                        await self.remove(row.id)
        except (FankeepError, TimeoutError) as error:
            log.warning("subscription_left_at_fanvue", user=user, error=error)

    async def secret(self, subscription_id: str) -> tuple[str, WebhookSecret]:
        """Open the secret of a subscription that stands, with its address.

        Raises:
            ConfigurationError: there is none.
        """
        row = await self._database.read(lambda tx: rows.load(tx, subscription_id))
        secret = None if row is None or row.ended_for is not None else await self._records.secret(row)
        if row is None or secret is None:
            raise ConfigurationError("no living subscription of this id is held here: see `webhooks list`")
        return row.url, secret

    def _check(self, created: CreatedSubscription) -> None:
        secret = WebhookSecret("new", created.secret)
        if not any(secret_keys(secret, self._readings)):
            raise ProviderError(
                "the signing secret that Fanvue gave does not fit FANKEEP_WEBHOOK_SECRET_FORMAT"
            )

    async def _store(
        self, user: UserId, created: CreatedSubscription, name: str, url: str, events: tuple[str, ...]
    ) -> SubscriptionRow:
        now = await self._database.read(rows.clock)
        row = await self._records.row(user, created, name=name, url=url, events=events, now=now)

        async def work(tx: Transaction) -> bool:
            stored = await rows.insert(tx, row)
            if stored:
                await self._note(tx, "subscription_made", row.id, f"{len(events)} events")
            return stored

        if not await self._database.write(work):
            raise NotConnected
        return row

    async def _take_back(self, client: FanvueClient, url: str, made: Iterable[str]) -> None:
        try:
            ids = list(made) or [one.id for one in await _listed(client) if one.url == url]
            for subscription_id in ids:
                await client.perform(fanvue.DELETE, params={"id": subscription_id})
                await self._drop(subscription_id)
        except FankeepError as error:
            log.error("subscription_left_at_fanvue", error=error)

    async def _drop(self, subscription_id: str) -> None:
        """Delete what a commit that was not confirmed may have stored."""
        await self._database.write(lambda tx: rows.remove(tx, subscription_id))

    async def _end(self, row: SubscriptionRow, removal: Removal) -> None:
        await self._datakeys.ledger.note("subscription", row.id)

        async def work(tx: Transaction) -> None:
            if await rows.end(tx, row.id):
                await self._note(tx, "subscription_removed", row.id, removal.value)

        await self._database.write(work)

    async def _note(self, tx: Transaction, action: str, subject: str, outcome: str) -> None:
        await trail.note(tx, actor=self._actor, action=action, subject=subject, outcome=outcome)

    def _standing(self, row: SubscriptionRow, there: dict[str, ListedSubscription] | None) -> Standing:
        if not self._records.genuine(row):
            return Standing.NOT_GENUINE
        if row.ended_for is not None:
            return Standing.ENDED
        if there is None:
            return Standing.HELD
        return Standing.ACTIVE if row.id in there else Standing.NOT_AT_FANVUE


async def _listed(client: FanvueClient) -> list[ListedSubscription]:
    return fanvue.read_listed((await client.perform(fanvue.LIST)).data)


async def _delete(client: FanvueClient, subscription_id: str, *, known: bool) -> Removal:
    try:
        await client.perform(fanvue.DELETE, params={"id": subscription_id})
    except ApiError as error:
        if error.http_status != _GONE or not known:
            raise
        return Removal.WAS_GONE
    except AccessError:
        if not known:
            raise
        return Removal.ENDED_HERE
    return Removal.REMOVED


def _found(row: SubscriptionRow, standing: Standing) -> Found:
    return Found(row.id, row.user_id, standing, row.url, tuple(row.events.split()), row.age)
