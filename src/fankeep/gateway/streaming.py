"""Passing an answer on as it comes, for as long as somebody is there to take it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.types import Receive, Send

from fankeep.gateway.messages import IncomingBody, encode_headers
from fankeep.gateway.refusals import ClientGone
from fankeep.transport import StreamedResponse

__all__ = ["Watch", "pass_on"]


class Watch:
    """Notices that the client has left. Sending to nobody raises nothing, so one has to look.

    Args:
        receive: of the request.
        body: of the request, if it has one; until it has ended, its messages are not ours to take.
    """

    def __init__(self, receive: Receive, body: IncomingBody | None) -> None:
        self._receive = receive
        self._body = body
        self._task: asyncio.Future[None] | None = None

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        if self._task is None and (self._body is None or self._body.ended):
            self._task = asyncio.ensure_future(self._left())
        return self._task is not None and self._task.done()

    def stop(self) -> None:
        """Look no longer."""
        if self._task is not None:
            self._task.cancel()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def pass_on(
    answer: StreamedResponse, headers: Iterable[tuple[str, str]], watch: Watch, send: Send, *, seconds: float
) -> None:
    """Send an answer's head and then each piece of its body.

    Args:
        answer: what came; its own header fields are not used.
        headers: the fields to send instead.
        watch: of the request.
        send: of the request.
        seconds: how long the client may take to accept one piece. Who asks and does not read would hold one
            of the connections to where the answer comes from.

    Raises:
        ClientGone: the client left or does not read; the rest was not fetched.
        TransportError: the answer broke off.
    """
    await send({"type": "http.response.start", "status": answer.status, "headers": encode_headers(headers)})
    try:
        async for chunk in answer.chunks:
            if watch.gone:
                raise ClientGone
            await _send_piece(chunk, send, seconds)
    finally:
        watch.stop()
    await send({"type": "http.response.body", "body": b""})


async def _send_piece(chunk: bytes, send: Send, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        raise ClientGone from None
