"""What has to happen to a restored back-up of the data before anybody uses it.

A back-up knows nothing of what came after it: refreshes that spent its tokens, sessions that were ended,
creators and fans who were erased, service keys that were revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.store import (
    Database,
    Transaction,
    erasure,
    fan_events,
    installation,
    service_keys,
    sessions,
    subscriptions,
    users,
)
from fankeep.telemetry import get_logger
from fankeep.types import UserId
from fankeep.vault.restored import doubt_grants

__all__ = ["Settled", "settle_restored"]

_UNDER_WAY: Final = 86_400.0
"""Seconds before a back-up from which on an erasure counts as later: it may still have been under way."""

log = get_logger("fankeep.privacy")


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done, in numbers.

    Attributes:
        grants_uncertain: living grants, each to be refreshed once before it is believed.
        sessions_ended: all there were.
        creators_erased: those whose erasure was replayed.
        fans_erased: the same, of a fan of one creator.
        service_keys_revoked: those that were revoked after the back-up.
        subscriptions_removed: the same of webhook subscriptions.
    """

    grants_uncertain: int
    sessions_ended: int
    creators_erased: int
    fans_erased: int
    service_keys_revoked: int
    subscriptions_removed: int


async def settle_restored(data: Database, datakeys: DataKeys) -> Settled:
    """Make a restored back-up safe to use, in one transaction. Doing it again does no harm.

    Args:
        data: the restored database, which nobody uses yet.
        datakeys: today's keys, with today's ledger.

    Raises:
        StorageUnavailable: nothing was changed.
    """
    begun = await data.read(installation.backed_up_at)
    since = 0.0 if begun is None else begun - _UNDER_WAY
    known = await data.read(users.every)
    erased = [UserId(user) for user in await datakeys.ledger.gone("user", known, since=since)]
    indexes = [index.hex() for index in await data.read(fan_events.fans)]
    fans = [bytes.fromhex(index) for index in await datakeys.ledger.gone("fan", indexes, since=since)]
    keys = [row.id for row in await data.read(service_keys.load_all)]
    revoked = await datakeys.ledger.gone("service_key", keys)
    subscribed = [row.id for row in await data.read(subscriptions.every)]
    removed = await datakeys.ledger.gone("subscription", subscribed)

    async def work(tx: Transaction) -> Settled:
        for user in erased:
            await erasure.erase(tx, user)
        for fan in fans:
            await fan_events.erase(tx, fan)
        for key in revoked:
            await service_keys.remove(tx, key)
        for subscription in removed:
            await subscriptions.remove(tx, subscription)
        ended = await sessions.remove_every(tx)
        doubted = await doubt_grants(tx, datakeys)
        await installation.put_in_use(tx)
        return Settled(doubted, ended, len(erased), len(fans), len(revoked), len(removed))

    settled = await data.write(work)
    log.warning(
        "back_up_settled",
        grants=settled.grants_uncertain,
        sessions=settled.sessions_ended,
        erased=settled.creators_erased,
        fans_erased=settled.fans_erased,
        service_keys=settled.service_keys_revoked,
        subscriptions=settled.subscriptions_removed,
    )
    return settled
