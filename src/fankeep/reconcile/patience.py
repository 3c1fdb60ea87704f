"""Calls that can wait: behind the app's own, and as long as the API asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fankeep.client import ApiAnswer, FanvueApi, FanvueClient, Query, RateLimit
from fankeep.errors import RetryableError
from fankeep.types import UserId

__all__ = ["PatientClient"]

_TRIES: Final = 5
_LONGEST_WAIT: Final = 60.0
_FIRST_WAIT: Final = 1.0
_HALF_EMPTY_WAIT: Final = 1.0
"""Seconds before each further call once half of the bucket is gone: the rest belongs to the app."""


class PatientClient(FanvueClient):
    """A client for reading in the background.

    It repeats what failed in passing, which a read may, and it takes no more than a third of the API's
    allowance while others use it.

    Args:
        api: how the API is reached.
        user: the creator whose grant is used.
        sleep: how to wait.
    """

    def __init__(
        self, api: FanvueApi, user: UserId, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        super().__init__(api, user)
        self._sleep = sleep

    async def call(
        self,
        operation_id: str,
        *,
        params: Mapping[str, str] | None = None,
        query: Query | None = None,
        body: object = None,
    ) -> ApiAnswer:
        """Call one operation that only reads; as ``FanvueClient.call``, with patience.

        Raises:
            RetryableError: it failed five times in a row.
        """
        wait = _FIRST_WAIT
        for left in reversed(range(_TRIES)):
            try:
                answer = await super().call(operation_id, params=params or {}, query=query or (), body=body)
            except RetryableError as problem:
                if not left:
                    raise
                await self._sleep(min(problem.retry_after or wait, _LONGEST_WAIT))
                wait *= 2
            else:
                if _half_empty(answer.rate_limit):
                    await self._sleep(_HALF_EMPTY_WAIT)
                return answer
        raise AssertionError  # the last try has returned or raised


def _half_empty(bucket: RateLimit) -> bool:
    return bucket.limit is not None and bucket.remaining is not None and 2 * bucket.remaining < bucket.limit
