"""Looking for lost events by itself, after deliveries were refused because they came too late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fankeep.telemetry import get_logger

__all__ = ["Watch"]

_log = get_logger("fankeep.reconcile")

_SETTLE: Final = 60.0
"""Seconds after the first refusal: late deliveries come in bunches, and one look is for all of them."""

_REST: Final = 900.0
"""Seconds between two looks of one process."""


class Watch:
    """Runs a comparison some time after late deliveries were refused.

    Args:
        look: compares everybody since a time, in seconds since 1970.
        settle: seconds to wait after the first refusal.
        rest: seconds after a look before the next one.
    """

    def __init__(
        self, look: Callable[[float], Awaitable[None]], *, settle: float = _SETTLE, rest: float = _REST
    ) -> None:
        self._look = look
        self._settle = settle
        self._rest = rest
        self._since: float | None = None
        self._noted = asyncio.Event()

    def refused(self, signed_at: float) -> None:
        """Note that a rightly signed delivery came too late.

        Args:
            signed_at: when it was signed, in seconds since 1970.
        """
        self._since = signed_at if self._since is None else min(self._since, signed_at)
        self._noted.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._noted.wait()
            await asyncio.sleep(self._settle)
            since, self._since = self._since, None
            self._noted.clear()
            if since is None:
                continue
            try:
                await self._look(since)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may go better
                _log.error("not_reconciled", error=error)
                self.refused(since)
            await asyncio.sleep(self._rest)
