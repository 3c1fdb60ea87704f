"""From settings to services: the one place where they are made and know of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from fankeep.client import FanvueApi
from fankeep.datakeys import DataKeys
from fankeep.errors import FankeepError
from fankeep.fanvue.opt_ins import opted_in
from fankeep.inbox import BacklogGauges, DatabaseLog, Dispatcher, Handlers, Inbox, KeepLists, Puller
from fankeep.inbox.forward import Forwarder
from fankeep.instances import Instances, Loaded
from fankeep.keep.fans import open_fans
from fankeep.keep.grants import wire_grants
from fankeep.keep.reconciling import watch_for
from fankeep.keep.secret_ages import secret_ages
from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores, open_stores
from fankeep.lifecycle import Directory, Lifecycle
from fankeep.policy import DELIVERY_RETRIES
from fankeep.privacy.fans import Fans
from fankeep.privacy.retention import Retention
from fankeep.reconcile import Watch
from fankeep.secrets import parse_client_secrets
from fankeep.servicekeys import ServiceKeys
from fankeep.sessions import PendingLogins, Sessions
from fankeep.store import Database, installation
from fankeep.subscriptions import SubscriptionSecrets
from fankeep.telemetry import get_logger
from fankeep.transport import Transport
from fankeep.vault import Timing, TokenEndpoint, Vault

__all__ = ["Services", "open_services"]

_EVERY_TYPE = "*"
_PRUNE_EVERY = 600.0

log = get_logger("fankeep.keep")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that runs behind the faces of one process."""

    datakeys: DataKeys
    vault: Vault
    lifecycle: Lifecycle
    sessions: Sessions
    service_keys: ServiceKeys
    directory: Directory
    logins: PendingLogins
    inbox: Inbox
    subscriptions: SubscriptionSecrets
    dispatcher: Dispatcher
    puller: Puller | None
    backlog: BacklogGauges
    watch: Watch
    fans: Fans
    api: FanvueApi
    endpoint: TokenEndpoint
    to_app: Transport
    ready: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def open_services(
    settings: Settings, handlers: Handlers, *, events: bool = True
) -> AsyncIterator[Services]:
    """Open the databases and keys, go on with what was left open, and close it all at the end.

    Args:
        settings: of this process.
        handlers: what events go to; more may be registered later.
        events: whether this process hands events to them. Accepting new ones does not depend on it.

    Raises:
        ConfigurationError: something that the operator has to change, in one line.
    """
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings, create=True))
        await _enter(settings, stores, stack)
        services = _wired(settings, handlers, stores, stack)
        await services.vault.start()
        dispatching = (
            [asyncio.create_task(services.dispatcher.run(), name="dispatcher")]
            if events and services.puller is None
            else []
        )
        background = [
            asyncio.create_task(_now_and_then(work), name="housekeeping")
            for work in (
                services.sessions.prune,
                services.subscriptions.forget,
                secret_ages(settings, stores).check,
                _retention(settings, stores).run,
            )
        ]
        if settings.reconcile != "off":
            background.append(asyncio.create_task(services.watch.run(), name="reconcile"))
        try:
            yield services
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            # What comes in stops first, then what is under way; an answer that was received is stored.
            await services.inbox.close()
            await services.dispatcher.stop()
            await asyncio.gather(*dispatching)
            await services.vault.close()


async def _enter(settings: Settings, stores: Stores, stack: AsyncExitStack) -> None:
    """Enter this process among the living, with what it has loaded."""
    secret_names = frozenset(
        secret.name for secret in parse_client_secrets(settings.client_secret).candidates()
    )
    loaded = Loaded(frozenset(stores.kms.ids), secret_names)
    instances = Instances(stores.data)
    await instances.start(lambda: loaded)
    stack.push_async_callback(instances.close)
    # Whoever promotes a key asks the living first; one may have done so just before we were among them.
    await stores.datakeys.prove_primary()


async def _now_and_then(work: Callable[[], Awaitable[object]]) -> None:
    """Do a piece of housekeeping: delete what is over, look for what is due."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next time may go better
            log.error("housekeeping_failed", error=error)
        await asyncio.sleep(_PRUNE_EVERY)


def _retention(settings: Settings, stores: Stores) -> Retention:
    return Retention(
        stores.data, payloads_days=settings.keep_payloads_days, events_days=settings.keep_events_days
    )


def _wired(settings: Settings, handlers: Handlers, stores: Stores, stack: AsyncExitStack) -> Services:
    data, datakeys, timing = stores.data, stores.datakeys, Timing()
    transport = _transport(stack, https_only=not settings.development)
    # The app beside us may be on this machine and without TLS, in production too; nothing else may.
    to_app = _transport(stack, https_only=False)
    grants = wire_grants(
        settings,
        stores,
        transport=transport,
        token_transport=_transport(
            stack, https_only=not settings.development, keep_alive=False, connect=timing.connect
        ),
        timing=timing,
    )
    vault = grants.vault
    if settings.forward_url is not None and settings.forward_secret is not None:
        # Connections of its own: what browsers do with those of the proxy must not hold events up.
        sender = _transport(stack, https_only=False)
        handlers.on(_EVERY_TYPE)(Forwarder(sender, settings.forward_url, settings.forward_secret))
    events = DatabaseLog(data, ordered=settings.event_order == "creator")
    retries = replace(DELIVERY_RETRIES, tries=settings.event_tries)
    dispatcher = Dispatcher(
        events,
        datakeys,
        handlers,
        retries=retries,
        concurrency=settings.event_concurrency,
        timeout=settings.event_timeout,
    )
    keep = KeepLists(opted_in(settings.keep_fields))
    api = FanvueApi(transport, vault, api_url=settings.api_url)
    puller = Puller(data, datakeys, retries=retries) if settings.events == "pull" else None
    stored, wanted = (dispatcher.wake, handlers.wants) if puller is None else (puller.wake, _everything)
    return Services(
        datakeys=datakeys,
        vault=vault,
        lifecycle=grants.lifecycle,
        sessions=grants.sessions,
        service_keys=ServiceKeys(data, datakeys.installation, datakeys.ledger),
        directory=Directory(data),
        logins=PendingLogins(datakeys.installation),
        inbox=Inbox(events, datakeys, stored=stored, wanted=wanted, keep=keep),
        subscriptions=SubscriptionSecrets(data, datakeys, tolerance=settings.webhook_tolerance),
        dispatcher=dispatcher,
        fans=open_fans(settings, stores),
        puller=puller,
        backlog=BacklogGauges(data),
        watch=watch_for(settings, stores, api, stored=stored, wanted=wanted, keep=keep),
        api=api,
        endpoint=grants.endpoint,
        to_app=to_app,
        ready=lambda: _answers(data),
    )


def _everything(type_name: str) -> bool:
    """Whoever pulls wants every type."""
    del type_name
    return True


async def _answers(data: Database) -> bool:
    """Whether the database can be read; the keys were proven at the start."""
    try:
        return await data.read(installation.load) is not None
    except FankeepError:
        return False


def _transport(
    stack: AsyncExitStack, *, https_only: bool, keep_alive: bool = True, connect: float = 2.0
) -> Transport:
    transport = Transport(https_only=https_only, keep_alive=keep_alive, connect_timeout=connect)
    stack.push_async_callback(transport.close)
    return transport
