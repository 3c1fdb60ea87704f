"""``fankeep events dead``."""

from __future__ import annotations

import click

from fankeep.cli.events.filters import as_json, filter_options, limit_option, made
from fankeep.cli.events.listing import before_option, print_page

__all__ = ["command"]


@click.command(
    "dead",
    epilog="""\b
Examples:
  fankeep events dead
  fankeep events dead --reason handler_failed --since 1d
  fankeep events dead --json | jq -r .reason | sort | uniq -c""",
)
@filter_options(state=False)
@limit_option
@before_option
@as_json
def command(*, limit: int, before: int | None, as_json: bool, **options: object) -> None:
    """List dead letters, the newest first: events that were given up, with the reason of the last failure.

    `handler_failed`: a handler raised, or the app refused it. `timed_out`: a handler took too long.
    `crashed`: the process ended whenever it had the event. `not_acknowledged`: the app fetched it and never
    said that it was done. `unreadable`: what is stored does not open. `key_unavailable`: the key service did
    not answer. They stay until their retention ends; `fankeep events replay` has them handled once more.
    """
    print_page(made(options, state="dead"), limit=limit, before=before, as_json=as_json)
