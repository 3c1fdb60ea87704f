"""The addresses under which an app fetches its events and says which are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from fankeep.errors import HostileInputError
from fankeep.gateway.browser import query_of
from fankeep.gateway.callers import Callers
from fankeep.gateway.messages import IncomingBody, note, one_header
from fankeep.gateway.refusals import ClientGone, NotCovered, NotPulled, UnsupportedMediaType
from fankeep.gateway.services import GatewayConfig
from fankeep.policy import LONGEST_LEASE, api_headers
from fankeep.servicekeys import Reach, ServiceKey
from fankeep.types import UserId

__all__ = ["EventQueue", "Pulling"]


class Page(Protocol):
    """Events that were handed out."""

    @property
    def events(self) -> list[dict[str, object]]:
        """In the form in which they leave."""

    @property
    def cursor(self) -> str:
        """Where the next look may begin."""


class Acknowledged(Protocol):
    """What became of acknowledgements."""

    @property
    def acknowledged(self) -> list[str]:
        """Ids of the events that are handled."""

    @property
    def lost(self) -> list[str]:
        """Ids of those whose receipts no longer count."""


class EventQueue(Protocol):
    """Events that wait to be fetched; ``fankeep.inbox.Puller``."""

    async def pull(
        self, *, cursor: str, limit: int, lease: float, wait: float, only: Collection[UserId] | None = None
    ) -> Page:
        """Claim events that are due."""

    async def acknowledge(self, receipts: Sequence[tuple[str, str]]) -> Acknowledged:
        """Mark events as handled."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole number in the query."""

    default: int
    least: int
    most: int

    def of(self, query: dict[str, str], name: str) -> int:
        text = query.get(name, str(self.default))
        if not text.isascii() or not text.isdigit() or len(text) > len(str(self.most)):
            raise HostileInputError(f"{name}_malformed")
        number = int(text)
        if not self.least <= number <= self.most:
            raise HostileInputError(f"{name}_out_of_range")
        return number


_LIMIT: Final = _Whole(100, 1, 500)
_LEASE: Final = _Whole(60, 5, LONGEST_LEASE)
_WAIT: Final = _Whole(0, 0, 20)
_PARAMETERS: Final = frozenset({"cursor", "limit", "lease", "wait"})
_MOST_ACKS: Final = 1000
_ACK_BODY: Final = 1 << 18
_HEX: Final = msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)


class _Ack(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, _HEX]
    receipt: Annotated[str, _HEX]


class _Acks(msgspec.Struct, forbid_unknown_fields=True):
    events: Annotated[list[_Ack], msgspec.Meta(min_length=1, max_length=_MOST_ACKS)]


class Pulling:
    """The two endpoints.

    Security:
        A key needs the permission for events, and gets those of the creators that it covers. A receipt has
        128 random bits and goes to whoever got the event: it alone says that the event is done.
    """

    def __init__(self, config: GatewayConfig, callers: Callers, events: EventQueue | None) -> None:
        self._config = config
        self._callers = callers
        self._queue = events

    async def fetch(self, request: Request) -> Response:
        """Hand out what is due."""
        key = await self._key(request)
        query = query_of(request.scope)
        if not query.keys() <= _PARAMETERS:
            raise HostileInputError("unknown_parameter")
        pulling = self._events.pull(
            cursor=query.get("cursor", ""),
            limit=_LIMIT.of(query, "limit"),
            lease=_LEASE.of(query, "lease"),
            wait=_WAIT.of(query, "wait"),
            only=key.permissions.listed if key.permissions.reach is Reach.LISTED else None,
        )
        page = await _while_connected(pulling, request.receive)
        note(request.scope, events=len(page.events))
        return _answer({"events": page.events, "cursor": page.cursor})

    async def acknowledge(self, request: Request) -> Response:
        """Mark what was handed out as handled."""
        await self._key(request)
        acks = await self._acks(request)
        done = await self._events.acknowledge([(ack.id, ack.receipt) for ack in acks.events])
        note(request.scope, events=len(done.acknowledged), lost=len(done.lost))
        return _answer({"acknowledged": done.acknowledged, "lost": done.lost})

    async def _key(self, request: Request) -> ServiceKey:
        key = await self._callers.key(request.scope)
        if not key.permissions.events:
            raise NotCovered("events")
        return key

    async def _acks(self, request: Request) -> _Acks:
        content_type = one_header(request.scope, b"content-type") or b""
        if content_type.partition(b";")[0].strip().lower() != b"application/json":
            raise UnsupportedMediaType("json_expected")
        limits = self._config.limits
        body = IncomingBody(request.scope, request.receive, limit=_ACK_BODY, seconds=limits.receive)
        try:
            return msgspec.json.decode(await body.read(), type=_Acks)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise HostileInputError("acks_malformed") from None

    @property
    def _events(self) -> EventQueue:
        if self._queue is None:
            raise NotPulled
        return self._queue


async def _while_connected(work: Coroutine[None, None, Page], receive: Receive) -> Page:
    """Do the work unless the caller leaves: what comes later must not be claimed for nobody.

    Raises:
        ClientGone: the caller has left.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer(content: object) -> Response:
    return Response(json.dumps(content), media_type="application/json", headers=api_headers())
