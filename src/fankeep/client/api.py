"""Requests to the API on behalf of a creator: the right token, to the right host, with what may pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fankeep.client.body import RequestBody, collect
from fankeep.client.headers import announced_length, answer_headers, request_headers
from fankeep.client.query import encode_query
from fankeep.client.tokens import AccessToken, TokenSource
from fankeep.errors import HostileInputError
from fankeep.fanvue.hosts import API_URL, API_VERSION, API_VERSION_HEADER
from fankeep.fanvue.operations import Operation
from fankeep.fanvue.routes import build_path
from fankeep.transport import StreamedResponse, Transport
from fankeep.types import HttpRequest, UserId

__all__ = ["FanvueApi"]

_UNAUTHORIZED = 401


class FanvueApi:
    """The API of Fanvue, called with the tokens of whoever is named in each call.

    Security:
        A token goes into the ``Authorization`` field (RFC 6750 section 2.1) of requests to the one address
        given here, whose path is made of an operation's template; no redirect carries it on.
    """

    def __init__(self, transport: Transport, tokens: TokenSource, *, api_url: str = API_URL) -> None:
        """Say how the API is reached.

        Args:
            transport: the outbound client.
            tokens: where access tokens come from.
            api_url: scheme and host of the API, with a path prefix if there is one.
        """
        self._transport = transport
        self._tokens = tokens
        self._base = api_url.rstrip("/")

    def forward(
        self,
        user: UserId,
        operation: Operation,
        params: Mapping[str, str],
        query: Iterable[tuple[str, str]],
        headers: Iterable[tuple[str, str]],
        *,
        body: AsyncIterator[bytes] | None = None,
        timeout: float = 60.0,
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Pass somebody's request on as the user's, and the answer back as it comes.

        Args:
            user: whose token to use.
            operation: what to call; whether the caller may is decided before.
            params: the decoded values for the operation's path.
            query: decoded names and values, in order.
            headers: the caller's header fields; those on the list go on.
            body: the caller's body, if it has one. What it raises reaches the caller unchanged.
            timeout: seconds for one attempt, up to the answer's last byte.

        Returns:
            A context manager with the answer, of any status. Its header fields are those on the list.

        Raises:
            ValueError: the parameters do not fit the operation's path.
            HostileInputError: the query or a header field cannot be sent.
            AccessError: on entering: the user is not connected.
            RetryableError: on entering or reading: no token at the moment, or no usable answer.
        """
        query, headers = list(query), list(headers)
        request = HttpRequest(
            method=operation.method,
            url=self._address(operation, params, query),
            headers={**request_headers(headers), API_VERSION_HEADER: API_VERSION},
        )
        return self._exchange(user, request, body, announced_length(headers), timeout)

    @asynccontextmanager
    async def _exchange(
        self,
        user: UserId,
        request: HttpRequest,
        source: AsyncIterator[bytes] | None,
        length: int | None,
        seconds: float,
    ) -> AsyncIterator[StreamedResponse]:
        body = await collect(source)
        access = await self._tokens.access_token(user)
        async with self._attempt(request, body, length, access, seconds) as answer:
            newer = await self._newer(user, access) if answer.status == _UNAUTHORIZED else None
            if newer is None or not body.whole:
                yield _shown(answer)
                return
        async with self._attempt(request, body, length, newer, seconds) as answer:
            yield _shown(answer)

    def _attempt(
        self, request: HttpRequest, body: RequestBody, length: int | None, access: AccessToken, seconds: float
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        headers = {**request.headers, "authorization": f"Bearer {access.token.reveal()}"}
        if body.whole:
            request = HttpRequest(request.method, request.url, headers, body.content)
            return self._transport.stream(request, timeout=seconds)
        request = HttpRequest(request.method, request.url, headers)
        return self._transport.stream(request, body.pieces(), length=length, timeout=seconds)

    async def _newer(self, user: UserId, refused: AccessToken) -> AccessToken | None:
        """Report the token that got a 401; give another one if there is one now."""
        await self._tokens.refused(user, refused.generation)
        access = await self._tokens.access_token(user)
        return access if access.generation > refused.generation else None

    def _address(
        self, operation: Operation, params: Mapping[str, str], query: Iterable[tuple[str, str]]
    ) -> str:
        path = build_path(operation, params)
        try:
            encoded = encode_query(query)
        except ValueError:
            raise HostileInputError("query_malformed") from None
        return f"{self._base}{path}?{encoded}" if encoded else f"{self._base}{path}"


def _shown(answer: StreamedResponse) -> StreamedResponse:
    """The answer with the header fields that may be shown."""
    return StreamedResponse(answer.status, answer_headers(answer.headers), answer.chunks)
