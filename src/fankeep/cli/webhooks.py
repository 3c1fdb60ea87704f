"""``fankeep webhooks``: where Fanvue delivers to, and with which secrets."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from fankeep.cli.operating import on_stores, operator

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.keep.stores import Stores
    from fankeep.keep.webhooks import Webhooks
    from fankeep.subscriptions import Found
    from fankeep.types import UserId

__all__ = ["command"]

T = TypeVar("T")

_FAILED = 1
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, one object a line.")
_one_creator = click.option("--creator", metavar="UUID", help="One creator; see `fankeep grants list`.")
_every_creator = click.option("--all", "every", is_flag=True, help="Every connected creator.")


@click.group(
    epilog="""\b
Examples:
  fankeep webhooks list
  fankeep webhooks add --creator bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep webhooks test
  fankeep webhooks remove 2f1c6f0e-52a7-4a3e-9a55-0a8f7f2f9c10"""
)
def command() -> None:
    """List, add, remove and try out the endpoints that Fanvue delivers events to.

    An app has the endpoints of its Events tab in Fanvue's developer area, with one signing secret for all of
    them: FANKEEP_WEBHOOK_SECRETS. Beside these it can subscribe through the API with the token of a creator.
    Each such subscription hears of its creator alone, has an address and a secret of its own, and the secret
    is stored sealed; no command shows it. Fanvue may refuse that to a private app. Then these commands print
    what to do by hand, and exit with 1.
    """


@command.command(
    "list",
    epilog="""\b
Examples:
  fankeep webhooks list              what is held here; asks nobody
  fankeep webhooks list --all        compares it with what Fanvue has
  fankeep webhooks list --json | jq 'select(.kind == "subscription")'""",
)
@_one_creator
@_every_creator
@_as_json
def list_webhooks(*, creator: str | None, every: bool, as_json: bool) -> None:
    """List the secrets of the settings and the subscriptions.

    With --creator or --all Fanvue is asked as well. A subscription that it has and whose secret is not held
    here cannot be verified: remove it, and add another one.
    """
    from fankeep.cli.webhooks_views import print_list, settings_secrets

    async def work(webhooks: Webhooks, users: Sequence[UserId]) -> list[Found]:
        if not users:
            return await webhooks.subscriptions.held()
        return [found for user in users for found in await webhooks.subscriptions.of(user)]

    run = _Run(creator, every=every, as_json=as_json)
    found = run.on(work)
    print_list(settings_secrets(run.settings), found, as_json=as_json)


@command.command(
    epilog="""\b
Examples:
  fankeep webhooks add --creator bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3
  fankeep webhooks add --all --event "creator.message.*" --event creator.payment.succeeded"""
)
@_one_creator
@_every_creator
@click.option(
    "--event",
    "patterns",
    multiple=True,
    default=("creator.*",),
    show_default=True,
    help="An event, by name or with *; may be given several times.",
)
@_as_json
def add(*, creator: str | None, every: bool, patterns: tuple[str, ...], as_json: bool) -> None:
    """Subscribe for one creator, or for all.

    With --all that is every connected creator who has no subscription to these events yet. A running gateway
    accepts what the subscription signs from then on; nothing has to be restarted. Subscribe each event in
    one place only, here or in the Events tab: what comes to both is two events.
    """
    from fankeep.cli.webhooks_adding import add_all, warn_of_unknown

    _need(creator, every=every)
    run = _Run(creator, every=every, as_json=as_json)
    events = _events(patterns)
    warn_of_unknown(events)
    run.events = events
    added = run.on(lambda webhooks, users: add_all(webhooks, users, events, again=not every, as_json=as_json))
    if not added:
        click.get_current_context().exit(_FAILED)


@command.command(
    epilog="""\b
Examples:
  fankeep webhooks remove 2f1c6f0e-52a7-4a3e-9a55-0a8f7f2f9c10
  fankeep webhooks remove 2f1c6f0e-52a7-4a3e-9a55-0a8f7f2f9c10 --json"""
)
@click.argument("subscriptions", nargs=-1, required=True, metavar="SUBSCRIPTION...")
@click.option("--creator", metavar="UUID", help="Whose it is, for one whose secret is not held here.")
@_as_json
def remove(*, subscriptions: tuple[str, ...], creator: str | None, as_json: bool) -> None:
    """Delete subscriptions at Fanvue.

    SUBSCRIPTION is the id that `list` shows. A secret counts for an hour and the tolerance more, for what was
    on its way, and is then forgotten. Of a creator who is not connected any more the subscription ends
    here alone: Fanvue cannot be told, and what it goes on sending is refused.
    """
    from fankeep.fanvue.subscriptions import is_subscription_id

    if not all(map(is_subscription_id, subscriptions)):
        raise click.BadParameter("see `fankeep webhooks list`", param_hint="SUBSCRIPTION")
    run = _Run(creator, every=False, as_json=as_json)

    async def work(webhooks: Webhooks, users: Sequence[UserId]) -> bool:
        done = True
        for one in subscriptions:
            removal = await webhooks.subscriptions.remove(one, users[0] if users else None)
            done = done and removal.value != "ended_here"
            if as_json:
                click.echo(json.dumps({"id": one, "removal": removal.value}))
            else:
                click.echo(f"{one}: {_REMOVALS[removal.value]}")
        return done

    if not run.on(work):
        click.get_current_context().exit(_FAILED)


@command.command(
    epilog="""\b
Examples:
  fankeep webhooks test                                        the address of the Events tab
  fankeep webhooks test 2f1c6f0e-52a7-4a3e-9a55-0a8f7f2f9c10   that of a subscription"""
)
@click.argument("subscriptions", nargs=-1, metavar="[SUBSCRIPTION]...")
@_as_json
def test(*, subscriptions: tuple[str, ...], as_json: bool) -> None:
    """Send a sample event to our own address.

    It is signed, and goes to this installation's public address; what came back is printed. Fanvue's API has
    no call for a test, so this is our request and not Fanvue's. It shows that the public address leads
    here from this machine, that the proxies in between change nothing, and that the secret verifies. It
    does not show that Fanvue delivers: the button Test of the Events tab does. Without an argument each
    active secret of the settings is tried.

    The event's type is fankeep.test. It is verified and stored like any other, with nothing in it, and no
    handler and no app gets it.
    """
    from fankeep.cli.webhooks_views import print_probes
    from fankeep.keep.webhooks import probe_all

    run = _Run(None, every=False, as_json=as_json)
    results = run.on(lambda webhooks, _: probe_all(run.settings, webhooks, subscriptions))
    print_probes(results, as_json=as_json)
    if not all(result.error is None for _, result in results):
        click.get_current_context().exit(_FAILED)


_REMOVALS = {
    "removed": "removed at Fanvue",
    "was_gone": "Fanvue did not have it any more",
    "ended_here": "ended here; the creator is not connected, so Fanvue could not be told",
}


class _Run:
    """One command: whom it is about, and what happens when Fanvue refuses.

    Attributes:
        events: what to choose by hand.
    """

    def __init__(self, creator: str | None, *, every: bool, as_json: bool) -> None:
        from fankeep.keep.settings import Settings

        if creator is not None and every:
            raise click.UsageError("--creator and --all say different things: give one of them")
        self._creator = None if creator is None else _uuid(creator)
        self._every = every
        self._as_json = as_json
        self.events: tuple[str, ...] = _events(("creator.*",))
        self.settings: Settings = Settings()

    def on(self, work: Callable[[Webhooks, Sequence[UserId]], Awaitable[T]]) -> T:
        """Do the work; a refusal by Fanvue prints what to do by hand and ends the command with 1."""
        from fankeep.cli.webhooks_views import print_steps
        from fankeep.client import ApiError
        from fankeep.fanvue.subscriptions import REFUSALS
        from fankeep.keep.webhooks import open_webhooks

        async def opened(stores: Stores) -> T:
            async with open_webhooks(self.settings, stores, actor=operator()) as webhooks:
                return await work(webhooks, await self._users(webhooks))

        try:
            return on_stores(self.settings, opened)
        except ApiError as error:
            if error.http_status not in REFUSALS:
                raise
            print_steps(error.http_status, self.settings.webhook_url, self.events, as_json=self._as_json)
        return click.get_current_context().exit(_FAILED)

    async def _users(self, webhooks: Webhooks) -> Sequence[UserId]:
        if self._every:
            return await webhooks.connected()
        return [] if self._creator is None else [self._creator]


def _need(creator: str | None, *, every: bool) -> None:
    if creator is None and not every:
        raise click.UsageError("say for whom: --creator UUID, or --all")


def _events(patterns: Sequence[str]) -> tuple[str, ...]:
    from fankeep.fanvue.subscriptions import chosen_events

    try:
        return chosen_events(patterns)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--event") from None


def _uuid(text: str) -> UserId:
    from fankeep.fanvue.identifiers import as_uuid
    from fankeep.types import UserId

    known = as_uuid(text)
    if known is None:
        raise click.BadParameter(
            "a creator is named by a uuid: see `fankeep grants list`", param_hint="--creator"
        )
    return UserId(known)
