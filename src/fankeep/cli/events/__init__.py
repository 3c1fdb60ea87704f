"""``fankeep events``: what has come, what became of it, and having it handled again."""

from __future__ import annotations

from typing import Final

from fankeep.cli.lazy import LazyCommand, LazyGroup

__all__ = ["command"]

_TABLE: Final = {
    "list": LazyCommand("fankeep.cli.events.listing", "List events, the newest first."),
    "show": LazyCommand("fankeep.cli.events.showing", "Show one event."),
    "dead": LazyCommand("fankeep.cli.events.dead", "List dead letters: events that were given up."),
    "replay": LazyCommand("fankeep.cli.events.replaying", "Have events handled once more."),
    "reconcile": LazyCommand("fankeep.cli.events.reconciling", "Look in Fanvue's API for what never came."),
    "tail": LazyCommand("fankeep.cli.events.tailing", "Show events as they are stored."),
}

command = LazyGroup(
    "events",
    table=_TABLE,
    text="See what Fanvue has sent, what became of it, and have it handled again. Works beside running "
    "processes. What is personal is shown by `show --payload` alone, which is written to the trail.",
    examples="""\b
Examples:
  fankeep events list --type "creator.message.*" --since 2h
  fankeep events dead
  fankeep events show 5b0c1f0e8f5d4a0a9c2f6f3f4b1d7e90
  fankeep events replay --state dead --reason handler_failed --dry-run
  fankeep events reconcile --since 2h --fill
  fankeep events tail""",
)
