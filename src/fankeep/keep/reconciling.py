"""Looking for events that never came, wired: for the services of a process and for an operator's command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from fankeep.client import FanvueApi
from fankeep.fanvue.opt_ins import opted_in
from fankeep.fanvue.times import as_iso
from fankeep.inbox import KeepLists
from fankeep.inbox.filling import Filling
from fankeep.keep.grants import open_grants
from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores
from fankeep.reconcile import Reconciler, Report, Watch
from fankeep.store import Database, sessions, trail
from fankeep.telemetry import get_logger
from fankeep.transport import Transport

__all__ = ["noted", "open_reconciler", "watch_for"]

log = get_logger("fankeep.keep")

_ACTION: Final = "events_reconciled"
_DAY: Final = 86_400.0
_FARTHEST: Final = 7 * _DAY
"""Seconds back that are looked at by itself: whoever keeps an old delivery can send it again."""


@asynccontextmanager
async def open_reconciler(settings: Settings, stores: Stores) -> AsyncIterator[Reconciler]:
    """Compare beside the processes that serve; they handle what is filled in."""
    async with AsyncExitStack() as stack:
        grants = await stack.enter_async_context(open_grants(settings, stores))
        transport = Transport(https_only=not settings.development)
        stack.push_async_callback(transport.close)
        api = FanvueApi(transport, grants.vault, api_url=settings.api_url)
        keep = KeepLists(opted_in(settings.keep_fields))
        yield _reconciler(settings, stores, api, Filling(stores.data, stores.datakeys, keep=keep))


def watch_for(
    settings: Settings,
    stores: Stores,
    api: FanvueApi,
    *,
    stored: Callable[[], None],
    wanted: Callable[[str], bool],
    keep: KeepLists,
) -> Watch:
    """Make the watch of a process that serves."""
    filling = Filling(stores.data, stores.datakeys, stored=stored, wanted=wanted, keep=keep)
    reconciler = _reconciler(settings, stores, api, filling)
    fill = settings.reconcile == "fill"

    async def look(since: float) -> None:
        now = await stores.data.read(sessions.clock)
        since = max(since, now - _FARTHEST)
        reports = [report async for report in reconciler.everybody(since=since, fill=fill)]
        await noted(stores.data, reports, actor="system", since=since)

    return Watch(look)


def _reconciler(settings: Settings, stores: Stores, api: FanvueApi, filling: Filling) -> Reconciler:
    age = settings.keep_payloads_days * _DAY
    return Reconciler(api, stores.data, stores.datakeys, filling, payloads_age=age)


async def noted(database: Database, reports: list[Report], *, actor: str, since: float) -> None:
    """Write what a comparison found into the trail and the log."""
    messages = [report.messages for report in reports]
    missing, filled = sum(part.missing for part in messages), sum(part.filled for part in messages)
    payments = sum(report.payments.missing for report in reports)
    unread = sum(not report.readable for report in reports)
    found = (
        f"{_counted(len(reports), 'creator')}, {_counted(missing, 'message')} missing, {filled} filled, "
        f"{_counted(payments, 'payment')} missing"
    )
    await database.write(
        lambda tx: trail.note(
            tx, actor=actor, action=_ACTION, subject=f"since {as_iso(since)}", outcome=found
        )
    )
    tell = log.warning if missing or payments else log.info
    tell(
        "events_reconciled",
        creators=len(reports),
        messages_missing=missing,
        messages_filled=filled,
        payments_missing=payments,
        creators_unread=unread,
    )


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
