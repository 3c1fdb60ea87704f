"""A subscription's row as it is stored: its secret sealed, what the secret speaks for under a MAC."""

from __future__ import annotations

from fankeep.datakeys import DataKeys
from fankeep.errors import SealError
from fankeep.fanvue.subscriptions import CreatedSubscription
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.sealing import Context, mac, mac_matches
from fankeep.secret import Secret
from fankeep.store.subscriptions import SubscriptionRow
from fankeep.telemetry import alarm
from fankeep.types import UserId

__all__ = ["Records"]

_TABLE = "subscriptions"


class Records:
    """Seals, opens and authenticates rows of the ``subscriptions`` table.

    Security:
        The secret is bound to the creator and to Fanvue's id of the subscription; the MAC binds name, address
        and events to the same. Whoever can write to the database can neither make a secret count for another
        creator nor move it to another address.
    """

    def __init__(self, datakeys: DataKeys) -> None:
        self._datakeys = datakeys
        self._mac_key = datakeys.installation.key("mac")

    async def row(
        self,
        user: UserId,
        created: CreatedSubscription,
        *,
        name: str,
        url: str,
        events: tuple[str, ...],
        now: float,
    ) -> SubscriptionRow:
        """Make the row of a new subscription.

        Args:
            user: whose token made it.
            created: what Fanvue answered.
            name: the last part of its address.
            url: the address.
            events: what it hears.
            now: by the database's clock.
        """
        row = SubscriptionRow(
            id=created.id,
            user_id=user,
            name=name,
            url=url,
            events=" ".join(events),
            sealed_secret=b"",
            created_at=_milliseconds(now) / 1000,
            mac=b"",
            age=0.0,
            ended_for=None,
        )
        sealed = await self._datakeys.seal(self._context(row), created.secret.reveal().encode())
        return row._replace(sealed_secret=sealed, mac=mac(self._mac_key, *_parts(row)))

    def genuine(self, row: SubscriptionRow) -> bool:
        """Whether the row says what was stored; one that does not alarms."""
        try:
            genuine = mac_matches(self._mac_key, row.mac, *_parts(row))
        except (OverflowError, ValueError):  # no time that we have stored
            genuine = False
        if not genuine:
            alarm("mac_mismatch", table=_TABLE, subscription=row.id)
        return genuine

    async def secret(self, row: SubscriptionRow) -> WebhookSecret | None:
        """Open the secret of a row, with what it speaks for; None when the row is not to be believed.

        Raises:
            KeyUnavailable: the key-encryption key cannot be used now.
        """
        if not self.genuine(row):
            return None
        try:
            value = (await self._datakeys.open(self._context(row), row.sealed_secret)).decode()
        except SealError:
            alarm("seal_failure", table=_TABLE, subscription=row.id)
            return None
        return WebhookSecret(row.name, Secret(value), f"creator:{row.user_id}")

    def _context(self, row: SubscriptionRow) -> Context:
        return self._datakeys.context(user=row.user_id, table=_TABLE, record=row.id, field="secret")


def _parts(row: SubscriptionRow) -> tuple[str | int, ...]:
    """What the row says, but for the sealed secret, which new keys seal anew, and the end."""
    return (_TABLE, row.id, row.user_id, row.name, row.url, row.events, _milliseconds(row.created_at))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
