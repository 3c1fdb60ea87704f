"""A group of commands that imports a command when it is called, and no sooner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import click

__all__ = ["LazyCommand", "LazyGroup"]


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lives and what the list of commands says about it.

    Attributes:
        module: has the command under the name ``command``.
        summary: one line, here and not in the module, so that ``--help`` imports nothing.
    """

    module: str
    summary: str


class LazyGroup(click.Group):
    """A click group over a table; a command whose module is not there is not listed."""

    def __init__(self, name: str, *, table: Mapping[str, LazyCommand], text: str, examples: str) -> None:
        super().__init__(
            name=name,
            help=text,
            epilog=examples,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Name the commands in the order of the table."""
        return [name for name, entry in self._table.items() if find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(self._table[cmd_name].module).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for a mistyped name, say which one is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, without importing the commands."""
        rows = [(name, self._table[name].summary) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
