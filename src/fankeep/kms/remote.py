"""Calls to key services: their libraries block, so each call runs in a thread and has a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from fankeep.errors import KeyUnavailable
from fankeep.types import KeyId

__all__ = ["CALL_SECONDS", "CONNECT_SECONDS", "READ_SECONDS", "RemoteCalls"]

T = TypeVar("T")

CONNECT_SECONDS: Final = 2.0
"""How long a key service may take to accept a connection."""

READ_SECONDS: Final = 3.0
"""How long a key service may take to answer."""

CALL_SECONDS: Final = 6.0
"""How long a caller waits in all, for a free thread and a second try included."""

# The loop's pool has at least five threads; name resolution of others needs one as well.
_AT_ONCE: Final = 4


class RemoteCalls:
    """Runs the blocking calls for one key; a caller's wait is bounded whatever the library does."""

    def __init__(self, key_id: KeyId, *, seconds: float = CALL_SECONDS) -> None:
        self._key_id = key_id
        self._seconds = seconds
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def run(self, call: Callable[[], T]) -> T:
        """Run one call in a thread.

        Raises:
            KeyUnavailable: it took too long, or was refused by what ``call`` raises itself.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
                running = asyncio.get_running_loop().run_in_executor(None, call)
                # A thread cannot be stopped: its place is free when it has ended, not when nobody waits.
                running.add_done_callback(self._ended)
                return await asyncio.shield(running)
        except TimeoutError:
            raise self.unavailable("no answer in time") from None

    def unavailable(self, why: str) -> KeyUnavailable:
        """Say that the key cannot be used now, and why in a word that is the service's code or ours."""
        return KeyUnavailable(f"the key-encryption key {self._key_id} cannot be used now: {why}")

    def _ended(self, running: asyncio.Future[T]) -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()  # looked at, so that the loop does not report it when the caller has left
