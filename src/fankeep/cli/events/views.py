"""What ``fankeep events`` prints. Types, reasons and names of fields may be a stranger's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from fankeep.cli.moments import iso
from fankeep.cli.operating import plain, span

if TYPE_CHECKING:
    from fankeep.store.event_queries import StoredEvent

__all__ = ["event_row", "print_line", "print_one", "print_table"]

_WIDTH = 1000


def event_row(event: StoredEvent) -> dict[str, object]:
    """Describe an event, for JSON."""
    return {
        "id": event.digest.hex(),
        "seq": event.seq,
        "type": event.type,
        "family": event.family,
        "creator": event.creator,
        "state": event.state,
        "reason": event.reason,
        "attempts": event.attempts,
        "replays": event.replays,
        "claimed": event.claimed == 1,
        "due_in": round(event.due_in, 3) if event.state == "pending" else None,
        "occurred_at": iso(event.occurred_at),
        "received_at": iso(event.received_at),
        "handled_at": iso(event.handled_at),
        "secret": event.secret_name,
        "payload": event.payload == 1,
        "dropped": event.dropped.split(),
    }


def print_table(events: Sequence[StoredEvent], *, as_json: bool) -> None:
    """Print one line an event."""
    if as_json:
        for event in events:
            click.echo(json.dumps(event_row(event)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in ("id", "received", "type", "creator", "state", "why", "tries", "replays"):
        table.add_column(name, no_wrap=True)
    for event in events:
        table.add_row(
            event.digest.hex(),
            iso(event.received_at) or "",
            plain(event.type),
            plain(event.creator or ""),
            _state(event),
            plain(event.reason or ""),
            str(event.attempts),
            str(event.replays),
        )
    # Wider than any row: a line stays a line, for those who search it.
    Console(soft_wrap=True, markup=False, highlight=False, width=_WIDTH).print(table)


def print_line(event: StoredEvent, *, as_json: bool) -> None:
    """Print one event at once, without a table that would wait for the others."""
    if as_json:
        click.echo(json.dumps(event_row(event)))
        return
    creator = plain(event.creator or "-")
    click.echo(f"{iso(event.received_at)} {event.digest.hex()} {plain(event.type)} {creator} {event.state}")


def print_one(event: StoredEvent, payload: Mapping[str, object] | None, *, as_json: bool) -> None:
    """Print all that is known of an event.

    Args:
        event: the row.
        payload: its opened fields; None when nobody asked for them.
        as_json: as one object on one line.
    """
    if as_json:
        more = {} if payload is None else {"data": payload}
        click.echo(json.dumps({**event_row(event), **more}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False)
    for _ in ("name", "value"):
        table.add_column(overflow="fold")
    for name, value in event_row(event).items():
        table.add_row(name.replace("_", " "), plain(_text(value)))
    Console(soft_wrap=True, markup=False, highlight=False).print(table)
    for line in [] if payload is None else json.dumps(payload, indent=2, ensure_ascii=False).splitlines():
        click.echo(plain(line))


def _state(event: StoredEvent) -> str:
    if event.state != "pending":
        return event.state
    if event.claimed:
        return "pending, in hand"
    return f"pending, in {span(event.due_in)}" if event.due_in > 0 else "pending"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
