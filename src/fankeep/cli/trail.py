"""``fankeep trail``: who did what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fankeep.cli.moments import iso
from fankeep.cli.operating import on_stores, plain

if TYPE_CHECKING:
    from fankeep.keep.stores import Stores
    from fankeep.store.trail import Entry

__all__ = ["command"]

_WIDTH = 1000


@click.command(
    epilog="""\b
Examples:
  fankeep trail
  fankeep trail --limit 1000 --json | jq 'select(.action == "events_replayed")'"""
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many lines at most."
)
@click.option(
    "--before", type=click.IntRange(1), metavar="SEQ", help="Go on behind the page that ended with this one."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
def command(*, limit: int, before: int | None, as_json: bool) -> None:
    """Show what operators and programs have done, the newest first.

    Each line was written in one transaction with what it tells. It holds ids and counts, and nothing
    personal.
    """
    from fankeep.keep.settings import Settings
    from fankeep.store import trail

    async def work(stores: Stores) -> list[Entry]:
        more = {} if before is None else {"before": before}
        return await stores.data.read(lambda tx: trail.page(tx, limit=limit, **more))

    entries = on_stores(Settings(), work)
    if as_json:
        for entry in entries:
            click.echo(json.dumps({**entry._asdict(), "at": iso(entry.at)}))
        return
    _print_table(entries)
    if len(entries) == limit:
        click.echo(f"the next page: --before {entries[-1].seq}", err=True)


def _print_table(entries: list[Entry]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("at", "actor", "action", "object", "outcome"):
        table.add_column(name, no_wrap=True)
    for entry in entries:
        words = (entry.actor, entry.action, entry.object, entry.outcome)
        table.add_row(iso(entry.at) or "", *map(plain, words))
    # Wider than any row: a line stays a line, for those who search it.
    Console(soft_wrap=True, markup=False, highlight=False, width=_WIDTH).print(table)
