"""The internal listener's addresses: for the app's server code, bots and cron jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fankeep.client import TokenSource
from fankeep.errors import HostileInputError
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.routes import Match
from fankeep.gateway.api import ApiCalls, require_api_method
from fankeep.gateway.browser import query_of
from fankeep.gateway.callers import Callers, KeyService
from fankeep.gateway.connection import connection
from fankeep.gateway.messages import raw_path
from fankeep.gateway.pulling import EventQueue, Pulling
from fankeep.gateway.refusals import NotCovered
from fankeep.gateway.routes import Methods, Route, nothing
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.policy import api_headers
from fankeep.servicekeys import Reach, ServiceKey
from fankeep.telemetry import get_logger, metrics
from fankeep.types import UserId

__all__ = ["InternalRoutes", "InternalServices", "UserDirectory"]

log = get_logger("fankeep.gateway")

_SESSION_CALL: Final = re.compile(rb"/internal/v1/session/fanvue(/.*)", re.DOTALL)
_USER_CALL: Final = re.compile(rb"/internal/v1/users/([^/]*)/fanvue(/.*)", re.DOTALL)
_USER_TOKEN: Final = re.compile(rb"/internal/v1/users/([^/]*)/access-token")
_PAGE: Final = 100


class UserDirectory(Protocol):
    """The creators of the installation; ``fankeep.lifecycle.Directory``."""

    async def page(self, after: str, limit: int, *, only: Collection[UserId] | None = None) -> list[UserId]:
        """The next creators in the order of their ids."""


@dataclass(frozen=True, slots=True)
class InternalServices:
    """The services behind the internal face.

    Attributes:
        public: what it shares with the public face.
        tokens: where access tokens come from.
        refresh_metrics: counts what is only counted when somebody looks.
        events: events that wait to be fetched; None where they go to handlers.
    """

    public: GatewayServices
    keys: KeyService
    directory: UserDirectory
    tokens: TokenSource
    refresh_metrics: Callable[[], Awaitable[None]]
    events: EventQueue | None = None


class InternalRoutes:
    """Who answers which address."""

    def __init__(self, config: GatewayConfig, services: InternalServices) -> None:
        internal = _Internal(config, services)
        pulling = Pulling(config, Callers(services.keys, services.public.sessions), services.events)
        self._exact: Final[Mapping[bytes, Route]] = {
            b"/internal/v1/session": Route("internal", Methods({"GET": internal.session})),
            b"/internal/v1/users": Route("internal", Methods({"GET": internal.users})),
            b"/internal/v1/events": Route("internal", Methods({"GET": pulling.fetch})),
            b"/internal/v1/events/ack": Route("internal", Methods({"POST": pulling.acknowledge})),
            b"/metrics": Route("metrics", Methods({"GET": internal.metrics})),
        }
        self._patterns: Final = (
            (_SESSION_CALL, Route("internal", internal.call_as_session)),
            (_USER_CALL, Route("internal", internal.call_as_user)),
            (_USER_TOKEN, Route("internal", Methods({"POST": internal.access_token}))),
        )
        self._rest: Final = Route("none", nothing)

    def find(self, path: bytes) -> Route:
        """Find who answers a raw path."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((route for pattern, route in self._patterns if pattern.fullmatch(path)), self._rest)


class _Internal:
    """The endpoints.

    Security:
        In this order: a good service key, a creator that it covers, an operation on the app's list and on
        the key's. A session is that of the one browser whose cookie the app passes on.
    """

    def __init__(self, config: GatewayConfig, services: InternalServices) -> None:
        self._config = config
        self._lifecycle = services.public.lifecycle
        self._directory = services.directory
        self._tokens = services.tokens
        self._refresh_metrics = services.refresh_metrics
        self._callers = Callers(services.keys, services.public.sessions)
        self._calls = ApiCalls(config, services.public)

    async def session(self, request: Request) -> Response:
        """Whose session came with the request, and what the connection covers."""
        key = await self._callers.key(request.scope)
        user = await self._callers.of_session(request.scope, key)
        return _answer(await self._connection(user))

    async def users(self, request: Request) -> Response:
        """The creators that the key covers, in pages."""
        key = await self._callers.key(request.scope)
        if key.permissions.reach is Reach.SESSION:
            raise NotCovered("user")
        after = query_of(request.scope).get("after", "")
        if after and as_uuid(after) != after:
            raise HostileInputError("after_malformed")
        only = key.permissions.listed if key.permissions.reach is Reach.LISTED else None
        found = await self._directory.page(after, _PAGE, only=only)
        return _answer(
            {
                "users": [await self._connection(user) for user in found],
                "next": found[-1] if len(found) == _PAGE else None,
            }
        )

    async def call_as_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the API as the creator whose session came with the request."""
        require_api_method(scope)
        key = await self._callers.key(scope)
        user = await self._callers.of_session(scope, key)
        (path,) = _parts(_SESSION_CALL, scope)
        found = self._operation(scope, key, path)
        await self._calls.answer(scope, receive, send, user=user, found=found)

    async def call_as_user(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the API as the creator that the address names."""
        require_api_method(scope)
        key = await self._callers.key(scope)
        segment, path = _parts(_USER_CALL, scope)
        user = self._callers.named(scope, key, segment)
        found = self._operation(scope, key, path)
        await self._calls.answer(scope, receive, send, user=user, found=found)

    async def access_token(self, request: Request) -> Response:
        """Hand out an access token, to a key that says so."""
        key = await self._callers.key(request.scope)
        (segment,) = _parts(_USER_TOKEN, request.scope)
        user = self._callers.named(request.scope, key, segment)
        if not key.permissions.access_tokens:
            raise NotCovered("access_tokens")
        access = await self._tokens.access_token(user)
        log.info("access_token_handed_out", service_key=key.id, user=user)
        return _answer({"access_token": access.token.reveal(), "token_type": "Bearer"})

    async def metrics(self, request: Request) -> Response:
        """Counts and durations for Prometheus; no label holds anything personal."""
        del request
        await self._refresh_metrics()
        return Response(metrics.render(), headers={**api_headers(), "content-type": metrics.CONTENT_TYPE})

    def _operation(self, scope: Scope, key: ServiceKey, path: bytes) -> Match:
        found = self._calls.find(scope, path)
        if not key.permissions.allows(found.operation.id):
            raise NotCovered("operation")
        return found

    async def _connection(self, user: UserId) -> dict[str, object]:
        return connection(user, await self._lifecycle.grant_status(user), self._config)


def _parts(pattern: re.Pattern[bytes], scope: Scope) -> tuple[bytes, ...]:
    """The parts of an address that was found by this pattern."""
    found = pattern.fullmatch(raw_path(scope))
    assert found is not None
    return found.groups()


def _answer(content: object) -> Response:
    return Response(json.dumps(content), media_type="application/json", headers=api_headers())
