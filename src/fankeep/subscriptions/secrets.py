"""Which secret may have signed what comes to a subscription's address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.store import Database
from fankeep.store import subscriptions as rows
from fankeep.subscriptions.names import is_name
from fankeep.subscriptions.records import Records

__all__ = ["OVERLAP", "SubscriptionSecrets"]

OVERLAP: Final = 3_600.0
"""Seconds, beside the tolerance, for which the secret of a removed subscription still counts: what was on its
way is tried again for a while. How long Fanvue tries is not documented."""

_FRESH: Final = 10.0
_FRESH_NOTHING: Final = 1.0
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Held:
    secrets: tuple[WebhookSecret, ...]
    until: float


class SubscriptionSecrets:
    """The secrets of subscriptions, one address at a time. Used from one event loop.

    One delivery is tried against one secret, however many subscriptions there are. What was read counts for
    10 seconds, that there is nothing for one: another process may just have made the subscription.

    Security:
        Fails closed: no secret for an address that is not ours, for a subscription that was removed longer
        ago than the overlap, for a creator who was erased or whose connection was ended, and for a row that
        does not say what was stored.
    """

    def __init__(
        self,
        database: Database,
        datakeys: DataKeys,
        *,
        tolerance: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Say where they are.

        Args:
            database: of the data.
            datakeys: opens the secrets.
            tolerance: seconds that the signing time of a delivery may be off.
            clock: seconds that never go back.
        """
        self._database = database
        self._records = Records(datakeys)
        self._name_key = datakeys.installation.key("subscription-name")
        self._overlap = tolerance + OVERLAP
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._looks: dict[str, asyncio.Task[_Held]] = {}

    async def of(self, name: str) -> tuple[WebhookSecret, ...]:
        """Return what may have signed a delivery to the address with this name.

        Raises:
            StorageUnavailable: the database did not answer.
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        held = self._held.get(name)
        if held is not None and self._clock() < held.until:
            return held.secrets
        if not is_name(self._name_key, name):
            return ()
        look = self._looks.get(name)
        if look is None:  # of several deliveries one looks, in a task: its sender may leave
            look = self._looks[name] = asyncio.create_task(self._look(name))
            look.add_done_callback(lambda done: self._looked(name, done))
        return (await asyncio.shield(look)).secrets

    async def forget(self) -> int:
        """Delete the secrets of subscriptions that were removed longer ago than the overlap."""
        return await self._database.write(lambda tx: rows.forget(tx, overlap=self._overlap))

    def _looked(self, name: str, look: asyncio.Task[_Held]) -> None:
        del self._looks[name]
        if not look.cancelled():
            look.exception()  # seen, also when every sender has left

    async def _look(self, name: str) -> _Held:
        row = await self._database.read(lambda tx: rows.speaking(tx, name, overlap=self._overlap))
        secret = None if row is None else await self._records.secret(row)
        secrets = () if secret is None else (secret,)
        if len(self._held) >= _MOST:
            self._held.clear()
        held = _Held(secrets, self._clock() + (_FRESH if secrets else _FRESH_NOTHING))
        self._held[name] = held
        return held
