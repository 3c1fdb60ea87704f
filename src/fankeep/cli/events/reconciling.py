"""``fankeep events reconcile``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from fankeep.cli.events.filters import as_json, creator_option
from fankeep.cli.moments import iso, moment
from fankeep.cli.operating import on_stores, operator
from fankeep.cli.progress import progress_bars

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.keep.stores import Stores
    from fankeep.reconcile import Compared, Report
    from fankeep.types import UserId

__all__ = ["command"]

_DAY: Final = 86_400.0
_INCOMPLETE: Final = 1
_WIDTH: Final = 1000
_MESSAGES: Final = ("listChats", "listMessages")
_PAYMENTS: Final = ("getEarnings",)
_SCOPE_MISSING: Final = "scope_missing"
_READ: Final = {
    "not_connected": "not read: not connected",
    "reconnect_required": "not read: has to connect again",
}


@click.command(
    "reconcile",
    epilog="""\b
Examples:
  fankeep events reconcile --since 2h
  fankeep events reconcile --since 2026-11-29T14:00Z --fill
  fankeep events reconcile --since 1d --creator bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 --json""",
)
@click.option(
    "--since",
    callback=moment,
    required=True,
    metavar="TIME",
    help="From when on: 30min, 2h, 7d, or 2026-11-29T14:00Z.",
)
@creator_option
@click.option("--fill", is_flag=True, help="Store messages that are missing as if their events had come.")
@as_json
def command(*, since: float, creator: UserId | None, fill: bool, as_json: bool) -> int:
    """Compare what Fanvue's API tells with the events that came, after an outage for example.

    Messages of fans and payments are looked at, up to two minutes ago; nothing is marked as read. Missing
    payments are only reported: nothing tells two of the same amount apart for sure, and money that is counted
    twice is worse. Exits with 1 when something is missing that was not filled in, or could not be read.
    """
    from fankeep.keep.settings import Settings

    settings = Settings()
    _refuse_too_far(settings, since)
    reports = on_stores(settings, lambda stores: _compared(settings, stores, since, creator, fill=fill))
    for report in reports:
        if as_json:
            click.echo(json.dumps({**asdict(report), "since": iso(report.since)}))
    if not as_json:
        _print_table(reports)
    return 0 if all(report.complete for report in reports) else _INCOMPLETE


def _refuse_too_far(settings: Settings, since: float) -> None:
    """What is older than the events that are kept would seem to be missing, all of it."""
    if since < time.time() - (settings.keep_events_days - 1) * _DAY:
        raise click.UsageError(
            f"--since lies too far back: events are kept for {settings.keep_events_days} days "
            "(FANKEEP_KEEP_EVENTS_DAYS), and what came before is not known any more"
        )


async def _compared(
    settings: Settings, stores: Stores, since: float, creator: UserId | None, *, fill: bool
) -> list[Report]:
    from fankeep.keep.reconciling import noted, open_reconciler

    reports = []
    async with open_reconciler(settings, stores) as reconciler:
        creators = [creator] if creator else await reconciler.creators()
        with progress_bars() as bars:
            advance = bars.step("comparing creators", len(creators))
            for one in creators:
                reports.append(await reconciler.one(one, since=since, fill=fill))
                advance(1)
    await noted(stores.data, reports, actor=operator(), since=since)
    return reports


def _print_table(reports: list[Report]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("creator", "messages", "missing", "filled", "payments", "missing"):
        table.add_column(name, no_wrap=True)
    for report in reports:
        said = report.messages, report.payments
        table.add_row(
            report.creator,
            _seen(said[0], _MESSAGES),
            str(said[0].missing),
            str(said[0].filled),
            _seen(said[1], _PAYMENTS),
            str(said[1].missing),
        )
    # Wider than any row: a line stays a line, for those who search it.
    Console(soft_wrap=True, markup=False, highlight=False, width=_WIDTH).print(table)


def _seen(compared: Compared, operations: tuple[str, ...]) -> str:
    from fankeep.fanvue import required_scopes

    if compared.unread is None:
        return str(compared.seen)
    if compared.unread == _SCOPE_MISSING:
        several = "s" if len(operations) > 1 else ""
        needed = f"{' '.join(required_scopes(operations))}, operation{several} {' and '.join(operations)}"
        return f"not read: the scope is not granted ({needed})"
    return _READ.get(compared.unread, f"{compared.seen}, then the API failed")
