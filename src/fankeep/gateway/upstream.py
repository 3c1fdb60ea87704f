"""The way to the app behind us: everything that is not ours, with a signed word on who is asking."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final

from starlette.types import Receive, Scope, Send

from fankeep.errors import HostileInputError
from fankeep.gateway.assertions import ASSERTION_HEADER
from fankeep.gateway.browser import is_own_wish, session_of
from fankeep.gateway.messages import IncomingBody, has_body, header_values, raw_path
from fankeep.gateway.refusals import MethodNotAllowed
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.gateway.streaming import Watch, pass_on
from fankeep.gateway.upstream_headers import answer_headers, forwarded_headers, request_headers
from fankeep.transport import StreamedResponse
from fankeep.types import HttpRequest

__all__ = ["Upstream"]

_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class Upstream:
    """Passes requests on to the app behind us.

    Security:
        The app gets no cookie of ours and no identity header but the one made here. It may trust that header
        only as far as it checks the signature. A change that another site's page asks for reaches the app as
        nobody's: the browser sent the cookie along, but the user did not ask for it.
    """

    def __init__(self, config: GatewayConfig, services: GatewayServices, origin: str) -> None:
        self._config = config
        self._services = services
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with what the app says."""
        if scope["method"] not in _METHODS:
            raise MethodNotAllowed(", ".join(_METHODS))
        headers = request_headers(scope)
        headers |= forwarded_headers(scope, self._config)
        identity = await self._identity(scope)
        if identity is not None:
            headers[ASSERTION_HEADER] = identity
        request = HttpRequest(method=scope["method"], url=self._address(scope), headers=headers)
        body = self._body(scope, receive)
        async with AsyncExitStack() as stack:
            try:
                answer = await stack.enter_async_context(self._exchange(request, body, _length(scope)))
            except ValueError:  # the transport sends nothing that could be read in two ways
                raise HostileInputError("request_unsendable") from None
            fields = answer_headers(answer.headers, personal=identity is not None)
            await pass_on(answer, fields, Watch(receive, body), send, seconds=self._config.limits.send)

    def _exchange(
        self, request: HttpRequest, body: IncomingBody | None, length: int | None
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        limits = self._config.limits
        return self._services.transport.stream(
            request,
            None if body is None else body.chunks(),
            length=length,
            timeout=limits.upstream,
            max_bytes=limits.upstream_answer,
        )

    async def _identity(self, scope: Scope) -> str | None:
        if not is_own_wish(scope, self._config):
            return None
        session = await session_of(scope, self._services.sessions)
        if session is None:
            return None
        grant = await self._services.lifecycle.grant_status(session.user)
        return self._services.assertions.sign(
            session.user,
            # A session outlives its grant to say why it ended; it grants nothing then.
            scopes=() if grant is None or grant.state == "dead" else grant.scopes,
            state="none" if grant is None else grant.state,
            now=time.time(),
        )

    def _address(self, scope: Scope) -> str:
        try:
            path, query = raw_path(scope).decode("ascii"), scope["query_string"].decode("ascii")
        except UnicodeDecodeError:
            raise HostileInputError("path_malformed") from None
        if not path.startswith("/"):  # put behind the origin, it could name another host
            raise HostileInputError("path_malformed")
        return f"{self._origin}{path}?{query}" if query else f"{self._origin}{path}"

    def _body(self, scope: Scope, receive: Receive) -> IncomingBody | None:
        if not has_body(scope):
            return None
        limits = self._config.limits
        return IncomingBody(scope, receive, limit=limits.upstream_body, seconds=limits.receive)


def _length(scope: Scope) -> int | None:
    lengths = header_values(scope, b"content-length")
    return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) <= 15 else None
