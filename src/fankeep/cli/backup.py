"""``fankeep backup``: copies of the databases, made while others use them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fankeep.keep.backups import Part

__all__ = ["command", "progress_bar"]


@click.group(
    epilog="""\b
Examples:
  fankeep backup data /backup/data/2026-11-24.db
  fankeep backup keys /backup/keys/2026-11-24.db"""
)
def command() -> None:
    """Copy the databases while fankeep runs; data and keys never into one archive.

    Keep the two apart: only so does destroying the key of an erased creator reach into the back-ups. Keep
    copies of the keys for days, of the data for as long as you need. The key file (FANKEEP_KEYS) is in
    neither. First the data and then the keys: so every key that the data need is among them.
    """


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how far a copy is, if a person looks on."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(text, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _part(part: Part, text: str) -> click.Command:
    @command.command(
        part,
        help=text,
        epilog=f"""\b
Examples:
  fankeep backup {part} /backup/{part}/2026-11-24.db
  fankeep backup {part} "/backup/{part}/$(date +%F).db" --json""",
    )
    @click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
    @click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
    def back_up_part(*, target: Path, as_json: bool) -> None:
        from fankeep.keep.backups import back_up
        from fankeep.keep.settings import Settings

        with progress_bar(part) as progress:
            back_up(Settings(), part, target, progress=progress)
        size = target.stat().st_size
        if as_json:
            click.echo(json.dumps({"part": part, "file": str(target), "bytes": size}))
        else:
            click.echo(f"made {target}, {size} bytes, readable by its owner only")

    return back_up_part


_part("data", "Copy the data into FILE, which must not exist: grants, sessions, events, all sealed.")
_part("keys", "Copy the wrapped data keys and the ledger into FILE, which must not exist.")
