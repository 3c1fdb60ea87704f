"""``fankeep fans``: what is stored about one fan of one creator, to hand it over or to erase it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

import click

from fankeep.cli.moments import iso
from fankeep.cli.operating import on_stores, operator, plain

if TYPE_CHECKING:
    from fankeep.privacy.fans import FanErased, FanEvent, Fans
    from fankeep.types import UserId

__all__ = ["command"]

T = TypeVar("T")

_FAILED = 1
_creator = click.argument("creator", metavar="CREATOR")
_fan = click.argument("fan", metavar="FAN")


@click.group(
    epilog="""\b
Examples:
  fankeep fans export bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 0c8f1f7e-2f0b-4a1f-9a53-6f3d0e6b7c21
  fankeep fans erase bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 0c8f1f7e-2f0b-4a1f-9a53-6f3d0e6b7c21"""
)
def command() -> None:
    """Answer a fan who asks what is stored about them, or wants it gone.

    CREATOR and FAN are uuids of Fanvue. The commands work beside a running gateway.
    """


@command.command(
    epilog="""\b
Examples:
  fankeep fans export bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 0c8f1f7e-2f0b-4a1f-9a53-6f3d0e6b7c21
  fankeep fans export CREATOR FAN --json > export.jsonl"""
)
@_creator
@_fan
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
def export(*, creator: str, fan: str, as_json: bool) -> None:
    """Print every stored event about FAN, opened.

    They come in the order in which they were stored. Exits with 1 when one of them does not open; it is
    printed without its data.
    """
    known, other = _creator_id(creator), _uuid(fan, "FAN")

    async def work(fans: Fans) -> tuple[int, int]:
        events = unreadable = 0
        async for event in fans.events(known, other, actor=operator()):
            events += 1
            unreadable += event.data is None
            _print_event(event, as_json=as_json)
        return events, unreadable

    events, unreadable = _on_fans(work)
    if not as_json:
        click.echo("1 event" if events == 1 else f"{events} events", err=True)
    if unreadable:
        click.echo(f"{unreadable} of them do not open", err=True)
        click.get_current_context().exit(_FAILED)


@command.command(
    epilog="""\b
Examples:
  fankeep fans erase bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3 0c8f1f7e-2f0b-4a1f-9a53-6f3d0e6b7c21
  fankeep fans erase CREATOR FAN --yes > receipt.json"""
)
@_creator
@_fan
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(*, creator: str, fan: str, yes: bool) -> None:
    """Erase what is personal about FAN; print a receipt.

    It is taken out of every stored event about them. The receipt is JSON. What stays says that an event of
    some type came, and when. What comes later is stored again. A back-up of the data from before still
    holds it; when it is restored, it is erased again.
    """
    known, other = _creator_id(creator), _uuid(fan, "FAN")
    if not yes:
        question = "Erase what is stored about this fan? It cannot be brought back."
        if not click.confirm(question, err=True):
            click.echo("nothing was erased", err=True)
            click.get_current_context().exit(_FAILED)
    receipt = _on_fans(lambda fans: fans.erase(known, other, actor=operator()))
    click.echo(json.dumps(_receipt(receipt)))


def _on_fans(work: Callable[[Fans], Awaitable[T]]) -> T:
    from fankeep.keep.fans import open_fans
    from fankeep.keep.settings import Settings

    settings = Settings()
    return on_stores(settings, lambda stores: work(open_fans(settings, stores)))


def _creator_id(text: str) -> UserId:
    from fankeep.types import UserId

    return UserId(_uuid(text, "CREATOR", "; see `fankeep grants list`"))


def _uuid(text: str, name: str, where: str = "") -> str:
    from fankeep.fanvue.identifiers import as_uuid

    known = as_uuid(text)
    if known is None:
        raise click.BadParameter(f"it must be a uuid of Fanvue{where}", param_hint=name)
    return known


def _print_event(event: FanEvent, *, as_json: bool) -> None:
    if as_json:
        times = {"occurred_at": iso(event.occurred_at), "received_at": iso(event.received_at)}
        click.echo(json.dumps(asdict(event) | times))
        return
    click.echo(f"{iso(event.received_at)}  {event.type}  {event.state}  {event.id}")
    data = {"(does not open)": ""} if event.data is None else event.data
    for name, value in data.items():
        click.echo(plain(f"    {name}: {value if isinstance(value, str) else json.dumps(value)}"))
    if event.dropped:
        click.echo(plain(f"    not kept: {' '.join(event.dropped)}"))


def _receipt(receipt: FanErased) -> dict[str, object]:
    return {
        "erased": "fan",
        "subject": receipt.subject,
        "creator": receipt.creator,
        "events": receipt.events,
        "erased_at": iso(receipt.erased_at),
        "in_data_back_ups_until": iso(receipt.in_data_back_ups_until),
        "in_key_back_ups_until": iso(receipt.in_key_back_ups_until),
    }
