"""The way to the Fanvue API; and ``/api/fanvue/*``, with the session in place of a token."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from fankeep.errors import FankeepError, HostileInputError, NotAllowed, NotConnected
from fankeep.fanvue.operations import Operation, SideEffect
from fankeep.fanvue.routes import Match, match
from fankeep.gateway.browser import require_own_origin, session_of
from fankeep.gateway.messages import IncomingBody, has_body, note, raw_path
from fankeep.gateway.refusals import MethodNotAllowed, NotFound
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.gateway.streaming import Watch, pass_on
from fankeep.policy import api_headers
from fankeep.telemetry import metrics
from fankeep.types import UserId

__all__ = ["API_PREFIX", "ApiCalls", "ApiProxy", "require_api_method"]

API_PREFIX: Final = b"/api/fanvue"

_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_MARK_AS_READ: Final = "markAsRead"
_MAX_PARAMETERS: Final = 64
_OURS: Final = api_headers()


class ApiCalls:
    """What every way to the API has in common, once it is known as whom to call."""

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        self._config = config
        self._services = services

    def find(self, scope: Scope, path: bytes) -> Match:
        """Find the operation that a request asks for, on the app's list.

        Args:
            scope: of the request.
            path: the raw path as Fanvue knows it.

        Raises:
            NotFound: the API has no such operation.
            NotAllowed: the app does not use it.
        """
        found = match(scope["method"], path)
        if found is None:
            raise NotFound("no_operation")
        if found.operation.id not in self._config.operations:
            raise NotAllowed
        note(scope, operation=found.operation.id)
        return found

    async def answer(self, scope: Scope, receive: Receive, send: Send, *, user: UserId, found: Match) -> None:
        """Make the call as this user, and pass the answer on."""
        body = self._body(scope, receive)
        exchange = self._services.api.forward(
            user,
            found.operation,
            found.params,
            _query(scope, found.operation),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body=None if body is None else body.chunks(),
            timeout=self._config.limits.api,
        )
        try:
            async with exchange as answer:
                metrics.API_CALLS.add(status=f"{answer.status // 100}xx")
                await pass_on(
                    answer,
                    [*answer.headers, *_OURS.items()],
                    Watch(receive, body),
                    send,
                    seconds=self._config.limits.send,
                )
        except FankeepError:
            metrics.API_CALLS.add(status="none")
            raise

    def _body(self, scope: Scope, receive: Receive) -> IncomingBody | None:
        if not has_body(scope):
            return None
        limits = self._config.limits
        return IncomingBody(scope, receive, limit=limits.api_body, seconds=limits.receive)


class ApiProxy:
    """Passes calls on to the API as the user of the session.

    Security:
        In this order: a request of our own pages, a living session, an operation on the app's list. The
        outgoing address is built from the operation's template and typed parameters.
    """

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        self._config = config
        self._sessions = services.sessions
        self._calls = ApiCalls(config, services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        require_api_method(scope)
        require_own_origin(scope, self._config, "api")
        session = await session_of(scope, self._sessions)
        if session is None:
            raise NotConnected
        found = self._calls.find(scope, raw_path(scope).removeprefix(API_PREFIX))
        await self._calls.answer(scope, receive, send, user=session.user, found=found)


def require_api_method(scope: Scope) -> None:
    """Refuse a method that no operation of the API has.

    Raises:
        MethodNotAllowed: it is another one.
    """
    if scope["method"] not in _METHODS:
        raise MethodNotAllowed(", ".join(_METHODS))


def _query(scope: Scope, operation: Operation) -> list[tuple[str, str]]:
    """The query, decoded. A read of messages is only a read, unless the page asks for more."""
    try:
        encoded = scope["query_string"].decode("ascii")
        pairs = parse_qsl(
            encoded,
            keep_blank_values=True,
            strict_parsing=bool(encoded),
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise HostileInputError("query_malformed") from None
    asked = any(name == _MARK_AS_READ for name, _ in pairs)
    if operation.side_effect is SideEffect.MARKS_READ and not asked:
        pairs.append((_MARK_AS_READ, "false"))
    return pairs
