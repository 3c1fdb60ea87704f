"""What ``fankeep webhooks`` prints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from fankeep.cli.operating import plain, span
from fankeep.fanvue.subscriptions import unknown_events

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.subscriptions import Found, ProbeResult

__all__ = ["found_row", "print_list", "print_probes", "print_steps", "settings_secrets"]

_UUID_LENGTH = 36
_MALFORMED = 400
_FORBIDDEN = 403

_COMPLAINTS = {
    "no_answer": "no answer: is the gateway running, and does the public address lead to it?",
    "redirected": "a redirect, which Fanvue does not follow: let the public address answer itself",
    "refused": "refused",
    "not_fankeep": "something else than fankeep has answered",
}


def settings_secrets(settings: Settings) -> list[dict[str, object]]:
    """Describe the secrets of the settings; not what they are."""
    now = time.time()
    return [
        {
            "kind": "setting",
            "name": secret.name,
            "scope": secret.scope,
            "active": secret.active_at(now),
            "not_before": _time(secret.not_before),
            "not_after": _time(secret.not_after),
        }
        for secret in settings.webhook_secrets
    ]


def found_row(found: Found) -> dict[str, object]:
    """Describe a subscription."""
    return {
        "kind": "subscription",
        "id": found.id,
        "creator": found.user,
        "standing": found.standing.value,
        "url": found.url,
        "events": list(found.events),
        "age": found.age,
    }


def print_list(secrets: Sequence[dict[str, object]], found: Sequence[Found], *, as_json: bool) -> None:
    """Print the secrets of the settings and the subscriptions."""
    if as_json:
        for row in (*secrets, *map(found_row, found)):
            click.echo(json.dumps(row))
        return
    _table(
        ("secret of the settings", "speaks for", "counts now", "from", "until"),
        (
            (row["name"], row["scope"], "yes" if row["active"] else "no", row["not_before"], row["not_after"])
            for row in secrets
        ),
    )
    click.echo()
    _table(
        ("subscription", "creator", "standing", "age", "events"),
        ((one.id, one.user, one.standing.replace("_", " "), span(one.age), len(one.events)) for one in found),
    )


def print_probes(results: Iterable[tuple[str, ProbeResult]], *, as_json: bool) -> None:
    """Print what came back for each secret that was tried."""
    for name, result in results:
        if as_json:
            told = {"secret": name, "url": result.url, "status": result.status, "error": result.error}
            click.echo(json.dumps(told))
        else:
            came = "stored" if result.error is None else _COMPLAINTS[result.error]
            status = "" if result.status is None else f" ({result.status})"
            click.echo(f"{name}, {result.url}: {came}{status}")


def print_steps(status: int | None, address: str, events: Sequence[str], *, as_json: bool) -> None:
    """Print what to do in Fanvue's developer area; as JSON the facts, and the steps on stderr.

    When fankeep does not know one of the events either, that is what is told instead.
    """
    if as_json:
        click.echo(json.dumps({"refused": status, "address": address, "events": list(events)}))
    click.echo(_steps(status, address, events), err=as_json)


def _steps(status: int | None, address: str, events: Sequence[str]) -> str:
    unknown = unknown_events(events) if status == _MALFORMED else {}
    if unknown:
        return (
            f"Fanvue's subscriptions API refused ({status}). It may not know {', '.join(unknown)}, and "
            "fankeep does not: see `fankeep trigger --list` for the names."
        )
    reason = (
        ": a scope may be missing in the creator's grant, or the app may not use this API."
        if status == _FORBIDDEN
        else ", as it is known to do to private apps."
    )
    listed = "\n".join(f"       {event}" for event in events)
    return f"""\
Fanvue's subscriptions API refused ({status}){reason}
By hand it goes like this:
  1. In Fanvue's developer area open the app, and its Events tab. Add a webhook with the address
       {address}
  2. Choose the events:
{listed}
  3. View Signing Secret shows the app's signing secret. Put it on a line of its own
       main=<the secret>
     into FANKEEP_WEBHOOK_SECRETS, or the file that FANKEEP_WEBHOOK_SECRETS_FILE names, and restart fankeep.
  4. `fankeep webhooks test` tries the way in, and the button Test of the Events tab tries it from Fanvue."""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for name in columns:
        whole = name in ("creator", "subscription")
        table.add_column(name, overflow="fold", min_width=_UUID_LENGTH if whole else None)
    for row in rows:
        table.add_row(*("" if value is None else plain(str(value)) for value in row))
    Console(soft_wrap=True, markup=False).print(table)


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    )
