"""What time brings by itself: scheduled posts and mass messages, renewals, and ends of subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from operator import itemgetter
from typing import Protocol

from fankeep.errors import ConfigurationError
from fankeep.sandbox.endpoints import Delivery
from fankeep.sandbox.happenings import Life
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import PERIOD_SECONDS, AppSubscription, Creator
from fankeep.telemetry import get_logger

__all__ = ["settle", "time_passing"]

_log = get_logger("fankeep.sandbox")

_SECONDS_BETWEEN_LOOKS = 0.25


class _Happens(Protocol):
    def __call__(self, *, now: float) -> list[Delivery]: ...


def settle(sandbox: Sandbox, creators: Iterable[Creator] | None = None) -> bool:
    """Let everything happen that is due by the sandbox's clock, and the webhooks tell of it.

    It happens at the time when it was due, the earliest first. A jump of the clock over several periods of
    a subscription is one renewal, at the newest of their ends.

    Args:
        sandbox: whose world it is.
        creators: with whom it may happen; all by default.

    Returns:
        Whether anything happened.
    """
    now = sandbox.now()
    concerned = sandbox.world.creators.values() if creators is None else creators
    happened = [_settle_creator(sandbox, creator, now) for creator in concerned]
    happened += [_settle_app(one, now) for one in sandbox.world.app_subscriptions.values()]
    return any(happened)


@asynccontextmanager
async def time_passing(sandbox: Sandbox) -> AsyncIterator[None]:
    """Let what is due happen on its own, four looks a second, until the block ends."""
    task = asyncio.create_task(_look_again_and_again(sandbox))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _look_again_and_again(sandbox: Sandbox) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            if settle(sandbox):
                sandbox.keep()
        except ConfigurationError as problem:
            _log.error("sandbox_state_not_written", problem=str(problem))


def _settle_creator(sandbox: Sandbox, creator: Creator, now: float) -> bool:
    posts = [post for post in creator.content.posts.values() if post.settle(now)]
    due = sorted(_due(sandbox.life, creator, now), key=itemgetter(0))
    for at, happens in due:
        happens(now=at)
    return bool(posts or due)


def _due(life: Life, creator: Creator, now: float) -> Iterator[tuple[float, _Happens]]:
    """What is due with a creator, and when it was."""
    for mass in creator.content.mass_messages.values():
        if mass.is_due(now):
            yield mass.scheduled_at or now, partial(life.creator_writes_to_many, creator, mass)
    for one in creator.subscriptions:
        if one.active and one.expires_at <= now and one.renews:
            yield _newest_end(one.expires_at, now), partial(life.subscription_renews, creator, one)
        elif one.active and one.expires_at <= now:
            yield one.expires_at, partial(life.subscription_ends, creator, one)


def _settle_app(one: AppSubscription, now: float) -> bool:
    if one.status != "active" or one.period_end is None or one.period_end > now:
        return False
    if one.ends:
        one.status = "cancelled"
    else:
        one.period_end = _newest_end(one.period_end, now) + PERIOD_SECONDS
    return True


def _newest_end(first: float, now: float) -> float:
    """When a period ended last, of periods one after the other of which the first ended at ``first``."""
    return first + (now - first) // PERIOD_SECONDS * PERIOD_SECONDS
