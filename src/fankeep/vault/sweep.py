"""What the vault does before anybody asks: refresh ahead of expiry, recover, end what is not used."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from fankeep.errors import FankeepError
from fankeep.store import Database, grant_lists
from fankeep.store.grants import GrantRow
from fankeep.telemetry import get_logger
from fankeep.types import GrantId
from fankeep.vault.attempts import Attempts
from fankeep.vault.clock import elapsed
from fankeep.vault.holding import AccessToken
from fankeep.vault.revocations import Revocations
from fankeep.vault.states import State
from fankeep.vault.timing import Timing, spread

__all__ = ["Sweeper", "ahead_of_expiry"]

_MOST = 200
"""Rows of one look. What is left over comes in the next."""

_REAP_EVERY = 3_600.0
_REAP_AT_ONCE = 20

_T = TypeVar("_T")
_Attempt: TypeAlias = "asyncio.Task[AccessToken | FankeepError]"

log = get_logger("fankeep.vault")


class Sweeper:
    """Looks for grants that need something, every few seconds, in each process.

    Nothing depends on it being on time: a caller does all the same. Several processes look at the same rows,
    and the claim decides who does the work.
    """

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        revocations: Revocations,
        *,
        finish: Callable[[GrantId], asyncio.Task[bool]],
        end_unused: Callable[[int], Awaitable[object]],
        timing: Timing,
    ) -> None:
        """Take what does the work.

        Args:
            database: where the grants are.
            attempts: refreshes.
            revocations: chains that logins have replaced.
            finish: goes on with an ending in a task of its own.
            end_unused: ends so many unused grants.
            timing: the bounds.
        """
        self._database = database
        self._attempts = attempts
        self._revocations = revocations
        self._finish = finish
        self._end_unused = end_unused
        self._timing = timing
        self._ahead: set[_Attempt] = set()
        self._recovering: set[_Attempt] = set()
        self._ending: set[asyncio.Task[bool]] = set()
        self._resting: dict[GrantId, float] = {}
        self._reaped_at = elapsed()

    async def run(self) -> None:
        """Sweep until cancelled. Processes that start together drift apart."""
        while True:
            try:
                await self.sweep()
            except FankeepError as error:
                log.warning("sweep_failed", code=error.code)
            await asyncio.sleep(self._timing.sweep * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load

    async def sweep(self) -> None:
        """Look once and begin what is due.

        Raises:
            FankeepError: the database cannot be used.
        """
        timing = self._timing
        now = elapsed()
        self._resting = {grant: until for grant, until in self._resting.items() if until > now}
        for row in await self._database.read(lambda tx: grant_lists.left_open(tx, most=_MOST)):
            self._go_on(row)
        rows = await self._database.read(
            lambda tx: grant_lists.due(
                tx, ahead=2 * timing.margin, used_within=timing.in_use, idle=timing.idle, most=_MOST
            )
        )
        for row in rows:
            if row.id not in self._resting and ahead_of_expiry(row, timing):
                self._refresh_ahead(row)
        await self._revocations.work_off()
        if now - self._reaped_at > _REAP_EVERY:
            self._reaped_at = now
            await self._end_unused(_REAP_AT_ONCE)

    def _go_on(self, row: GrantRow) -> None:
        """Go on with what somebody has left open.

        Within the grace of an unanswered send there is no time to lose, and there are never more of those
        than there were refreshes. Everything else waits for its turn: after a long outage there may be as
        many as there are grants.
        """
        timing = self._timing
        urgent = _in_window(row, timing)
        if row.id in self._resting and not urgent:
            return
        if row.state == State.ENDING:
            if len(self._ending) < timing.ending_budget:
                self._watch(row.id, self._finish(row.id), self._ending)
        elif not row.sends:  # of a restored grant nothing is open, but it is not believed
            self._refresh_ahead(row)
        elif urgent or len(self._recovering) < timing.recovery_budget:
            self._watch(row.id, self._attempts.begin(row.id), self._recovering)

    def _refresh_ahead(self, row: GrantRow) -> None:
        if len(self._ahead) < self._timing.sweep_budget:
            self._watch(row.id, self._attempts.begin(row.id, forced=row.generation), self._ahead)

    def _watch(self, grant: GrantId, task: asyncio.Task[_T], under_way: set[asyncio.Task[_T]]) -> None:
        """Count the task as under way, and leave a grant alone for a while with which it did not succeed."""

        def note(done: asyncio.Task[_T]) -> None:
            under_way.discard(done)
            if done.cancelled() or done.exception() is not None or _failed(done.result()):
                self._resting[grant] = elapsed() + self._timing.sweep_rest

        under_way.add(task)
        task.add_done_callback(note)


def _failed(result: object) -> bool:
    return result is False or isinstance(result, FankeepError)


def _in_window(row: GrantRow, timing: Timing) -> bool:
    since = row.since_first_send
    open_send = row.state in (State.REFRESHING, State.BLOCKED)
    return open_send and since is not None and since < timing.repeat_window


def ahead_of_expiry(row: GrantRow, timing: Timing) -> bool:
    """Whether the sweep refreshes this grant now.

    That is up to one margin before a caller would find it expired. How long before differs from grant to
    grant and is the same in every process, so that grants which were connected together drift apart.
    """
    if (row.unused_for is None or row.unused_for > timing.in_use) and row.stored_age > timing.idle:
        return True
    jitter = spread(f"{row.id}:{row.generation}")
    return (row.access_left or 0.0) < timing.margin_of(row.access_lifetime or 0.0) * (1.0 + jitter)
