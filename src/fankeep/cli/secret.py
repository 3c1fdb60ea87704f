"""``fankeep secret``: whose the secrets are, how old they are, and which have to be replaced."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fankeep.cli.operating import on_stores

if TYPE_CHECKING:
    from fankeep.keep.stores import Stores
    from fankeep.secrets import Age

__all__ = ["command"]

_OVERDUE = 1


@click.group(
    epilog="""\b
Examples:
  fankeep secret list
  fankeep secret list --json | jq 'select(.state != "good")'"""
)
def command() -> None:
    """See the secrets of the settings; no command shows a value.

    Owners and dates are written down in FANKEEP_SECRET_REGISTER. Without a date a secret is in use since
    fankeep met it first, and has to be replaced a year later.
    """


@command.command(
    "list",
    epilog="""\b
Examples:
  fankeep secret list
  fankeep secret list --json""",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
def list_secrets(*, as_json: bool) -> int:
    """List every secret with its owner, its age and its last day. Exits with 1 when one is overdue."""
    from fankeep.keep.secret_ages import secret_ages
    from fankeep.keep.settings import Settings

    settings = Settings()

    async def work(stores: Stores) -> list[Age]:
        return await secret_ages(settings, stores).all()

    ages = on_stores(settings, work)
    if as_json:
        for age in ages:
            click.echo(json.dumps(asdict(age), default=str))
    else:
        _print_table(ages)
    return _OVERDUE if any(age.state == "overdue" for age in ages) else 0


def _print_table(ages: list[Age]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("for", "name", "owner", "in use since", "rotate by", "state", box=None)
    for age in ages:
        table.add_row(
            age.kind, age.name, age.owner or "nobody named", str(age.since), str(age.rotate_by), age.state
        )
    Console(soft_wrap=True, markup=False).print(table)
