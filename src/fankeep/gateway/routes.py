"""Which part of the gateway answers which address: a table, matched on the path as it was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fankeep.gateway.api import API_PREFIX, ApiProxy
from fankeep.gateway.callback import Callback
from fankeep.gateway.connect import Connect
from fankeep.gateway.leave import Leave
from fankeep.gateway.refusals import MethodNotAllowed, NotFound
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.gateway.sources import Sources
from fankeep.gateway.status import Status
from fankeep.gateway.upstream import Upstream
from fankeep.gateway.webhooks import WEBHOOK_PATH, SubscriptionReceiver, WebhookReceiver

__all__ = ["Methods", "Route", "Routes", "nothing"]

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One part of the gateway.

    Attributes:
        name: for logs and metrics.
        app: answers.
        audience: whether errors become pages (for those who accept them) or JSON.
        probe: asked by machines of the operator; tells nothing, so it is answered over plain http as well.
        sums: logs what it has answered with 200 itself, in sums, in place of a line for each request.
    """

    name: str
    app: ASGIApp
    audience: Literal["people", "programs"] = "programs"
    probe: bool = False
    sums: bool = False


class Routes:
    """The gateway's addresses. What is not among them belongs to the app behind us, if there is one."""

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        connect, callback = Connect(config, services), Callback(config, services)
        leave, status = Leave(config, services), Status(services)
        sources = Sources(config.proxies)
        self._exact: Final[Mapping[bytes, Route]] = {
            b"/auth/login": _pages("login", GET=connect.page, HEAD=connect.page, POST=connect.start),
            b"/auth/callback": _pages("callback", GET=callback.finish),
            b"/auth/logout": _pages("logout", POST=leave.logout),
            b"/auth/disconnect": _pages(
                "disconnect", GET=leave.confirm, HEAD=leave.confirm, POST=leave.disconnect
            ),
            b"/auth/session": Route("session", Methods({"GET": leave.session, "HEAD": leave.session})),
            WEBHOOK_PATH: Route("webhook", WebhookReceiver(config, services, sources), sums=True),
            b"/healthz": _probe("healthz", status.health),
            b"/readyz": _probe("readyz", status.ready),
            b"/.well-known/fankeep/jwks.json": Route(
                "jwks", Methods({"GET": status.keys, "HEAD": status.keys})
            ),
        }
        self._api: Final = Route("api", ApiProxy(config, services))
        self._subscriptions: Final = Route(
            "webhook", SubscriptionReceiver(config, services, sources), sums=True
        )
        self._ours: Final = Route("none", nothing, "people")
        self._rest: Final = (
            Route("none", nothing)
            if config.upstream is None
            else Route("upstream", Upstream(config, services, config.upstream), "people")
        )

    def find(self, path: bytes) -> Route:
        """Find who answers a raw path."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        if path.startswith(API_PREFIX + b"/"):
            return self._api
        if path.startswith(WEBHOOK_PATH + b"/"):
            return self._subscriptions
        return self._ours if path.startswith(b"/auth/") else self._rest


class Methods:
    """Endpoints by method, on the bare ASGI interface."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is None:
            raise MethodNotAllowed(", ".join(self._endpoints))
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)


def _pages(name: str, **endpoints: Endpoint) -> Route:
    return Route(name, Methods(endpoints), "people")


def _probe(name: str, endpoint: Endpoint) -> Route:
    return Route(name, Methods({"GET": endpoint, "HEAD": endpoint}), probe=True)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that nothing is here."""
    del scope, receive, send
    raise NotFound("no_route")
