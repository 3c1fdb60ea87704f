"""The steps of a refresh at which a process is stopped, and the wrappers that stop it exactly there.

The vault is the real one. What it is given is wrapped: the database knows when the claim and the save pass
by, the token endpoint when an answer has come. Two steps lie outside the process, between it and the server:
there the request carries a mark, and the relay that it passes through does the stopping.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import Final, Literal, TypeVar

from fankeep.errors import FankeepError, StorageUnavailable
from fankeep.oauth import Verdict
from fankeep.secret import Secret
from fankeep.store import Command, Database, SqlValue, Statement, Transaction
from fankeep.store.database import Deliveries
from fankeep.store.grants import CLAIM, SAVE
from fankeep.transport import Transport
from fankeep.types import HttpRequest, HttpResponse
from fankeep.vault import TokenEndpoint

__all__ = ["MARK", "UNSAFE", "MarkingTransport", "Step", "SteppingDatabase", "SteppingEndpoint", "Trap"]

R = TypeVar("R")
T = TypeVar("T")

MARK: Final = "bench-step"
_THIRD_SEND: Final = 2


class Step(StrEnum):
    """Where a process can be stopped, in their order."""

    BEFORE_CLAIM = "before_claim"
    AFTER_CLAIM = "after_claim"
    AFTER_SEND = "after_send"
    AFTER_ROTATION = "after_rotation"
    AFTER_ANSWER = "after_answer"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


UNSAFE: Final = frozenset({Step.AFTER_SEND, Step.AFTER_ROTATION, Step.AFTER_ANSWER, Step.BEFORE_COMMIT})
"""Between rotation and commit: without a grace nothing can save a grant whose process dies there."""

_UNDER_WAY: Final = {Step.BEFORE_CLAIM: 0, Step.AFTER_ANSWER: 1, Step.BEFORE_COMMIT: 1}
"""Requests that a process may have under way when it is stopped there, its own included."""

_AT_THE_RELAY: Final = frozenset({Step.AFTER_SEND, Step.AFTER_ROTATION})


class Trap:
    """Stops this process when it reaches the step that was named.

    The promise is two deaths in a row. So a process that is at a grant's third send is spared, whichever
    grant it was to be stopped for.
    """

    def __init__(self) -> None:
        self._armed: tuple[Step, signal.Signals] | None = None
        self._third_sends = 0
        self._under_way = 0
        self.sends: ContextVar[int] = ContextVar("sends", default=0)

    def arm(self, step: Step, how: signal.Signals) -> None:
        """Stop at this step, as soon as it is reached."""
        self._armed = (step, how)

    def reach(self, step: Step) -> None:
        """Stop here, if this is the step."""
        how = self._take(step)
        if how is not None:
            print(json.dumps({"stopped": step}), flush=True)
            os.kill(os.getpid(), how)

    def mark(self) -> str | None:
        """What the relay has to do to this process, if the step is one of its own."""
        for step in _AT_THE_RELAY:
            how = self._take(step)
            if how is not None:
                print(json.dumps({"stopped": step}), flush=True)
                return f"{step}:{int(how)}"
        return None

    def claimed(self, sends: int) -> None:
        """Take note that the running attempt has claimed its grant, after so many earlier sends."""
        self.sends.set(sends)
        task = asyncio.current_task()
        if task is None:
            return
        self._under_way += 1
        third = int(sends >= _THIRD_SEND)
        self._third_sends += third
        task.add_done_callback(lambda _: self._done(third))

    def _done(self, third: int) -> None:
        self._under_way -= 1
        self._third_sends -= third

    def _take(self, step: Step) -> signal.Signals | None:
        if self._armed is None or self._armed[0] != step or self._third_sends:
            return None
        how = self._armed[1]
        # Who is stopped with an answer, or with the lock of SQLite's writers, must not leave another request
        # unanswered: nobody could repeat it within the grace, so that would be a death.
        if how == signal.SIGSTOP and self._under_way > _UNDER_WAY.get(step, self._under_way):
            return None
        self._armed = None
        return how


class _Watched:
    """A transaction that knows whether it has claimed or saved."""

    def __init__(self, tx: Transaction, trap: Trap, *, bound_to_lease: bool) -> None:
        self._tx = tx
        self._trap = trap
        self._bound = bound_to_lease
        self.claimed_after: int | None = None
        self.saved = False

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        return self._tx.engine

    async def one(self, stmt: Statement[R], **params: SqlValue) -> R | None:
        if stmt is not CLAIM:
            return await self._tx.one(stmt, **params)
        self._trap.reach(Step.BEFORE_CLAIM)
        found = await self._tx.one(stmt, **params)
        if found is not None:
            self.claimed_after = int(str(params["seen_sends"]))
        return found

    async def all(self, stmt: Statement[R], **params: SqlValue) -> list[R]:
        return await self._tx.all(stmt, **params)

    async def run(self, cmd: Command, **params: SqlValue) -> int:
        if cmd is not SAVE:
            return await self._tx.run(cmd, **params)
        if self._bound and not await self._lease_holds(params):
            raise _LeaseOver
        changed = await self._tx.run(cmd, **params)
        self.saved = changed == 1
        self._trap.reach(Step.BEFORE_COMMIT)
        return changed

    async def many(self, cmd: Command, rows: Sequence[Mapping[str, SqlValue]]) -> None:
        await self._tx.many(cmd, rows)

    async def _lease_holds(self, params: Mapping[str, SqlValue]) -> bool:
        held = await self._tx.one(_LEASE_HOLDS, id=params["id"], attempt_id=params["stored_by"])
        return bool(held)


class _LeaseOver(FankeepError):
    """A vault that trusted its lease would drop the answer here."""

    code = "bench_lease_over"


_LEASE_HOLDS = Statement(
    "SELECT count(*) FROM grants WHERE id = :id AND attempt_id = :attempt_id AND lease_until > {now}", int
)


class SteppingDatabase:
    """The database, with the steps of a refresh known.

    Args:
        database: the real one.
        trap: what to do at the steps.
        forget: of so many saves one is committed without the vault being told.
        bound_to_lease: save only while the claim holds, as a vault would that trusted its lease.
    """

    def __init__(
        self, database: Database, trap: Trap, *, forget: int = 0, bound_to_lease: bool = False
    ) -> None:
        self._database = database
        self._trap = trap
        self._forget = forget
        self._bound = bound_to_lease
        self._saves = 0

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        return self._database.engine

    async def write(
        self, work: Callable[[Transaction], Awaitable[T]], *, deliveries: Deliveries | None = None
    ) -> T:
        watched: list[_Watched] = []

        async def watch(tx: Transaction) -> T:
            watched.append(_Watched(tx, self._trap, bound_to_lease=self._bound))
            return await work(watched[-1])

        result = await self._database.write(watch, deliveries=deliveries)
        last = watched[-1]
        if last.claimed_after is not None:
            self._trap.claimed(last.claimed_after)
            self._trap.reach(Step.AFTER_CLAIM)
        if last.saved:
            self._trap.reach(Step.AFTER_COMMIT)
            self._saves += 1
            if self._forget and self._saves % self._forget == 0:
                raise StorageUnavailable("the connection was cut after COMMIT was sent")
        return result

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self._database.read(work)

    async def close(self) -> None:
        await self._database.close()


class SteppingEndpoint(TokenEndpoint):
    """The token endpoint, with the moment known at which an answer has come."""

    trap: Trap

    async def refresh(self, token: Secret[str], *, guard: Callable[[], None] | None = None) -> Verdict:
        verdict = await super().refresh(token, guard=guard)
        if verdict.tokens is not None and guard is not None:
            self.trap.reach(Step.AFTER_ANSWER)
        return verdict


class MarkingTransport(Transport):
    """The outbound client; a request at which this process is to be stopped carries a mark for the relay."""

    trap: Trap

    async def send(
        self,
        request: HttpRequest,
        *,
        timeout: float,
        max_bytes: int = 1 << 20,
        guard: Callable[[], None] | None = None,
    ) -> HttpResponse:
        mark = self.trap.mark() if guard is not None else None
        if mark is not None:
            request = HttpRequest(request.method, request.url, {**request.headers, MARK: mark}, request.body)
        return await super().send(request, timeout=timeout, max_bytes=max_bytes, guard=guard)
