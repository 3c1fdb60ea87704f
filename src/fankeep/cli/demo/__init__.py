"""``fankeep demo``: the whole story as a script, attacks included."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

__all__ = ["command"]


@click.command(
    epilog="""\b
Examples:
  fankeep demo
  fankeep demo --json
  fankeep demo --folder /tmp/fankeep-demo            keep databases and logs for a look"""
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a step.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where databases and logs go, and stay; its data and logs folders are emptied first.",
)
def command(folder: Path | None, *, as_json: bool) -> int:
    """Connect a creator, send events, and attack: real processes, real HTTP, nothing leaves this machine.

    Each step is printed with what it showed. The last line counts them; the exit code is 0 when all passed.
    """
    from fankeep.cli.demo.script import run

    if folder is not None:
        return run(folder, as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="fankeep-demo-") as temporary:
        return run(Path(temporary), as_json=as_json)
