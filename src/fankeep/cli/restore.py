"""``fankeep restore``: the way back from a back-up, without what came after it coming back as well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fankeep.cli.backup import progress_bar

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.privacy.restoring import Settled

__all__ = ["command"]

T = TypeVar("T")

_file = click.argument("source", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")


@click.group(
    epilog="""\b
Examples:
  fankeep restore keys /backup/keys/2026-11-24.db      only if the keys are lost as well
  fankeep restore data /backup/data/2026-11-24.db
  fankeep restore settle                               after pg_restore"""
)
def command() -> None:
    """Put back-ups where the settings say. Stop every fankeep first; nothing is ever overwritten.

    A restored grant is not believed until it was refreshed once, sessions are ended, and what was erased or
    revoked since is erased and revoked again, by the ledger that lies with the keys. So keep today's keys if
    you still have them, and restore only what is lost.
    """


@command.command(
    epilog="""\b
Examples:
  fankeep restore keys /backup/keys/2026-11-24.db
  fankeep restore keys /backup/keys/2026-11-24.db --json"""
)
@_file
@_as_json
def keys(*, source: Path, as_json: bool) -> None:
    """Put FILE where FANKEEP_KEYS_DATABASE_URL says, after proving that every key in it opens."""
    from fankeep.keep.backups import restore_keys
    from fankeep.keep.settings import Settings

    settings = Settings()
    with progress_bar("keys") as progress:
        _run(settings, restore_keys(settings, source, progress=progress))
    click.echo(json.dumps({"part": "keys", "restored": True}) if as_json else "restored the keys")


@command.command(
    epilog="""\b
Examples:
  fankeep restore data /backup/data/2026-11-24.db
  fankeep restore data /backup/data/2026-11-24.db --json"""
)
@_file
@_as_json
def data(*, source: Path, as_json: bool) -> None:
    """Put FILE where FANKEEP_DATABASE_URL says, made safe with the keys and the ledger that are there."""
    from fankeep.keep.backups import restore_data
    from fankeep.keep.settings import Settings

    settings = Settings()
    with progress_bar("data") as progress:
        settled = _run(settings, restore_data(settings, source, progress=progress))
    _say("restored the data", settled, as_json=as_json)


@command.command(epilog="\b\nExamples:\n  fankeep restore settle\n  fankeep restore settle --json")
@_as_json
def settle(*, as_json: bool) -> None:
    """Make a database safe that another tool has restored, before anything uses it; as `data` does."""
    from fankeep.keep.backups import settle as settle_database
    from fankeep.keep.settings import Settings

    settings = Settings()
    _say("settled the data", _run(settings, settle_database(settings)), as_json=as_json)


def _run(settings: Settings, work: Coroutine[Any, Any, T]) -> T:
    from fankeep.keep.server import event_loop, known_secrets
    from fankeep.telemetry import configure

    configure(format="console", level="ERROR", known_secrets=known_secrets(settings))
    with asyncio.Runner(loop_factory=event_loop) as runner:
        return runner.run(work)


def _say(what: str, settled: Settled, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"part": "data", "restored": True, **asdict(settled)}))
        return
    click.echo(
        f"{what}: {settled.grants_uncertain} grants to be refreshed before they are used, "
        f"{settled.sessions_ended} sessions ended, "
        f"{settled.creators_erased + settled.fans_erased} erasures, "
        f"{settled.service_keys_revoked} revoked service keys and {settled.subscriptions_removed} removed "
        f"subscriptions replayed"
    )
