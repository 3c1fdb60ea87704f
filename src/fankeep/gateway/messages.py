"""Reading requests and writing answers on the bare ASGI interface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from starlette.types import Receive, Scope, Send

from fankeep.errors import HostileInputError
from fankeep.gateway.refusals import BodyTooLarge, BodyTooSlow, ClientGone

__all__ = [
    "IncomingBody",
    "encode_headers",
    "has_body",
    "header_texts",
    "header_values",
    "note",
    "notes",
    "one_header",
    "raw_path",
    "send_answer",
]

_LATIN: Final = "latin-1"
_MAX_DIGITS: Final = 15
_SLOWEST: Final = 4096
"""Bytes a second that a body has to come with, on the whole."""
_NOTES: Final = "fankeep.notes"


def raw_path(scope: Scope) -> bytes:
    """The path as it was sent, before any decoding, without the query."""
    sent: bytes = scope.get("raw_path") or scope["path"].encode()
    return sent.partition(b"?")[0]


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Every value of a header (lower-case name), in order."""
    return [value for key, value in scope["headers"] if key == name]


def header_texts(scope: Scope, name: bytes) -> list[str]:
    """Every value of a header as text."""
    return [value.decode(_LATIN) for value in header_values(scope, name)]


def one_header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a header that may come once.

    Raises:
        HostileInputError: it comes more often; two readers of the request could each believe another one.
    """
    values = header_values(scope, name)
    if len(values) > 1:
        raise HostileInputError("repeated_header")
    return values[0] if values else None


def has_body(scope: Scope) -> bool:
    """Whether the request announces a body."""
    lengths = header_values(scope, b"content-length")
    return bool(header_values(scope, b"transfer-encoding")) or any(length != b"0" for length in lengths)


class IncomingBody:
    """The body of a request, read as it comes and no further than allowed.

    Args:
        scope: of the request; an announced length over the limit is refused before anything is read.
        receive: of the request.
        limit: the most bytes to accept.
        seconds: how long to wait for each next piece; and how long in all, beyond what the bytes that came
            take at the slowest pace. Without the second bound a byte now and then would hold a connection
            for days. Only waiting for the client counts, not what is done between the pieces.
        timeout: makes a time limit, as `asyncio.timeout` does.

    Attributes:
        ended: nothing more will be read.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        *,
        limit: int,
        seconds: float,
        timeout: Callable[[float], AbstractAsyncContextManager[object]] = asyncio.timeout,
    ) -> None:
        self.ended = False
        self._announced = header_values(scope, b"content-length")
        self._receive = receive
        self._limit = self._left = limit
        self._seconds = seconds
        self._timeout = timeout
        self._waited = 0.0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the pieces once.

        Raises:
            BodyTooLarge: more bytes than allowed.
            BodyTooSlow: the next piece did not come in time, or all of them come too slowly.
            ClientGone: the client left before the body was complete.
        """
        self._refuse_announced()
        while not self.ended:
            if chunk := await self._next():
                yield chunk

    async def read(self) -> bytes:
        """Read all of it; raises as ``chunks``."""
        self._refuse_announced()
        pieces: list[bytes] = []
        while not self.ended:
            pieces.append(await self._next())
        return b"".join(pieces)

    def _refuse_announced(self) -> None:
        for length in self._announced:
            if not length.isdigit() or len(length) > _MAX_DIGITS or int(length) > self._limit:
                raise BodyTooLarge("announced")

    async def _next(self) -> bytes:
        earned = self._seconds + (self._limit - self._left) / _SLOWEST
        began = time.monotonic()
        try:
            async with self._timeout(min(self._seconds, earned - self._waited)):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow("body") from None
        self._waited += time.monotonic() - began
        if message["type"] == "http.disconnect":
            self.ended = True
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        self.ended = not message.get("more_body", False)
        self._left -= len(chunk)
        if self._left < 0:
            raise BodyTooLarge("received")
        return chunk


def encode_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Header fields as ASGI wants them."""
    return [(name.encode(_LATIN), value.encode(_LATIN)) for name, value in headers]


def note(scope: Scope, **fields: object) -> None:
    """Add fields to the one line that the log gets for this request: who, what, never contents."""
    scope.setdefault(_NOTES, {}).update(fields)


def notes(scope: Scope) -> dict[str, object]:
    """What was noted."""
    return dict(scope.get(_NOTES, {}))


async def send_answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Send a whole answer."""
    fields = encode_headers([*headers.items(), ("content-length", str(len(body)))])
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
