"""``fankeep events tail``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import click

from fankeep.cli.events.filters import as_json, creator_option, made, type_option
from fankeep.cli.operating import on_stores

if TYPE_CHECKING:
    from fankeep.keep.stores import Stores

__all__ = ["command"]

_PAUSE = 0.5


@click.command(
    "tail",
    epilog="""\b
Examples:
  fankeep events tail
  fankeep events tail --type "creator.payment.*" --json | jq -c '[.type, .creator]'""",
)
@type_option
@creator_option
@as_json
def command(*, as_json: bool, **options: object) -> None:
    """Show events as they are stored, until Ctrl-C; what is personal is not shown.

    Each is shown once, in the state in which it was found. On PostgreSQL several processes store at the same
    time: one that was numbered before another may be shown after it.
    """
    from fankeep.cli.events.views import print_line
    from fankeep.errors import RetryableError
    from fankeep.inbox.following import Following
    from fankeep.keep.settings import Settings

    wanted = made(options)

    async def work(stores: Stores) -> NoReturn:
        following = Following(stores.data)
        await following.start()
        click.echo("waiting for events", err=True)
        while True:
            try:
                events = await following.next()
            except RetryableError as error:  # a database that is being restarted comes back
                click.echo(f"fankeep: {error}", err=True)
                events = []
            for event in filter(wanted.matches, events):
                print_line(event, as_json=as_json)
            if not events:
                await asyncio.sleep(_PAUSE)

    on_stores(Settings(), work)
