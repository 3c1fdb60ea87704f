"""The API as one creator sees it: operations by name, plain values in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec

from fankeep.client.answers import ApiAnswer, read_answer
from fankeep.client.api import FanvueApi
from fankeep.client.paging import next_page
from fankeep.client.query import Query, query_pairs
from fankeep.errors import TransportError
from fankeep.fanvue.operations import Operation, SideEffect, operation
from fankeep.types import UserId

__all__ = ["FanvueClient"]

_MAX_ANSWER = 1 << 23
_SECONDS = 30.0

_KEEP_UNREAD = ("markAsRead", "false")
_NO_PARAMS: Mapping[str, str] = {}
_NO_QUERY: Query = ()


class FanvueClient:
    """Calls of the API with one creator's grant.

    Nothing is repeated on its own accord, except once after a 401 that a newer token may answer: a message
    that is sent twice is read twice.
    """

    def __init__(self, api: FanvueApi, user: UserId) -> None:
        """Bind the API to a user.

        Args:
            api: how the API is reached.
            user: the creator whose grant is used.
        """
        self._api = api
        self._user = user

    async def call(
        self,
        operation_id: str,
        *,
        params: Mapping[str, str] = _NO_PARAMS,
        query: Query = _NO_QUERY,
        body: object = None,
    ) -> ApiAnswer:
        """Call one operation and read its answer.

        Args:
            operation_id: as in ``fanvue.operations``, for example ``listChats``.
            params: values for the path, not encoded.
            query: see ``query_pairs``. Message reads say ``markAsRead=false`` unless told otherwise.
            body: encoded as JSON; None sends no body.

        Returns:
            The decoded answer of a call that succeeded.

        Raises:
            ApiError: Fanvue refused; the error carries the answer.
            ProviderError: Fanvue's answer cannot be read.
            RetryableError: the rate limit, or no token at the moment.
            TransportError: no usable answer. With ``outcome_unknown`` a write may have happened.
            AccessError: the creator is not connected.
            ValueError: the parameters do not fit the operation's path.
            ConfigurationError: there is no such operation.
        """
        return await self.perform(operation(operation_id), params=params, query=query, body=body)

    async def perform(
        self,
        called: Operation,
        *,
        params: Mapping[str, str] = _NO_PARAMS,
        query: Query = _NO_QUERY,
        body: object = None,
    ) -> ApiAnswer:
        """Call an operation that is at hand; otherwise as ``call``."""
        pairs = _without_marking(called, query_pairs(query))
        encoded = None if body is None else msgspec.json.encode(body)
        headers = {"accept": "application/json"}
        if encoded is not None:
            headers["content-type"] = "application/json"
        exchange = self._api.forward(
            self._user, called, params, pairs, headers.items(), body=_one(encoded), timeout=_SECONDS
        )
        async with exchange as answer:
            content = await _collected(answer.chunks)
            return read_answer(answer.status, answer.headers, content)

    async def pages(
        self, operation_id: str, *, params: Mapping[str, str] = _NO_PARAMS, query: Query = _NO_QUERY
    ) -> AsyncIterator[ApiAnswer]:
        """Call a list operation again and again until it has no more pages.

        Both ways of the API are followed, numbered pages and cursors; the answers tell which one it is.

        Args:
            operation_id: a list operation.
            params: as in ``call``.
            query: as in ``call``; where to begin, and how many entries a page has.

        Yields:
            One answer a page.

        Raises:
            ProviderError: the pages lead in a circle; otherwise as ``call``.
        """
        asked = query_pairs(query)
        while True:
            answer = await self.call(operation_id, params=params, query=asked)
            yield answer
            following = next_page(answer.data, asked)
            if following is None:
                return
            asked = following


def _without_marking(called: Operation, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Say that a read is only a read, where the API would mark the chat as read otherwise."""
    told = any(name == _KEEP_UNREAD[0] for name, _ in pairs)
    return pairs if told or called.side_effect is not SideEffect.MARKS_READ else [*pairs, _KEEP_UNREAD]


def _one(content: bytes | None) -> AsyncIterator[bytes] | None:
    async def pieces(content: bytes) -> AsyncIterator[bytes]:
        yield content

    return None if content is None else pieces(content)


async def _collected(chunks: AsyncIterator[bytes]) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > _MAX_ANSWER:
            raise TransportError("the answer is too large", outcome_unknown=True)
    return bytes(content)
