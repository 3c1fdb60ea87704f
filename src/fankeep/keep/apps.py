"""The ASGI apps of an installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fankeep.errors import FankeepError
from fankeep.gateway import (
    Assertions,
    GatewayConfig,
    GatewayServices,
    InternalServices,
    internal_app,
    public_app,
)
from fankeep.keep.services import Services
from fankeep.keep.settings import Settings
from fankeep.policy import HostList, TrustedProxies
from fankeep.telemetry import get_logger
from fankeep.transport.listener import AsgiApp, Message, Receive, Send

__all__ = ["Faces", "LifespanApp", "faces"]

log = get_logger("fankeep.keep")


@dataclass(frozen=True, slots=True)
class Faces:
    """The two ASGI apps of an installation, over one set of services."""

    public: AsgiApp
    internal: AsgiApp


def faces(settings: Settings, services: Services) -> Faces:
    """Return the public and the internal routes over the services."""
    config = GatewayConfig(
        public_origin=settings.public_url,
        hosts=HostList.for_origins(
            [settings.public_url, *(f"https://{host}" for host in settings.allowed_hosts)],
            development=settings.development,
        ),
        proxies=TrustedProxies(settings.trusted_proxies),
        require_https=not settings.development,
        server=services.endpoint.server,
        client=services.endpoint.client,
        operations=frozenset(settings.operation_ids),
        webhook_secrets=settings.webhook_secrets,
        webhook_tolerance=settings.webhook_tolerance,
        webhook_readings=settings.webhook_secret_format,
        upstream=settings.upstream_url,
    )
    assertions = Assertions(
        services.datakeys.installation,
        issuer=settings.public_url,
        audience=settings.upstream_url or settings.public_url,
    )
    public = GatewayServices(
        sessions=services.sessions,
        logins=services.logins,
        lifecycle=services.lifecycle,
        api=services.api,
        inbox=services.inbox,
        subscriptions=services.subscriptions,
        assertions=assertions,
        transport=services.to_app,
        ready=services.ready,
        late=services.watch.refused,
    )
    internal = InternalServices(
        public=public,
        keys=services.service_keys,
        directory=services.directory,
        tokens=services.vault,
        refresh_metrics=services.backlog.refresh,
        events=services.puller,
    )
    return Faces(public_app(config, public), internal_app(config, internal))


class _Opened(Protocol):
    """What the lifespan needs of a `Keep`."""

    @property
    def gateway(self) -> AsgiApp: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class LifespanApp:
    """The gateway as an app that opens and closes its `Keep` with the server's lifespan."""

    def __init__(self, keep: _Opened) -> None:
        self._keep = keep

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Speak ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._keep.gateway(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._keep.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
            try:
                await self._keep.start()
            except FankeepError as error:
                # Our messages name settings and never values, so the server may print this one.
                log.error("start_failed", code=error.code)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
