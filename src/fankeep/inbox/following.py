"""Seeing events as they are stored, without missing one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from fankeep.store import Database, Transaction, event_queries
from fankeep.store.event_queries import StoredEvent

__all__ = ["Following"]

_PAGE: Final = 500
_LATEST: Final = 30.0
"""Seconds after which a number that was left out stays out: no transaction of ours lasts that long."""
_MOST_GAPS: Final = 10_000


class Following:
    """Looks for new events again and again.

    PostgreSQL gives numbers out before the commit: a lower one may become visible after a higher one, or
    never, when its event was known already. So the numbers that were passed over are looked for a while
    longer.

    Args:
        database: where events are kept.
        clock: seconds that only grow.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._last: int | None = None
        self._gaps: dict[int, float] = {}

    async def start(self) -> None:
        """Begin behind what is there now."""

        async def latest(tx: Transaction) -> list[StoredEvent]:
            last = await event_queries.last_seq(tx)
            self._last = max(0, last - _PAGE)
            return await event_queries.following(tx, self._last, limit=_PAGE)

        self._pass(await self._database.read(latest))

    async def next(self) -> list[StoredEvent]:
        """Return what has been stored since the last look, in the order of its numbers."""
        assert self._last is not None, "start comes first"
        last = self._last
        self._gaps = {seq: since for seq, since in self._gaps.items() if self._clock() - since < _LATEST}

        async def look(tx: Transaction) -> list[StoredEvent]:
            late = await event_queries.among(tx, list(self._gaps)) if self._gaps else []
            return [*late, *await event_queries.following(tx, last, limit=_PAGE)]

        found = await self._database.read(look)
        self._pass(found)
        return found

    def _pass(self, found: list[StoredEvent]) -> None:
        """Note which numbers were seen, and which were passed over."""
        for event in found:
            assert self._last is not None
            if event.seq > self._last:
                first = max(self._last + 1, event.seq - _MOST_GAPS)
                self._gaps |= dict.fromkeys(range(first, event.seq), self._clock())
                self._last = event.seq
            self._gaps.pop(event.seq, None)
        for seq in sorted(self._gaps)[:-_MOST_GAPS]:
            del self._gaps[seq]
