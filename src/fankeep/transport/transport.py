"""One request, one answer: sent once, bounded in time and size, and honest about its outcome."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from fankeep.errors import TransportError
from fankeep.transport.address import check_address
from fankeep.transport.headers import check_headers, readable_headers
from fankeep.transport.outcome import lost_answer, transport_error
from fankeep.transport.outgoing import NotSent, Outgoing, one_piece
from fankeep.transport.pool import build_client
from fankeep.types import HttpRequest, HttpResponse

__all__ = ["StreamedResponse", "Transport"]

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """The head of an answer, and its body as it arrives.

    Attributes:
        headers: lower-case names, in order, repeats kept.
        chunks: the body's bytes as the server sent them, never decompressed; can be read once. Raises
            ``TransportError`` when the body breaks off or grows over the limit.
    """

    status: int
    headers: list[tuple[str, str]] = field(repr=False)
    chunks: AsyncIterator[bytes] = field(repr=False)


class Transport:
    """The outbound HTTP client.

    It follows no redirect, keeps no cookie, knows no proxy, decompresses nothing and repeats nothing. Every
    call has two time limits and every answer a size limit.

    Security:
        A cancelled call counts as sent. The connection is not cut when the waiting task is cancelled; only a
        guarded or streamed body that has not begun to leave is held back. What must not be cut short runs in
        a task of its own.
    """

    def __init__(
        self,
        *,
        https_only: bool = True,
        keep_alive: bool = True,
        ca_file: Path | None = None,
        user_agent: str = "fankeep",
        connect_timeout: float = 2.0,
        max_connections: int = 256,
    ) -> None:
        """Set the client up; it belongs to the process that makes it and must not be carried over a fork.

        Args:
            https_only: False allows http to this machine's loopback names, for development; never to others.
            keep_alive: False opens a new connection for every call, so that no call meets a connection that
                the server is just closing. For the token endpoint.
            ca_file: PEM certificates to trust in addition to the machine's own, for tests and development.
            user_agent: the product token of the ``User-Agent`` field.
            connect_timeout: seconds for name look-up, TCP and TLS together.
            max_connections: calls at once; further ones wait for ``connect_timeout`` seconds.

        Raises:
            ConfigurationError: the CA file or the machine's trust store cannot be used.
        """
        self._https_only = https_only
        self._connect_timeout = connect_timeout
        self._client = build_client(
            https_only=https_only,
            keep_alive=keep_alive,
            ca_file=ca_file,
            user_agent=user_agent,
            connect_timeout=connect_timeout,
            max_connections=max_connections,
        )

    async def send(
        self,
        request: HttpRequest,
        *,
        timeout: float,  # noqa: ASYNC109  - a deadline of the connection, which outlives a cancelled task
        max_bytes: int = 1 << 20,
        guard: Callable[[], None] | None = None,
    ) -> HttpResponse:
        """Send a request and read the whole answer.

        Args:
            request: what to send. Fields that frame a message are not accepted.
            timeout: seconds for the whole exchange, more than the connect time-out.
            max_bytes: the largest body to accept.
            guard: called once, when the connection stands and before a byte of the body leaves; raises
                ``NotSent`` to call the request back. Needs a body to hold back.

        Returns:
            The answer, whatever its status.

        Raises:
            TransportError: no usable answer; ``outcome_unknown`` is False only if nothing was sent.
            ValueError: the request cannot be sent as it is.
        """
        body = None
        if guard is not None:
            if not request.body:
                raise ValueError("a guard holds a body back, and this request has none")
            body = Outgoing(one_piece(request.body), length=len(request.body), guard=guard)
        length = len(request.body) if body else None
        async with self._exchange(request, body, length, timeout, max_bytes) as answer:
            content = b"".join([chunk async for chunk in answer.chunks])
        return HttpResponse(status=answer.status, headers=_joined(answer.headers), body=content)

    def stream(
        self,
        request: HttpRequest,
        body: AsyncIterator[bytes] | None = None,
        *,
        length: int | None = None,
        timeout: float,
        max_bytes: int = 1 << 26,
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request and hand out the answer's body as it comes, without storing either in between.

        Args:
            request: what to send; its ``body`` is sent if no other is given.
            body: the body as it comes; what it raises reaches the caller unchanged.
            length: the number of bytes in ``body``, if known; without it the body is sent chunked.
            timeout: seconds for the whole exchange up to the last byte, more than the connect time-out.
            max_bytes: the largest answer body to pass on.

        Returns:
            A context manager that gives the answer once its head is there and lets go of the connection at
            the end; an answer left half read costs the connection.

        Raises:
            TransportError: on entering, and while reading the body.
            ValueError: on entering, when the request cannot be sent as it is.
        """
        outgoing = None if body is None else Outgoing(body, length=length)
        return self._exchange(request, outgoing, length, timeout, max_bytes)

    async def close(self) -> None:
        """Let go of the idle connections; calls under way end in ``TransportError``. Takes 5 s at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.close()

    @asynccontextmanager
    async def _exchange(
        self, request: HttpRequest, body: Outgoing | None, length: int | None, seconds: float, max_bytes: int
    ) -> AsyncIterator[StreamedResponse]:
        prepared = self._prepare(request, body, length, seconds)
        response = await _start(prepared, body)
        try:
            headers = readable_headers(response.headers)
            yield StreamedResponse(response.status, headers, _read(response, max_bytes))
        finally:
            await prepared.__aexit__(None, None, None)

    def _prepare(
        self, request: HttpRequest, body: Outgoing | None, length: int | None, seconds: float
    ) -> StreamRequest:
        """Turn the value into the library's request, after checking all of it."""
        if not seconds > self._connect_timeout:
            raise ValueError("the time-out has to be longer than the connect time-out")
        if request.method not in _METHODS:
            raise ValueError("the method is not one that is ever sent")
        check_headers(request.headers)
        address = check_address(request.url, https_only=self._https_only)
        builder = self._client.request(request.method, address).timeout(timedelta(seconds=seconds))
        for name, value in {"accept-encoding": "identity", **request.headers}.items():
            builder = builder.header(name, value, is_sensitive=True)
        if body is not None:
            builder = builder.body_stream(body)
        elif request.body:
            builder = builder.body_bytes(request.body)
        elif request.method in _WITH_BODY:
            length = 0
        if length is not None:
            builder = builder.header("content-length", str(length))
        return builder.streamed_read_buffer_limit(0).build_streamed()


async def _start(prepared: StreamRequest, body: Outgoing | None) -> Response:
    """Send, and wait for the answer's head."""
    before = _cancellations()
    try:
        return await prepared.__aenter__()
    except PyreqwestError as error:
        # An error that comes at the moment of a cancellation must not hide it: the task would go on.
        if _cancellations() > before:
            raise asyncio.CancelledError from None
        failure = transport_error(error, body)
    except NotSent:
        failure = TransportError("the request was called back before it was sent", outcome_unknown=False)
    except BaseException:
        if body is not None:
            body.abandon()
        raise
    raise failure


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _read(response: Response, max_bytes: int) -> AsyncIterator[bytes]:
    """Read the body chunk by chunk, and never more of it than allowed."""
    count = 0
    try:
        while (chunk := await response.body_reader.read_chunk()) is not None:
            count += len(chunk)
            if count > max_bytes:
                break
            yield chunk.to_bytes()
        else:
            return
    except PyreqwestError:
        pass
    raise lost_answer()


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Put repeated fields into one, as RFC 9110 section 5.3 allows."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
