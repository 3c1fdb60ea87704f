"""``fankeep trigger``: events on demand, genuine or forged."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import click

from fankeep.cli.address import ADDRESS, SANDBOX_OPTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fankeep.sandbox import Trigger, Triggered

__all__ = ["command"]

_SECRET_VARIABLE = "FANKEEP_WEBHOOK_SECRETS"  # noqa: S105 - the name of a variable


def _check_event(_ctx: click.Context, _param: click.Parameter, event: str | None) -> str | None:
    from difflib import get_close_matches

    from fankeep.sandbox import TOPICS

    if event is not None and event not in TOPICS:
        near = get_close_matches(event, TOPICS, n=1, cutoff=0.5)
        meant = f"; is it {near[0]}?" if near else "."
        raise click.BadParameter(f"there is no event {event}{meant} `fankeep trigger --list` names them all")
    return event


@click.command(
    epilog=f"""\b
Examples:
  fankeep trigger creator.message.received
  fankeep trigger --list
  fankeep trigger creator.payment.succeeded --count 5
  fankeep trigger creator.message.received --forge tampered
  fankeep trigger creator.post.liked --to http://localhost:8080/webhooks/fanvue --json

With --to nothing but the receiver has to run; the first secret of {_SECRET_VARIABLE} signs."""
)
@click.argument("event", required=False, callback=_check_event)
@click.option("--to", "receiver", type=ADDRESS, help="Send here instead of through a running sandbox.")
@SANDBOX_OPTION
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many different events.",
)
@click.option(
    "--forge",
    type=click.Choice(["unsigned", "wrong", "tampered", "stale", "future", "replay"]),
    help="Spoil them in this way.",
)
@click.option("--creator", help="Uuid or handle of the creator; the first one by default.")
@click.option("--list", "list_events", is_flag=True, help="Name the events, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object a line.")
def command(event: str | None, *, receiver: str | None, sandbox: str, count: int, forge: str | None,
            creator: str | None, list_events: bool, as_json: bool) -> None:  # fmt: skip
    """Make the local Fanvue send EVENT, for example creator.message.received.

    Exits with 0 when every answer is the right one: 2xx for genuine events and replays, 4xx for those that
    were forged, here or by an armed fault.
    """
    from fankeep.sandbox import TOPICS, Forge, Trigger

    if list_events:
        for name in TOPICS:
            click.echo(json.dumps({"event": name}) if as_json else name)
        return
    if event is None:
        raise click.UsageError("say which event; `fankeep trigger --list` names them all")
    trigger = Trigger(event, count=count, forge=Forge(forge) if forge else None, creator=creator)
    sent = asyncio.run(_send(trigger, receiver, sandbox))
    for one in sent:
        click.echo(json.dumps(_as_json(one)) if as_json else _as_line(one))
    if not sent:
        click.echo("fankeep: nothing was sent", err=True)
    if trigger.forge is None and any(one.right for one in sent):
        _say_if_old(event)
    for complaint in _complaints(sent):
        click.echo(f"fankeep: {complaint}", err=True)
    if not sent or not all(one.right for one in sent):
        click.get_current_context().exit(1)


def _say_if_old(event: str) -> None:
    """A 2xx answer to what is then set aside would puzzle whoever waits for its effect."""
    from fankeep.fanvue import event_type

    kind = event_type(event)
    newer = sorted(name for name in kind.twins if event_type(name).family == "creator")
    if kind.family == "legacy" and newer:
        click.echo(
            f"fankeep: {event} is an old name: once a creator's events have come by the new ones it is kept "
            f"as `shadow` and has no effect; see {', '.join(newer)}",
            err=True,
        )


def _as_json(one: Triggered) -> dict[str, str | int | None]:
    return {"event_id": one.event_id, "status": one.status, "url": one.url, "fault": one.fault}


def _as_line(one: Triggered) -> str:
    line = f"{one.event_id}  {one.status or 'no answer'}  {one.url or 'endpoint removed'}"
    return f"{line}  fault: {one.fault}" if one.fault else line


def _complaints(sent: Sequence[Triggered]) -> Iterator[str]:
    """One line for each right answer that did not come."""
    for forged, expected in ((False, "2xx"), (True, "4xx, since it is forged")):
        wrong = sum(one.forged is forged and not one.right for one in sent)
        if wrong:
            verb = "is" if wrong == 1 else "are"
            yield f"{wrong} of {len(sent)} answers {verb} wrong: expected {expected}"


async def _send(trigger: Trigger, receiver: str | None, sandbox: str) -> list[Triggered]:
    from fankeep.errors import ConfigurationError, TransportError
    from fankeep.sandbox import ControlClient, send_directly, send_through_sandbox
    from fankeep.secret import Secret
    from fankeep.secrets import parse_webhook_secrets
    from fankeep.transport import Transport

    if receiver is not None and not os.environ.get(_SECRET_VARIABLE):
        raise ConfigurationError(f"{_SECRET_VARIABLE} is missing: with --to its first secret signs")
    transport = Transport(https_only=False)
    try:
        if receiver is None:
            return await send_through_sandbox(trigger, ControlClient(sandbox, transport))
        first = parse_webhook_secrets(Secret(os.environ.get(_SECRET_VARIABLE, "")))[0]
        secret = Secret(str(first.value.reveal()))
        return await send_directly(trigger, to=receiver, secret=secret, transport=transport)
    except TransportError as error:
        if error.outcome_unknown:
            raise ConfigurationError(
                f"the sandbox at {sandbox} took the event and did not answer: is a fault armed that "
                "delays it, or the receiver slow? `fankeep events list` shows what has come"
            ) from None
        raise ConfigurationError(
            f"no sandbox answers at {sandbox}: start `fankeep dev` or `fankeep sandbox`, or say with "
            "--sandbox where it is"
        ) from None
    finally:
        await transport.close()
