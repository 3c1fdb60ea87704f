"""Reading grants, and holding opened tokens for as long as their rows may be believed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fankeep.errors import ReconnectRequired
from fankeep.secret import Secret
from fankeep.store import Database, Transaction, grants
from fankeep.store.grants import GrantRow
from fankeep.telemetry import alarm
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault.clock import elapsed
from fankeep.vault.records import GrantRecords
from fankeep.vault.timing import Timing

__all__ = ["AccessToken", "Holding"]

_MOST_HELD = 4096
"""Opened tokens in memory; the one that was opened first goes first."""

_MOST_KNOWN = 65_536
"""Grants whose newest generation is remembered; the one that was read longest ago goes first."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token and the generation of the grant that it belongs to."""

    generation: Generation
    token: Secret[str]


@dataclass(frozen=True, slots=True)
class _Held:
    """An opened token; times on the clock of `elapsed`."""

    access: AccessToken
    good_until: float
    read_at: float


class _Newest(NamedTuple):
    """The newest generation of a grant that was seen, and how many reads had begun by then."""

    generation: Generation
    reads: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """A read that is under way, and when it began."""

    row: asyncio.Task[GrantRow | None]
    at: float


class Holding:
    """The grants as this process knows them.

    A token is served from memory while its row was read less than the row bound ago. After that the row is
    read again, and an unchanged generation re-uses what is open: so a logout in another process takes effect
    here within the bound, and the cost of opening is paid once a generation.
    """

    def __init__(self, database: Database, records: GrantRecords, timing: Timing) -> None:
        self._database = database
        self._records = records
        self._timing = timing
        self._held: dict[UserId, _Held] = {}
        self._newest: dict[GrantId, _Newest] = {}
        self._reads = 0
        self._readings: dict[UserId, _Reading] = {}

    def token(self, user: UserId, now: float) -> AccessToken | None:
        """Return the token that can be served without reading anything, if there is one."""
        held = self._held.get(user)
        if held is None or now - held.read_at >= self._timing.row_bound or now >= held.good_until:
            return None
        return held.access

    def forget(self, user: UserId) -> None:
        """Drop what is held for the creator."""
        self._held.pop(user, None)

    async def read(self, user: UserId, now: float) -> tuple[GrantRow | None, float]:
        """Read the creator's grant, together with everybody in this process who asks at the same time.

        A read is shared for as long as what it brings may be served from memory, and no longer.

        Returns:
            The row, as from `by_user`, and when its read began: ``now``, if this call began it.
        """
        reading = self._readings.get(user)
        if reading is None or now - reading.at >= self._timing.row_bound:
            reading = _Reading(asyncio.create_task(self.by_user(user)), now)
            self._readings[user] = reading
            reading.row.add_done_callback(partial(self._was_read, user))
        return await asyncio.shield(reading.row), reading.at

    def _was_read(self, user: UserId, task: asyncio.Task[GrantRow | None]) -> None:
        if user in self._readings and self._readings[user].row is task:
            del self._readings[user]
        if not task.cancelled():
            task.exception()  # looked at here, in case that everybody who waited has left

    async def by_user(self, user: UserId) -> GrantRow | None:
        """Read the creator's grant; None as well for one that is not authentic."""
        return await self._read(lambda tx: grants.by_user(tx, user))

    async def unauthentic(self, user: UserId) -> GrantRow | None:
        """Read the creator's grant if it is not authentic: nothing that it says is to be believed."""
        row = await self._database.read(lambda tx: grants.by_user(tx, user))
        return None if row is None or self._records.authentic(row) else row

    async def by_id(self, grant: GrantId) -> GrantRow | None:
        """Read a grant; None as well for one that is not authentic."""
        return await self._read(lambda tx: grants.load(tx, grant))

    async def open(self, row: GrantRow, read_at: float) -> AccessToken | None:
        """Open the row's access token, or find it open, and hold it.

        Opening may take long, when a key service is slow. What was read longer ago than the bound is not
        handed out then: in the meantime another process may have answered that nobody serves it any more.

        Args:
            row: a row whose token was decided to be good.
            read_at: just before the row was read, on the clock of `elapsed`.

        Returns:
            The token, or None when the row has to be read again.

        Raises:
            SealError: it does not open.
        """
        held = self._held.get(row.user_id)
        if held is not None and held.access.generation == row.generation:
            access = held.access
        else:
            access = AccessToken(row.generation, await self._records.open_access(row))
        newest = self._newest.get(row.id)
        if newest is not None and row.generation < newest.generation:
            return None  # a newer one was seen meanwhile
        if len(self._held) >= _MOST_HELD:
            self._held.pop(next(iter(self._held)))
        left = (row.access_left or 0.0) - self._timing.margin_of(row.access_lifetime or 0.0)
        self._held[row.user_id] = _Held(access, good_until=read_at + left, read_at=read_at)
        return access if elapsed() - read_at < self._timing.row_bound else None

    async def _read(self, load: Callable[[Transaction], Awaitable[GrantRow | None]]) -> GrantRow | None:
        """Read a row; once more when another read that ran beside this one has seen a newer one."""
        while True:
            self._reads += 1
            began = self._reads
            row = await self._database.read(load)
            if row is None:
                return None
            if not self._records.authentic(row):
                alarm("mac_mismatch", table="grants", grant=row.id)
                return None
            if self._newest_yet(row, began):
                return row

    def _newest_yet(self, row: GrantRow, began: int) -> bool:
        """Refuse a row that was put back: a process remembers the newest that it has seen.

        Args:
            row: as it was read.
            began: the number of the read; one that began before the newest was seen may well be older.
        """
        newest = self._newest.get(row.id)
        if newest is None or row.generation >= newest.generation:
            self._newest.pop(row.id, None)  # to put it last
            if len(self._newest) >= _MOST_KNOWN:
                self._newest.pop(next(iter(self._newest)))
            self._newest[row.id] = _Newest(row.generation, self._reads)
            return True
        if began > newest.reads:
            alarm("generation_regressed", grant=row.id, generation=row.generation)
            raise ReconnectRequired("regressed")
        return False
