"""The ASGI apps: every request passes here first and every failure ends here."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fankeep.errors import FankeepError, HostileInputError
from fankeep.gateway.browser import wants_page
from fankeep.gateway.failures import answer_failure
from fankeep.gateway.internal import InternalRoutes, InternalServices
from fankeep.gateway.messages import header_texts, header_values, notes, raw_path
from fankeep.gateway.refusals import ClientGone, HttpsRequired
from fankeep.gateway.routes import Route, Routes
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.telemetry import alarm, get_logger, log_fields, metrics, reference

__all__ = ["internal_app", "public_app"]

log = get_logger("fankeep.gateway")

_KNOWN_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OK: Final = 200
_SERVER_ERROR: Final = 500


def public_app(config: GatewayConfig, services: GatewayServices) -> ASGIApp:
    """Build the public face of fankeep.

    Args:
        config: how it behaves.
        services: what it works with; opened before and closed after by whoever made them.

    Returns:
        An ASGI app that never raises: whatever goes wrong becomes an answer without details, and a log line
        with them.
    """
    return _Gateway(Routes(config, services), _PublicGuard(config))


def internal_app(config: GatewayConfig, services: InternalServices) -> ASGIApp:
    """Build the internal face of fankeep, for the app's server code, bots and cron jobs.

    Args:
        config: how it behaves; the same as that of the public face.
        services: what it works with.

    Returns:
        An ASGI app that never raises, as `public_app`.

    Security:
        Serve it where the Internet does not reach it. Every address but ``/metrics``, which holds counts
        only, wants a service key.
    """
    return _Gateway(InternalRoutes(config, services), _no_guard)


class _Addresses(Protocol):
    def find(self, path: bytes) -> Route: ...


class _Gateway:
    def __init__(self, routes: _Addresses, guard: Callable[[Scope, Route], None]) -> None:
        self._routes = routes
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1003})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.find(raw_path(scope))
        answer = _Answer(send)
        began = time.perf_counter()
        with log_fields(reference=answer.reference, route=route.name):
            try:
                self._guard(scope, route)
                await route.app(scope, receive, answer)
            except ClientGone:
                log.info("client_gone")
                # Or still there and waiting: a body whose framing is broken ends in the same way.
                await _refuse(HostileInputError("body_broken"), scope, receive, answer, route)
            except FankeepError as error:
                await _fail(error, scope, receive, answer, route)
            except Exception as error:  # noqa: BLE001  the last resort: fails closed, says nothing
                alarm("unexpected_error", error=error)
                await _fail(FankeepError(), scope, receive, answer, route)
            _note(scope, route, answer.status, time.perf_counter() - began)


class _PublicGuard:
    """Refuses what came to another host or over plain http, before anything else looks at it.

    Probes are exempt: platforms ask by address, and the answer tells nothing.
    """

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config

    def __call__(self, scope: Scope, route: Route) -> None:
        if route.probe:
            return
        self._config.hosts.check(header_values(scope, b"host"))
        if not self._config.require_https:
            return
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = header_texts(scope, b"x-forwarded-proto")
        if self._config.proxies.scheme(peer, scope["scheme"], forwarded) != "https":
            raise HttpsRequired


def _no_guard(scope: Scope, route: Route) -> None:
    """Nothing before the route: under which name a program reaches us says nothing, its key does."""


class _Answer:
    """The way out of one request; knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.reference: Final = reference()
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


async def _fail(error: FankeepError, scope: Scope, receive: Receive, answer: _Answer, route: Route) -> None:
    write = log.error if error.status >= _SERVER_ERROR else log.warning
    write("request_refused", error=error)
    await _refuse(error, scope, receive, answer, route)


async def _refuse(error: FankeepError, scope: Scope, receive: Receive, answer: _Answer, route: Route) -> None:
    if answer.status is not None:
        return  # it has begun; the connection ends without the end of the body
    page = route.audience == "people" and wants_page(scope)
    response = answer_failure(error, reference=answer.reference, page=page)
    await response(scope, receive, answer)


def _note(scope: Scope, route: Route, status: int | None, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
    count, observe = _counters(route.name, (status or 0) // 100)
    count(1)
    observe(seconds)
    if not (route.sums and status == _OK):
        log.info("request", **notes(scope), method=method, status=status, seconds=round(seconds, 4))


@cache
def _counters(route: str, status_class: int) -> tuple[Callable[[float], None], Callable[[float], None]]:
    return (
        metrics.REQUESTS.adding(route=route, status=f"{status_class}xx"),
        metrics.REQUEST_SECONDS.observing(route=route),
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    """Start and stop with the server; the services have a life of their own."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
