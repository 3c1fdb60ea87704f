"""The sandbox as one web application: authorization server, API, control API and pages on one listener."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fankeep.fanvue.hosts import AUTHORIZE_PATH, DISCOVERY_PATH, REVOKE_PATH, TOKEN_PATH
from fankeep.fanvue.operations import OPERATIONS
from fankeep.sandbox.api import SUBSCRIPTIONS_PATH, ApiEndpoint, SubscriptionsEndpoint, openapi_document
from fankeep.sandbox.authorization import AuthorizationServer
from fankeep.sandbox.control import control_routes
from fankeep.sandbox.http import json_answer
from fankeep.sandbox.identity import IdentityEndpoint
from fankeep.sandbox.journal import Kind
from fankeep.sandbox.loopback import is_loopback_name
from fankeep.sandbox.pages import AccountPages, DeveloperPages, PageRenderer, PanelPages, avatar, style_sheet
from fankeep.sandbox.recording import Handler, recorded
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.token_endpoint import TokenEndpoint
from fankeep.sandbox.uploads import UPLOAD_PATH, UploadEndpoint
from fankeep.telemetry import get_logger

__all__ = ["sandbox_app"]

_log = get_logger("fankeep.sandbox")

_API_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def sandbox_app(sandbox: Sandbox) -> ASGIApp:
    """Build the application around a sandbox."""
    pages = PageRenderer()
    account = AccountPages(sandbox, AuthorizationServer(sandbox), pages)
    tokens = TokenEndpoint(sandbox)
    identity = IdentityEndpoint(sandbox)

    def route(path: str, kind: Kind, handler: Handler, *methods: str) -> Route:
        return Route(path, recorded(sandbox, kind, path, handler), methods=methods)

    subscriptions = SubscriptionsEndpoint(sandbox)
    subscription_routes = [
        made
        for path in (SUBSCRIPTIONS_PATH, f"/v1{SUBSCRIPTIONS_PATH}")
        for made in (
            route(path, Kind.API, subscriptions.create, "POST"),
            route(path, Kind.API, subscriptions.show, "GET"),
            route(f"{path}/{{id}}", Kind.API, subscriptions.delete, "DELETE"),
        )
    ]
    routes = [
        route(AUTHORIZE_PATH, Kind.AUTHORIZE, account.authorize, "GET"),
        route("/login", Kind.PAGE, account.show_login, "GET"),
        route("/login", Kind.PAGE, account.login, "POST"),
        route("/consent", Kind.PAGE, account.show_consent, "GET"),
        route("/consent", Kind.PAGE, account.consent, "POST"),
        route(TOKEN_PATH, Kind.TOKEN, tokens.token, "POST"),
        route(REVOKE_PATH, Kind.REVOKE, tokens.revoke, "POST"),
        route(DISCOVERY_PATH, Kind.DISCOVERY, identity.discovery, "GET"),
        route("/.well-known/jwks.json", Kind.DISCOVERY, identity.jwks, "GET"),
        route("/userinfo", Kind.USERINFO, identity.userinfo, "GET", "POST"),
        *control_routes(sandbox),
        *DeveloperPages(sandbox, pages).routes(),
        *PanelPages(sandbox, pages).routes(),
        Route("/openapi.json", _described(sandbox), methods=["GET"]),
        Route("/assets/style.css", _style, methods=["GET"]),
        Route("/assets/avatar/{uuid}.svg", _avatars(sandbox), methods=["GET"]),
        *subscription_routes,
        route(UPLOAD_PATH, Kind.UPLOAD, UploadEndpoint(sandbox).put, "PUT"),
        route("/{path:path}", Kind.API, ApiEndpoint(sandbox).call, *_API_METHODS),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(LoopbackOnly), Middleware(Dated, sandbox), Middleware(Keeping, sandbox)],
        exception_handlers={HTTPException: _unrouted, ClientDisconnect: _left, Exception: _failed},
    )


class LoopbackOnly:
    """Answers requests for this machine's loopback names only, so that no web page can reach in by DNS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_for_loopback(scope):
            refusal = json_answer({"error": "the sandbox answers on loopback names only"}, 421)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Dated:
    """Gives every answer a ``Date`` (RFC 9110 section 6.6.1) by the sandbox's clock, as wrong as that is."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._clock = sandbox.clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def date_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._clock.told(), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        await self._app(scope, receive, date_and_send)


class Keeping:
    """Writes the state down before a request that may have changed it is answered.

    The token endpoint does so itself, since some of its answers are never sent.
    """

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "GET" or scope["path"] in (TOKEN_PATH, REVOKE_PATH):
            await self._app(scope, receive, send)
            return

        async def keep_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._sandbox.keep()
            await send(message)

        await self._app(scope, receive, keep_and_send)


def _is_for_loopback(scope: Scope) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return False
    name, _, port = hosts[0].rpartition(":")
    host = name if port.isdigit() and name else hosts[0]
    return is_loopback_name(host.removeprefix("[").removesuffix("]"))


async def _unrouted(_request: Request, refusal: Exception) -> Response:
    """A path with a line break in it, or a method that no route has."""
    status = refusal.status_code if isinstance(refusal, HTTPException) else 404
    return json_answer({"message": HTTPStatus(status).phrase}, status)


async def _left(_request: Request, _error: Exception) -> Response:
    """Whoever asked has gone before the request was complete; nobody reads this."""
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    """A mistake of the sandbox itself: named in the log, without anything of the request's content."""
    _log.error("sandbox_failed", error=type(error).__name__, method=request.method)
    return json_answer({"error": "internal"}, 500)


def _described(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        scope = sandbox.settings.switches.subscription_scope
        return json_answer(
            openapi_document(OPERATIONS.values(), base_url=sandbox.base_url, subscription_scope=scope)
        )

    return endpoint


async def _style(_request: Request) -> Response:
    return style_sheet()


def _avatars(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        uuid = request.path_params["uuid"]
        person = sandbox.world.creators.get(uuid) or sandbox.world.fans.get(uuid)
        return avatar(person.display_name if person else uuid)

    return endpoint
