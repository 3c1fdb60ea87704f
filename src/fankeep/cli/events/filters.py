"""The options that say which events are meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from fankeep.cli.moments import moment

if TYPE_CHECKING:
    from fankeep.store.event_queries import EventFilter
    from fankeep.types import UserId

__all__ = ["as_digest", "as_json", "creator_option", "filter_options", "limit_option", "made", "type_option"]

F = TypeVar("F", bound=Callable[..., Any])

_TYPE: Final = re.compile(r"[a-z0-9_.*]{1,200}")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_UNKNOWN: Final = "unknown"
"""As whom an event is stored that names no type, or a wrong one."""
_STATES: Final = ("pending", "handled", "dead", "shadow")

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
limit_option = click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most."
)


def _type(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if not _TYPE.fullmatch(value):
        raise click.BadParameter("a type is a name like creator.message.received, with * for any characters")
    _say_if_unknown(value)
    return value


def _say_if_unknown(pattern: str) -> None:
    """An empty answer would look like good news to somebody who misspelt a name."""
    from fankeep.fanvue.event_patterns import unmatched
    from fankeep.inbox.accept import TEST_EVENT

    if told := unmatched(pattern, also=(TEST_EVENT, _UNKNOWN)):
        click.echo(f"fankeep: {told}", err=True)


def _creator(_: click.Context, __: click.Parameter, value: str | None) -> UserId | None:
    from fankeep.fanvue.identifiers import as_uuid
    from fankeep.types import UserId

    known = None if value is None else as_uuid(value)
    if value is not None and known is None:
        raise click.BadParameter("a creator is named by a uuid: see `fankeep grants list`")
    return None if known is None else UserId(known)


type_option = click.option(
    "--type", "type_", callback=_type, metavar="TYPE", help="Of this type; * stands for any characters."
)
creator_option = click.option(
    "--creator", callback=_creator, metavar="UUID", help="About this creator's account."
)
_OTHERS: Final = (
    click.option(
        "--since",
        callback=moment,
        metavar="TIME",
        help="Received then or later: 30min, 2h, 7d, or 2026-11-29T14:00Z.",
    ),
    click.option("--until", callback=moment, metavar="TIME", help="Received before then."),
    click.option("--reason", metavar="CODE", help="With this reason; see `fankeep events dead`."),
    click.option("--secret", metavar="NAME", help="Signed with the secret of this name."),
)
_state_option = click.option("--state", type=click.Choice(_STATES), help="In this state.")


def filter_options(*, state: bool) -> Callable[[F], F]:
    """Add the options of a filter to a command.

    Args:
        state: whether the state is one of them.
    """
    options = (type_option, creator_option, *((_state_option,) if state else ()), *_OTHERS)

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def made(options: dict[str, object], *, state: str | None = None) -> EventFilter:
    """Make the filter that the options describe; ``state`` stands in for one that was not given."""
    from fankeep.store.event_queries import EventFilter

    names = {"type_": "type", "secret": "secret_name"}
    given = {names.get(name, name): value for name, value in options.items()}
    given["state"] = given.get("state") or state
    return EventFilter(**cast("dict[str, Any]", given))


def as_digest(text: str) -> bytes:
    """Read the id of an event.

    Raises:
        click.BadParameter: it is none.
    """
    from fankeep.fanvue.identifiers import as_uuid

    if not _ID.fullmatch(text):
        fanvues = "a uuid is Fanvue's id of the delivery; " if as_uuid(text) else ""
        raise click.BadParameter(
            f"{fanvues}an event is named by 32 hex digits: see `fankeep events list`", param_hint="ID"
        )
    return bytes.fromhex(text)
