"""``fankeep service-keys``: who may use the internal listener, for what, and until when."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fankeep.cli.operating import on_stores, span

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.keep.stores import Stores
    from fankeep.servicekeys import ListedKey, Permissions, ServiceKeys

__all__ = ["command"]

_DAY = 86_400.0
_EMPTY = "this key may call nothing; see --operations, --events and --access-tokens"
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")


@click.group(
    epilog="""\b
Examples:
  fankeep service-keys create app --operations "getCurrentUser listChats"
  fankeep service-keys create bot --users all --operations sendMessage --days 30
  fankeep service-keys list
  fankeep service-keys revoke 4f1b0c9d2e3a"""
)
def command() -> None:
    """Make, list and revoke the keys of programs that use the internal listener.

    A key goes into the Authorization header of each request: Bearer, and the key. It is shown once, when it
    is made; only its hash is stored.
    """


@command.command(
    epilog="""\b
Examples:
  fankeep service-keys create app --operations all > app.key
  fankeep service-keys create reports --users all --operations "listChats getEarnings"
  fankeep service-keys create worker --users all --events
  fankeep service-keys create mia-bot --users bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 --operations sendMessage"""
)
@click.argument("name")
@click.option(
    "--operations",
    default="",
    help="The API operations that it may call, by id; or `all` that the app may.  [default: none]",
)
@click.option(
    "--users",
    default="session",
    show_default=True,
    help="For whom: `session`, the creator whose session cookie comes with the call; `all`; or uuids.",
)
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it lasts.")
@click.option(
    "--access-tokens",
    is_flag=True,
    help="Let it ask for access tokens themselves, which call whatever a creator has granted.",
)
@click.option(
    "--events", is_flag=True, help="Let it fetch the events of its creators, where FANKEEP_EVENTS is `pull`."
)
@_as_json
def create(
    *, name: str, operations: str, users: str, days: int, access_tokens: bool, events: bool, as_json: bool
) -> None:
    """Make a key called NAME, and show it: on stdout and nowhere else, never again."""
    from fankeep.keep.settings import Settings

    settings = Settings()
    allowed = _permissions(settings, operations, users, access_tokens=access_tokens, events=events)

    async def work(stores: Stores) -> tuple[str, str]:
        key, shown = await _keys(stores).create(name, allowed, lifetime=days * _DAY)
        return key.id, shown.reveal()

    if not (allowed.operations or allowed.access_tokens or allowed.events):
        click.echo(
            "fankeep: this key may call nothing; see --operations, --events and --access-tokens", err=True
        )
    key_id, shown = on_stores(settings, work)
    if as_json:
        click.echo(json.dumps({"id": key_id, "key": shown}))
    else:
        click.echo(shown)
        click.echo(f"made {key_id} for {days} days; keep it now, it is not shown again", err=True)


@command.command(
    "list", epilog="\b\nExamples:\n  fankeep service-keys list\n  fankeep service-keys list --json"
)
@_as_json
def list_keys(*, as_json: bool) -> None:
    """List the keys, the oldest first; nothing in it is secret."""
    from fankeep.keep.settings import Settings

    async def work(stores: Stores) -> list[ListedKey]:
        return await _keys(stores).list()

    keys = on_stores(Settings(), work)
    if not as_json:
        _print_table(keys)
        return
    for key in keys:
        click.echo(json.dumps({**asdict(key), "state": _state(key)}))


@command.command(
    epilog="""\b
Examples:
  fankeep service-keys revoke 4f1b0c9d2e3a
  fankeep service-keys list --json | jq -r 'select(.name == "bot").id' | xargs fankeep service-keys revoke"""
)
@click.argument("key_id", metavar="ID")
@_as_json
def revoke(*, key_id: str, as_json: bool) -> None:
    """Revoke a key, by the id that `list` shows. When this has answered, nobody accepts it any more."""
    from fankeep.errors import ConfigurationError
    from fankeep.keep.settings import Settings

    async def work(stores: Stores) -> bool:
        return await _keys(stores).revoke(key_id)

    if not on_stores(Settings(), work):
        raise ConfigurationError("there is no service key of this id: see `fankeep service-keys list`")
    click.echo(json.dumps({"revoked": key_id}) if as_json else f"revoked {key_id}")


def _keys(stores: Stores) -> ServiceKeys:
    from fankeep.servicekeys import ServiceKeys

    return ServiceKeys(stores.data, stores.datakeys.installation, stores.datakeys.ledger)


def _permissions(
    settings: Settings, operations: str, users: str, *, access_tokens: bool, events: bool
) -> Permissions:
    from fankeep.errors import ConfigurationError
    from fankeep.keep.parsing import as_words
    from fankeep.servicekeys import EVERY_OPERATION, Permissions

    words = as_words(operations)
    may = {EVERY_OPERATION, *settings.operation_ids}
    if not may.issuperset(words):
        raise ConfigurationError(
            f"--operations names one that is not in FANKEEP_OPERATIONS: the app may not{_meant(words, may)}"
        )
    return Permissions.parse(
        " ".join(words), " ".join(as_words(users.lower())), access_tokens=access_tokens, events=events
    )


def _meant(words: Iterable[str], may: Collection[str]) -> str:
    """Ask whether operations that the app may call were meant by those that the API does not have."""
    from fankeep.fanvue.nearest import did_you_mean
    from fankeep.fanvue.operations import OPERATIONS

    return did_you_mean((word for word in words if word not in OPERATIONS), may)


def _print_table(keys: list[ListedKey]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "name", "state", "users", "operations", "expires in", "last used", box=None)
    for key in keys:
        used = "never" if key.unused_for is None else f"{span(key.unused_for)} ago"
        more = (["+ access tokens"] if key.access_tokens else []) + (["+ events"] if key.events else [])
        operations = " ".join((*key.operations, *more))
        table.add_row(
            key.id, key.name, _state(key), " ".join(key.users), operations, span(max(key.left, 0)), used
        )
    Console(soft_wrap=True, markup=False).print(table)


def _state(key: ListedKey) -> str:
    if not key.genuine:
        return "not genuine"
    return "good" if key.left > 0 else "expired"
