"""The sensitivity runs of the benchmark of deliveries: one rule is left out, and the harness has to notice.

The rules are taken out here, round the product's functions, so that it has no switch for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fankeep.fanvue import VerifiedWebhook
from fankeep.inbox import Accepted, DatabaseLog, Inbox
from fankeep.inbox.handlers import Effect
from fankeep.store import Transaction, events
from fankeep.store.events import ClaimedEvent, Settlement

__all__ = ["ACKNOWLEDGE_FIRST", "LEFT_OUT", "MARK_OUTSIDE", "leave_out"]

ACKNOWLEDGE_FIRST = "acknowledge before commit"
MARK_OUTSIDE = "mark outside the transaction"


def leave_out(rule: str | None) -> None:
    """Leave out one of ``LEFT_OUT`` in this process; None leaves all rules on."""
    if rule is not None:
        LEFT_OUT[rule]()


def _acknowledge_before_commit() -> None:
    accept = Inbox.accept
    under_way: set[asyncio.Task[Accepted]] = set()

    async def early(self: Inbox, verified: VerifiedWebhook) -> Accepted:
        task = asyncio.create_task(accept(self, verified))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return Accepted("", duplicate=False)

    setattr(Inbox, "accept", early)  # noqa: B010 - mypy holds methods for constants


def _mark_outside_the_transaction() -> None:
    complete = DatabaseLog.complete

    async def not_marked(tx: Transaction, *, seq: int, claim: str) -> bool:
        del tx, seq, claim
        return True

    async def in_two(self: DatabaseLog, event: ClaimedEvent, effect: Effect) -> bool:
        done = await complete(self, event, effect)
        await self.settle([Settlement(event.seq, event.claim, "handled")])
        return done

    setattr(events, "mark_handled", not_marked)  # noqa: B010
    setattr(DatabaseLog, "complete", in_two)  # noqa: B010


LEFT_OUT: dict[str, Callable[[], None]] = {
    ACKNOWLEDGE_FIRST: _acknowledge_before_commit,
    MARK_OUTSIDE: _mark_outside_the_transaction,
}
