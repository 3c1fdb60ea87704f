"""``fankeep events show``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from fankeep.cli.events.filters import as_digest, as_json
from fankeep.cli.operating import on_stores, operator

if TYPE_CHECKING:
    from fankeep.keep.stores import Stores
    from fankeep.store.event_queries import StoredEvent

__all__ = ["command"]


@click.command(
    "show",
    epilog="""\b
Examples:
  fankeep events show 5b0c1f0e8f5d4a0a9c2f6f3f4b1d7e90
  fankeep events show 5b0c1f0e8f5d4a0a9c2f6f3f4b1d7e90 --payload --json""",
)
@click.argument("event_id", metavar="ID")
@click.option(
    "--payload",
    is_flag=True,
    help="Open the fields that were kept and show them. They are personal: this is written to the trail.",
)
@as_json
def command(*, event_id: str, payload: bool, as_json: bool) -> None:
    """Show all that is known of one event, by the id that `list` and handlers show."""
    from fankeep.cli.events.views import print_one
    from fankeep.errors import ConfigurationError
    from fankeep.inbox.revealing import reveal
    from fankeep.keep.settings import Settings
    from fankeep.store import event_queries

    digest = as_digest(event_id)

    async def work(stores: Stores) -> tuple[StoredEvent, Mapping[str, object] | None]:
        event = await stores.data.read(lambda tx: event_queries.load(tx, digest))
        if event is None:
            raise ConfigurationError("there is no event of this id: see `fankeep events list`")
        if not payload:
            return event, None
        return event, await reveal(stores.data, stores.datakeys, event, actor=operator())

    event, data = on_stores(Settings(), work)
    print_one(event, data, as_json=as_json)
