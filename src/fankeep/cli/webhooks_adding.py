"""``fankeep webhooks add``: one creator after the other, each told as it is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from fankeep.cli.backup import progress_bar
from fankeep.cli.webhooks_views import found_row
from fankeep.client import ApiError
from fankeep.errors import AccessError, FankeepError, ProviderError, TransportError
from fankeep.fanvue.subscriptions import REFUSALS, unknown_events

if TYPE_CHECKING:
    from fankeep.keep.webhooks import Webhooks
    from fankeep.types import UserId

__all__ = ["add_all", "warn_of_unknown"]


def warn_of_unknown(events: Sequence[str]) -> None:
    """Say on stderr which events fankeep does not know: mistyped, or newer than this version."""
    for name, near in unknown_events(events).items():
        meant = f"; did you mean {near}?" if near else ""
        click.echo(f"fankeep: {name} is no event that fankeep knows{meant}", err=True)


async def add_all(
    webhooks: Webhooks, users: Sequence[UserId], events: tuple[str, ...], *, again: bool, as_json: bool
) -> bool:
    """Subscribe for each creator.

    Args:
        webhooks: what to work with.
        users: for whom.
        events: to what.
        again: also for who has a subscription to the same events already, as when one replaces another.
        as_json: how to tell.

    Returns:
        False when it did not work for a creator.

    Raises:
        ApiError: Fanvue refuses the app.
        FankeepError: nothing works for anybody, as when the database does not answer.
    """
    served = set() if again else await _served(webhooks, events)
    wanted = [user for user in users if user not in served]
    if not wanted:
        click.echo(f"nothing to do: {_why_nothing(len(users))}", err=True)
        return True
    complete = True
    with progress_bar("subscribing") as progress:
        for number, user in enumerate(wanted, start=1):
            complete = await _add(webhooks, user, events, as_json=as_json) and complete
            progress(number, len(wanted))
    return complete


def _why_nothing(creators: int) -> str:
    if creators == 0:
        return "no connected creator"
    return "1 creator has it already" if creators == 1 else f"{creators} creators have it already"


async def _add(webhooks: Webhooks, user: UserId, events: tuple[str, ...], *, as_json: bool) -> bool:
    try:
        found = await webhooks.subscriptions.add(user, events)
    except FankeepError as error:
        if not _about_one_creator(error):
            raise
        failure = {"kind": "failure", "creator": user, "error": error.code}
        click.echo(json.dumps(failure) if as_json else f"{user}: {error}")
        return False
    told = found_row(found)
    click.echo(json.dumps(told) if as_json else f"{user}: {found.id}, {len(events)} events, {found.url}")
    return True


def _about_one_creator(error: FankeepError) -> bool:
    """Whether the next creator may fare better."""
    if isinstance(error, ApiError):
        return error.http_status not in REFUSALS
    return isinstance(error, (AccessError, ProviderError, TransportError))


async def _served(webhooks: Webhooks, events: tuple[str, ...]) -> set[UserId]:
    return {
        found.user
        for found in await webhooks.subscriptions.held()
        if found.standing.value == "held" and set(events) <= set(found.events)
    }
