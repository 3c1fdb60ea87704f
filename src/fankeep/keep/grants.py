"""The rooms around a grant, wired: for the services of a process and for an operator's commands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fankeep.client import FanvueApi
from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores
from fankeep.lifecycle import Identity, Lifecycle, LogoutPolicy
from fankeep.oauth import ClientRegistration, pinned_server
from fankeep.secrets import parse_client_secrets
from fankeep.sessions import Sessions
from fankeep.subscriptions import Subscriptions
from fankeep.transport import Transport
from fankeep.vault import Timing, TokenEndpoint, Vault

__all__ = ["Grants", "open_grants", "wire_grants"]


@dataclass(frozen=True, slots=True)
class Grants:
    """The vault, and what works on grants and sessions together."""

    vault: Vault
    endpoint: TokenEndpoint
    sessions: Sessions
    lifecycle: Lifecycle
    subscriptions: Subscriptions


def wire_grants(
    settings: Settings,
    stores: Stores,
    *,
    transport: Transport,
    token_transport: Transport,
    timing: Timing,
    actor: str = "system",
) -> Grants:
    """Make the parts; nothing is started.

    Args:
        settings: of this process.
        stores: the open databases and keys.
        transport: for the profile of who signs in.
        token_transport: for the token endpoint; without kept-alive connections.
        timing: the vault's bounds.
        actor: who works, for the trail.
    """
    endpoint = TokenEndpoint(
        token_transport,
        pinned_server(settings.issuer_url, issuer_slash_tolerated=settings.issuer_slash == "either"),
        ClientRegistration(settings.client_id, settings.redirect_uri, settings.scopes),
        parse_client_secrets(settings.client_secret),
        timing,
    )
    vault = Vault(stores.data, stores.datakeys, endpoint, timing=timing)
    sessions = Sessions(stores.data, stores.datakeys.installation)
    identity = Identity(
        transport,
        endpoint.server,
        endpoint.client,
        api_url=settings.api_url,
        accept_missing_nonce=settings.nonce == "if_present",
    )
    subscriptions = Subscriptions(
        stores.data,
        stores.datakeys,
        FanvueApi(transport, vault, api_url=settings.api_url),
        address=settings.webhook_url,
        readings=settings.webhook_secret_format,
        actor=actor,
    )
    lifecycle = Lifecycle(
        vault, endpoint, identity, sessions, LogoutPolicy(settings.logout), leaving=subscriptions.leave
    )
    return Grants(vault, endpoint, sessions, lifecycle, subscriptions)


@asynccontextmanager
async def open_grants(settings: Settings, stores: Stores, *, actor: str = "system") -> AsyncIterator[Grants]:
    """Work on grants beside the processes that serve; what is under way at the end is finished first."""
    async with AsyncExitStack() as stack:
        timing = Timing()
        transport = Transport(
            https_only=not settings.development, keep_alive=False, connect_timeout=timing.connect
        )
        stack.push_async_callback(transport.close)
        grants = wire_grants(
            settings, stores, transport=transport, token_transport=transport, timing=timing, actor=actor
        )
        stack.push_async_callback(grants.vault.close)
        yield grants
