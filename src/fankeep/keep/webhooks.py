"""Webhook subscriptions, wired for an operator's commands."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fankeep.keep.grants import open_grants
from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores
from fankeep.subscriptions import Probe, ProbeResult, Subscriptions
from fankeep.transport import Transport
from fankeep.types import UserId
from fankeep.vault import Vault
from fankeep.vault.states import ALIVE

__all__ = ["Webhooks", "open_webhooks", "probe_all"]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Subscriptions, and the way to try an address out."""

    subscriptions: Subscriptions
    probe: Probe
    vault: Vault

    async def connected(self) -> list[UserId]:
        """Return the creators whose token can be asked for, the longest connected first."""
        return [status.user for status in await self.vault.statuses() if status.state in ALIVE]


async def probe_all(
    settings: Settings, webhooks: Webhooks, subscriptions: Sequence[str]
) -> list[tuple[str, ProbeResult]]:
    """Send a sample event to the address of each subscription.

    Args:
        settings: of the installation.
        webhooks: what to work with.
        subscriptions: Fanvue's ids; none for the address of the Events tab, with each active secret.

    Returns:
        The id, or the secret's name, and what came back.

    Raises:
        ConfigurationError: an id is not held here.
    """
    if subscriptions:
        targets = [(one, *await webhooks.subscriptions.secret(one)) for one in subscriptions]
    else:
        active = [secret for secret in settings.webhook_secrets if secret.active_at(time.time())]
        targets = [(secret.name, settings.webhook_url, secret) for secret in active]
    return [(name, await webhooks.probe.send(url, secret)) for name, url, secret in targets]


@asynccontextmanager
async def open_webhooks(settings: Settings, stores: Stores, *, actor: str) -> AsyncIterator[Webhooks]:
    """Work on subscriptions beside the processes that serve.

    Args:
        settings: of the installation.
        stores: its open databases and keys.
        actor: who works, for the trail.
    """
    transport = Transport(https_only=not settings.development, keep_alive=False)
    try:
        async with open_grants(settings, stores, actor=actor) as grants:
            probe = Probe(transport, settings.webhook_secret_format[0])
            yield Webhooks(grants.subscriptions, probe, grants.vault)
    finally:
        await transport.close()
