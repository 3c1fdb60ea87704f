"""``fankeep grants``: which creators are connected, how their grants stand, and how to end one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

import click

from fankeep.cli.operating import on_stores, operator, plain, span

if TYPE_CHECKING:
    from fankeep.keep.grants import Grants
    from fankeep.keep.stores import Stores
    from fankeep.types import UserId
    from fankeep.vault import GrantStatus

__all__ = ["command"]

T = TypeVar("T")

_UNCONFIRMED = 1
_UUID_LENGTH = 36
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")


@click.group(
    epilog="""\b
Examples:
  fankeep grants list
  fankeep grants show bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep grants disconnect bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep grants reap --dry-run"""
)
def command() -> None:
    """See and end the grants: what each creator has allowed this app, and the tokens that go with it.

    No command shows a token. They work beside a running gateway.
    """


@command.command(
    "list",
    epilog="""\b
Examples:
  fankeep grants list
  fankeep grants list --json | jq 'select(.state != "live")'""",
)
@_as_json
def list_grants(*, as_json: bool) -> None:
    """List every grant, the oldest first."""
    rows = _on_grants(lambda grants: grants.vault.statuses())
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row)))
    else:
        _print_list(rows)


@command.command(
    epilog="""\b
Examples:
  fankeep grants show bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep grants show bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 --json"""
)
@click.argument("user", metavar="CREATOR")
@_as_json
def show(*, user: str, as_json: bool) -> None:
    """Show how one grant stands; CREATOR is the uuid that `list` shows."""
    known = _uuid(user)
    status = _known(_on_grants(lambda grants: grants.vault.status(known)))
    if as_json:
        click.echo(json.dumps(asdict(status)))
    else:
        _print_one(status)


@command.command(
    epilog="""\b
Examples:
  fankeep grants disconnect bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep grants disconnect bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 --json"""
)
@click.argument("user", metavar="CREATOR")
@_as_json
def disconnect(*, user: str, as_json: bool) -> None:
    """End a grant and the creator's sessions, and revoke the tokens at Fanvue.

    When this has answered, no process uses the grant any more. Exits with 1 when Fanvue has not confirmed the
    revocation yet: a running gateway goes on trying, for a day.
    """
    known = _uuid(user)

    async def work(grants: Grants) -> bool:
        _known(await grants.vault.status(known))
        return await grants.lifecycle.disconnect(known)

    confirmed = _on_grants(work)
    if as_json:
        click.echo(json.dumps({"user": known, "revoked": confirmed}))
    else:
        told = "revoked at Fanvue" if confirmed else "not confirmed by Fanvue yet; a running gateway goes on"
        click.echo(f"disconnected {known}: {told}")
    if not confirmed:
        click.get_current_context().exit(_UNCONFIRMED)


@command.command(
    epilog="""\b
Examples:
  fankeep grants reap --dry-run      who would be disconnected
  fankeep grants reap"""
)
@click.option("--dry-run", is_flag=True, help="End nothing; say whose grants would end.")
@_as_json
def reap(*, dry_run: bool, as_json: bool) -> None:
    """End the grants that were not used for 90 days. A running gateway does it by itself, once an hour."""

    async def work(grants: Grants) -> Sequence[UserId]:
        users = await grants.vault.unused()
        return users if dry_run else await grants.vault.end_unused(len(users))

    users = _on_grants(work)
    for user in users:
        click.echo(json.dumps({"user": user, "ended": not dry_run}) if as_json else user)
    if not as_json:
        click.echo(f"{len(users)} {'would be' if dry_run else 'were'} ended", err=True)


def _on_grants(work: Callable[[Grants], Awaitable[T]]) -> T:
    from fankeep.keep.grants import open_grants
    from fankeep.keep.settings import Settings

    settings = Settings()

    async def opened(stores: Stores) -> T:
        async with open_grants(settings, stores, actor=operator()) as grants:
            return await work(grants)

    return on_stores(settings, opened)


def _uuid(text: str) -> UserId:
    from fankeep.fanvue.identifiers import as_uuid
    from fankeep.types import UserId

    known = as_uuid(text)
    if known is None:
        raise click.BadParameter(
            "a creator is named by a uuid: see `fankeep grants list`", param_hint="CREATOR"
        )
    return UserId(known)


def _known(status: GrantStatus | None) -> GrantStatus:
    from fankeep.errors import ConfigurationError

    if status is None:
        raise ConfigurationError("this creator has no grant: see `fankeep grants list`")
    return status


def _print_list(rows: Sequence[GrantStatus]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("creator", "state", "why", "token left", "refreshed", "last used", "scopes"):
        table.add_column(name, overflow="fold", min_width=_UUID_LENGTH if name == "creator" else None)
    for row in rows:
        table.add_row(
            row.user,
            row.state,
            plain(_why(row)),
            span(row.access_left),
            f"{span(row.stored_age)} ago",
            _used(row),
            str(len(row.scopes)),
        )
    Console(soft_wrap=True, markup=False).print(table)


def _print_one(status: GrantStatus) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for _ in ("name", "value"):
        table.add_column(overflow="fold")
    for name, value in {
        "creator": status.user,
        "state": status.state,
        "why": _why(status),
        "generation": str(status.generation),
        "token left": span(status.access_left),
        "refreshed": f"{span(status.stored_age)} ago",
        "last used": _used(status),
        "scopes": " ".join(status.scopes),
    }.items():
        table.add_row(name, plain(value))
    Console(soft_wrap=True, markup=False).print(table)


def _why(status: GrantStatus) -> str:
    return status.reason or status.last_error or ""


def _used(status: GrantStatus) -> str:
    return "never" if status.unused_for is None else f"{span(status.unused_for)} ago"
