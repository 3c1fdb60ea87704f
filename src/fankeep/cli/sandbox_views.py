"""``fankeep sandbox events|grants|journal``: what a running sandbox has seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from fankeep.cli.address import SANDBOX_OPTION

if TYPE_CHECKING:
    from fankeep.sandbox.json import Json

__all__ = ["VIEWS"]

_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "deliveries": ("created_at", "topic", "event_id", "attempts", "succeeded", "forge", "fault", "url"),
    "grants": (
        "chain",
        "started_at",
        "handle",
        "creator",
        "live",
        "ended",
        "live_refresh_tokens",
        "refresh_tokens",
    ),
    "journal": ("number", "at", "kind", "method", "route", "status", "outcome", "fault"),
}
_TIMES: Final = ("created_at", "started_at", "at")
_TITLES: Final = {**dict.fromkeys(_TIMES, "time (UTC)"), "refresh_tokens": "uses of each refresh token"}


def _view(name: str, view: str, text: str) -> click.Command:
    @click.command(
        name, help=text, epilog=f"\b\nExamples:\n  fankeep sandbox {name}\n  fankeep sandbox {name} --json"
    )
    @SANDBOX_OPTION
    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object a line.")
    @click.pass_context
    def command(ctx: click.Context, sandbox: str, *, as_json: bool) -> None:
        _refuse_port(ctx)
        rows = asyncio.run(_rows(sandbox, view))
        if as_json:
            for row in rows:
                click.echo(json.dumps(row))
        else:
            _print_table(rows, _COLUMNS[view])
            if not rows:
                click.echo("fankeep: nothing yet", err=True)

    return command


VIEWS: Final = (
    _view("events", "deliveries", "Show the webhooks that were sent, and what became of them."),
    _view("grants", "grants", "Show who connected which app, and how often each refresh token was used."),
    _view("journal", "journal", "Show every request in its order."),
)


def _refuse_port(ctx: click.Context) -> None:
    """``fankeep sandbox --port 4011 events`` would ask another sandbox than the one that is meant."""
    from click.core import ParameterSource

    group = ctx.parent
    if group is not None and group.get_parameter_source("port") is ParameterSource.COMMANDLINE:
        where = f"http://127.0.0.1:{group.params['port']}"
        raise click.UsageError(f"--port is of a sandbox that starts: say {ctx.info_name} --sandbox {where}")


async def _rows(sandbox: str, view: str) -> list[dict[str, Json]]:
    from fankeep.errors import ConfigurationError, TransportError
    from fankeep.sandbox import ControlClient
    from fankeep.transport import Transport

    transport = Transport(https_only=False)
    try:
        shown = await ControlClient(sandbox, transport).show(view)
    except TransportError:
        raise ConfigurationError(
            f"no sandbox answers at {sandbox}: start `fankeep sandbox`, or name it with --sandbox"
        ) from None
    finally:
        await transport.close()
    return [row for row in shown if isinstance(row, dict)] if isinstance(shown, list) else []


def _print_table(rows: Sequence[Mapping[str, Json]], columns: Sequence[str]) -> None:
    """One line a row, whole values: whoever pipes it into grep finds what is in it."""
    cells = [[_cell(column, row.get(column)) for column in columns] for row in rows]
    lines = [[_TITLES.get(column, column).replace("_", " ") for column in columns], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(map(str.ljust, line, widths)).rstrip())


def _cell(column: str, value: Json) -> str:
    """A value in a table; of attempts their statuses, of refresh tokens their uses."""
    if isinstance(value, list):
        shown = [one.get("status", one.get("uses")) for one in value if isinstance(one, dict)]
        return " ".join("-" if one is None else str(one) for one in shown)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column in _TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%H:%M:%S")
    return "" if value is None else str(value)
