"""``fankeep serve``: the gateway as a process."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command(
    epilog="""\b
Examples:
  fankeep serve                                      settings come from FANKEEP_* variables
  FANKEEP_ENV=development fankeep serve --log-format console"""
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "console"]),
    default="json",
    show_default=True,
    help="How log lines look.",
)
def command(log_format: str) -> None:
    """Run the gateway.

    It is ready when /readyz answers 200, stops on SIGTERM or Ctrl-C, and finishes what is under way first. In
    production, which is the default, it refuses to start without https, a named database, keys made
    beforehand, and scopes that fit its operations.
    """
    from fankeep.keep.server import run
    from fankeep.keep.settings import Settings

    run(Settings(), log_format="console" if log_format == "console" else "json")
