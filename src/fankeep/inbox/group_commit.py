"""Deliveries that arrive while a transaction is running share the next one.

A commit waits for the disk; one commit for every delivery would be the limit of the whole server. Nobody is
answered before the commit of their own row, and a repeat of a row on its way waits for that row's commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from fankeep.errors import FankeepError, HostileInputError, StorageError, StorageUnavailable
from fankeep.inbox.log import EventLog
from fankeep.store import ConstraintViolated
from fankeep.store.events import NewEvent
from fankeep.telemetry import get_logger
from fankeep.types import UserId

__all__ = ["GroupCommit"]

_log = get_logger("fankeep.inbox")

_QUEUE_BYTES: Final = 8 << 20
_GROUP_ROWS: Final = 256
_ROW_BYTES: Final = 512
"""What a row weighs beside its payload; an estimate for the bound of the queue."""

_MODERN_KEPT: Final = 65_536


class _Entry:
    """A row on its way, and everybody who waits for its commit; the first of them brought it."""

    __slots__ = ("row", "size", "waiters")

    def __init__(self, row: NewEvent) -> None:
        self.row = row
        self.size = _ROW_BYTES + len(row.payload or b"")
        self.waiters: list[asyncio.Future[bool]] = []

    def join(self) -> asyncio.Future[bool]:
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return waiter

    def stored(self, *, before: bool) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(before)
            before = True  # whoever joined brought a repeat

    def failed(self, problem: Callable[[], FankeepError]) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(problem())


class GroupCommit:
    """Writes rows in groups. Used from one event loop.

    Args:
        log: where they go.
        stored: called after every group that had a new event in it which somebody wants.
        queue_bytes: how much may wait; beyond it deliveries are turned away, and come again later.
        group_rows: the largest group.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        stored: Callable[[], None],
        queue_bytes: int = _QUEUE_BYTES,
        group_rows: int = _GROUP_ROWS,
    ) -> None:
        self._log = log
        self._stored = stored
        self._queue_bytes = queue_bytes
        self._group_rows = group_rows
        self._open: dict[bytes, _Entry] = {}
        self._waiting: deque[_Entry] = deque()
        self._bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._modern: set[UserId] = set()

    def join(self, digest: bytes) -> asyncio.Future[bool] | None:
        """Wait for the commit of a row that is on its way; None when there is no such row."""
        entry = self._open.get(digest)
        return entry.join() if entry else None

    def add(self, row: NewEvent) -> asyncio.Future[bool]:
        """Put a row on its way.

        A caller that leaves does not take the row with it.

        Returns:
            Whether the event was known before; set after the commit.

        Raises:
            StorageUnavailable: too much is waiting.
        """
        entry = self._open.get(row.digest)
        if entry is not None:
            return entry.join()
        entry = _Entry(row)
        if self._bytes + entry.size > self._queue_bytes:
            raise StorageUnavailable("too many deliveries are waiting to be stored", retry_after=1.0)
        self._bytes += entry.size
        self._open[row.digest] = entry
        self._waiting.append(entry)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="fankeep-inbox")
        return entry.join()

    async def close(self) -> None:
        """Wait until everything that was put on its way is stored or refused."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), self._group_rows)
                await self._store([self._waiting.popleft() for _ in range(size)])
        finally:
            self._writer = None
            self._waiting.clear()  # this line and the next have work only when the task was cancelled
            self._give_up(list(self._open.values()), StorageUnavailable)

    async def _store(self, group: list[_Entry]) -> None:
        try:
            before = await self._commit([entry.row for entry in group])
        except StorageUnavailable:
            self._give_up(group, StorageUnavailable)
        except StorageError as problem:
            if isinstance(problem, ConstraintViolated):
                await self._store_alone(group)
            else:
                self._give_up(group, StorageError)
        except Exception as problem:  # noqa: BLE001 - one row that nobody foresaw must not cost the others
            _log.error("delivery_group_failed", rows=len(group), error=problem)
            await self._store_alone(group)
        else:
            for entry in group:
                self._close(entry).stored(before=entry.row.digest in before)

    async def _store_alone(self, group: list[_Entry]) -> None:
        """Find the row that spoils the group: each one alone, then without what is personal, then refused."""
        for entry in group:
            for row in (entry.row, entry.row._replace(payload=None, fan_index=None, dropped="")):
                try:
                    before = await self._commit([row])
                except StorageUnavailable:
                    self._give_up([entry], StorageUnavailable)
                    break
                except Exception as problem:  # noqa: BLE001 - as above
                    if isinstance(problem, StorageError) and not isinstance(problem, ConstraintViolated):
                        self._give_up([entry], StorageError)  # the database's fault, not the row's
                        break
                    _log.error("delivery_not_storable", event_id=row.digest.hex(), error=problem)
                else:
                    self._close(entry).stored(before=row.digest in before)
                    break
            else:
                self._give_up([entry], lambda: HostileInputError("not_storable"))

    async def _commit(self, rows: list[NewEvent]) -> frozenset[bytes]:
        rows.sort()  # every process in the same order: no two groups wait for each other
        modern = self._new_modern(rows)
        before = await self._log.add(rows, modern=modern)
        if len(self._modern) < _MODERN_KEPT:
            self._modern.update(modern)
        if any(row.wanted and row.digest not in before for row in rows):
            self._stored()
        return before

    def _new_modern(self, rows: Sequence[NewEvent]) -> list[UserId]:
        creators = {row.creator for row in rows if row.family == "creator" and row.creator is not None}
        return sorted(creators - self._modern)

    def _give_up(self, group: Sequence[_Entry], problem: Callable[[], FankeepError]) -> None:
        for entry in group:
            self._close(entry).failed(problem)

    def _close(self, entry: _Entry) -> _Entry:
        del self._open[entry.row.digest]
        self._bytes -= entry.size
        return entry
