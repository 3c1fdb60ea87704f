"""What is done to the processes while they refresh."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bench.harness import note
from bench.rig.crew import Crew
from bench.rig.engines import Engine
from bench.rig.steps_of_a_refresh import Step
from bench.rig.town import Town

from fankeep.errors import RetryableError
from fankeep.types import UserId

__all__ = [
    "PAUSE",
    "all_at_once",
    "alone",
    "comings_and_goings",
    "database_restarted",
    "database_stopped",
    "killed",
    "paused",
]

PAUSE = 45.0
"""Seconds for which a process is stopped: longer than the grace."""

_AWAY = 33.0
_DATABASE_AWAY = 60.0

# Who stands inside a transaction holds the writers' lock, so those come one by one.
_PAUSED_TOGETHER = (
    (Step.AFTER_CLAIM, Step.AFTER_SEND, Step.AFTER_ROTATION),
    (Step.AFTER_ANSWER, Step.AFTER_COMMIT),
    (Step.BEFORE_CLAIM,),
    (Step.BEFORE_COMMIT,),
)
_WITH_THE_LOCK = frozenset({Step.BEFORE_CLAIM, Step.BEFORE_COMMIT})


async def killed(crew: Crew, times: int) -> None:
    """SIGKILL at every step so many times; all processes are on it at once, each by itself."""
    steps = [step for step in Step for _ in range(times)]
    random.shuffle(steps)
    total, done = len(steps), 0

    async def one(number: int) -> None:
        nonlocal done
        while steps:
            step = steps.pop()
            await asyncio.sleep(random.uniform(0.5, 1.5))
            await crew.stop_at(number, step)
            await crew.start(number)
            done += 1
            if done % 25 == 0 or done == total:
                note(f"survive: {done} of {total} processes killed")

    async with asyncio.TaskGroup() as group:
        for number in range(crew.size):
            group.create_task(one(number))


async def all_at_once(crew: Crew, times: int) -> None:
    """SIGKILL to every process at the same moment."""
    for _ in range(times):
        await asyncio.sleep(10.0)  # a grant that was hit is whole again before it is hit once more
        await asyncio.gather(*(crew.kill(number) for number in range(crew.size)))
        await asyncio.gather(*(crew.start(number) for number in range(crew.size)))
        note("survive: all processes killed at once")


async def paused(crew: Crew, engine: Engine, seconds: float = PAUSE) -> None:
    """SIGSTOP at every step, for longer than the grace, while at least one process goes on."""
    for steps in _PAUSED_TOGETHER:
        note(f"survive: stopped for {seconds:.0f} s at {', '.join(steps)}")
        await asyncio.gather(
            *(_pause(crew, engine, number, step, seconds) for number, step in enumerate(steps))
        )
        await asyncio.sleep(10.0)


async def _pause(crew: Crew, engine: Engine, number: int, step: Step, seconds: float) -> None:
    await _stop(crew, engine, number, step)
    await asyncio.sleep(seconds)
    crew.go_on(number)


async def _stop(crew: Crew, engine: Engine, number: int, step: Step) -> None:
    """Stop a process at a step, and not with the writers' lock for something else as well.

    With the lock it would keep everybody from repeating what it has sent, for longer than the grace. At two
    of the steps it has the lock for the grant in question, of which nothing is unanswered outside.
    """
    while True:
        await crew.stop_at(number, step, signal.SIGSTOP)
        if step in _WITH_THE_LOCK or await engine.free():
            return
        crew.go_on(number)


async def alone(crew: Crew, engine: Engine) -> None:
    """Only a stopped process holds the answers; the others come when the grace is over, and it wakes last."""
    note(f"survive: {PAUSE:.0f} s with the answers in stopped processes, and the others away")
    holders, others = range(crew.size // 2), range(crew.size // 2, crew.size)
    for number in holders:
        await _stop(crew, engine, number, Step.AFTER_ANSWER)
    await asyncio.gather(*(crew.end(number) for number in others))
    await asyncio.sleep(_AWAY)
    await asyncio.gather(*(crew.start(number) for number in others))
    await asyncio.sleep(PAUSE - _AWAY)
    for number in holders:
        crew.go_on(number)
    await asyncio.sleep(5.0)


async def database_stopped(crew: Crew, engine: Engine) -> None:
    """No process can write for a minute, and one of them holds an answer."""
    note(f"survive: {_DATABASE_AWAY:.0f} s without the database, with an answer held")
    await _stop(crew, engine, 0, Step.AFTER_ANSWER)
    async with engine.away():
        crew.go_on(0)
        await asyncio.sleep(_DATABASE_AWAY)
    await asyncio.sleep(5.0)


async def database_restarted(engine: Engine, times: int) -> None:
    """Take the database away for a moment, while everybody works."""
    for number in range(times):
        await asyncio.sleep(random.uniform(2.0, 6.0))
        async with engine.away():
            await asyncio.sleep(random.uniform(0.0, 3.0))
        note(f"survive: the database was away, time {number + 1} of {times}")
    await asyncio.sleep(10.0)


async def comings_and_goings(
    town: Town, coming: Sequence[UserId], going: Sequence[UserId], over: asyncio.Event
) -> None:
    """Creators log out or disconnect, and connect again, beside the refreshes; others are erased."""
    creators = itertools.cycle(town.creators)
    endings = itertools.cycle((_log_out, _disconnect))
    for user in going:
        await _until_done(partial(town.vault.end, user, "erased"))
        await _until_done(partial(town.datakeys.destroy, user))
    for user in itertools.cycle(coming):
        if over.is_set():
            return
        await _until_done(partial(next(endings), town, user))
        await _until_done(partial(town.connect, user, next(creators)))


async def _log_out(town: Town, user: UserId) -> None:
    """Sign in to a browser session and out of it again, which ends the grant as well."""
    session = await town.sessions.lookup(await town.sessions.start(user))
    if session is None:
        raise RetryableError("the session that was just started is not there")
    await town.lifecycle.logout(session)


async def _disconnect(town: Town, user: UserId) -> None:
    await town.lifecycle.disconnect(user)


async def _until_done(work: Callable[[], Awaitable[object]]) -> None:
    """Try again while the database or the server does not answer, as a creator would."""
    while True:
        try:
            await work()
        except RetryableError:
            await asyncio.sleep(1.0)
        else:
            return
