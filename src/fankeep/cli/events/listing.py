"""``fankeep events list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fankeep.cli.events.filters import as_json, filter_options, limit_option, made
from fankeep.cli.operating import on_stores

if TYPE_CHECKING:
    from fankeep.keep.stores import Stores
    from fankeep.store.event_queries import EventFilter, StoredEvent

__all__ = ["before_option", "command", "print_page"]

before_option = click.option(
    "--before", type=click.IntRange(1), metavar="SEQ", help="Go on behind the page that ended with this one."
)


@click.command(
    "list",
    epilog="""\b
Examples:
  fankeep events list
  fankeep events list --type "creator.message.*" --since 2h
  fankeep events list --creator bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 --state pending
  fankeep events list --json --limit 1000 | jq -r .type | sort | uniq -c""",
)
@filter_options(state=True)
@limit_option
@before_option
@as_json
def command(*, limit: int, before: int | None, as_json: bool, **options: object) -> None:
    """List events, the newest first; what is personal is not shown.

    An event is `pending` until it was handled, `dead` when it was given up, and `shadow` when an event of
    another family tells the same: it is then kept and not handled.
    """
    print_page(made(options), limit=limit, before=before, as_json=as_json)


def print_page(wanted: EventFilter, *, limit: int, before: int | None, as_json: bool) -> None:
    """Read and print one page, and say how to get the next one."""
    from fankeep.cli.events.views import print_table
    from fankeep.keep.settings import Settings
    from fankeep.store import event_queries

    async def work(stores: Stores) -> list[StoredEvent]:
        more = {} if before is None else {"before": before}
        return await stores.data.read(lambda tx: event_queries.page(tx, wanted, limit=limit, **more))

    events = on_stores(Settings(), work)
    print_table(events, as_json=as_json)
    if len(events) == limit and not as_json:
        click.echo(f"the next page: --before {events[-1].seq}", err=True)
