"""What is done to gateways, workers and the database while events are delivered."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from bench.harness import note
from bench.rig.post_office import Office
from bench.rig.postbag import Letter
from bench.rig.postman import Postman

__all__ = ["killed_while_sending", "run_dry"]

_DATABASE_AWAY = 3.0
_FIRST_GUESS = 0.3
_LONGEST = 2.0
_SPARE = 0.1
_DRY_SECONDS = 180.0
_NOTE_EVERY = 10


async def killed_while_sending(
    name: str,
    place: Office,
    postman: Postman,
    bag: Sequence[Letter],
    *,
    kills: int,
    at_once: int,
    restart: bool,
) -> None:
    """Hand out the events in parts, and kill in the middle of each.

    The moment is random within the time that a part takes, so that most deaths hit requests and handlers that
    are under way, however fast the machine is. Every process is started again at once.

    Args:
        name: of the run, for the notes.
        place: whose processes are killed.
        postman: who sends.
        bag: all events.
        kills: how often one process is killed.
        at_once: how often all of them are.
        restart: kill the database half way, and start it again.
    """
    steps = ["one"] * kills + ["all"] * at_once
    random.shuffle(steps)
    usual = _FIRST_GUESS
    parts = len(steps) + restart
    hands = iter([bag[one * len(bag) // parts : (one + 1) * len(bag) // parts] for one in range(parts)])
    async with asyncio.TaskGroup() as starting:
        for number, step in enumerate(steps):
            part = next(hands)
            begin = time.monotonic()
            postman.take(part)
            first = await place.some_that_is_up("gateway", "worker")
            await asyncio.sleep(random.uniform(0, usual))
            for member in [first] if step == "one" else [one for one in place.members if one.up]:
                await place.kill(member, postman.open_at)
                starting.create_task(place.start(member))
            if restart and number == len(steps) // 2:
                await _database_restarted(name, place, postman, next(hands))
            await _mostly_sent(postman, len(part))
            usual = min(_LONGEST, (usual + time.monotonic() - begin) / 2)
            if (number + 1) % _NOTE_EVERY == 0 or number + 1 == len(steps):
                note(
                    f"{name}: {place.kills.total()} killed, {len(postman.acknowledged):,} events "
                    f"acknowledged after {postman.seen['requests']:,} requests"
                )


async def run_dry(name: str, place: Office, postman: Postman) -> None:
    """Wait until everything is delivered and handled, while nobody is killed any more."""
    deadline = time.monotonic() + _DRY_SECONDS
    while postman.left or await place.pending():
        if time.monotonic() > deadline:
            note(
                f"{name}: {postman.left} deliveries and {await place.pending()} events were not done in time"
            )
            return
        await asyncio.sleep(0.25)


async def _mostly_sent(postman: Postman, part: int) -> None:
    """Wait until few deliveries are left; those that were cut off try again meanwhile."""
    deadline = time.monotonic() + _LONGEST
    while postman.due > _SPARE * part and time.monotonic() < deadline:
        await asyncio.sleep(0.005)


async def _database_restarted(name: str, place: Office, postman: Postman, part: Sequence[Letter]) -> None:
    """Kill the database, hand out a part of the events to the gateways that live, and start it again."""
    await place.some_that_is_up("gateway")
    note(f"{name}: PostgreSQL is killed, and started again {_DATABASE_AWAY:.0f} s later")
    async with place.engine.away():
        postman.take(part)
        await asyncio.sleep(_DATABASE_AWAY)
    place.restarts += 1
