"""One process of the benchmark: a vault over the shared database, and callers who want tokens.

Reads one line of JSON with its job, then orders, one a line; says on stdout when it is ready and where it
was stopped. Ends on the order ``end``, or by the signal that the trap sends.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import uvloop
from bench.rig.steps_of_a_refresh import MarkingTransport, Step, SteppingDatabase, SteppingEndpoint, Trap
from bench.rig.town import Place, open_place

from fankeep.datakeys import DataKeys
from fankeep.errors import FankeepError, RetryableError
from fankeep.inbox import DatabaseLog
from fankeep.store import Database
from fankeep.store.events import NewEvent
from fankeep.telemetry import configure
from fankeep.types import UserId
from fankeep.vault import Timing, Vault

_GROUP = 64

T = TypeVar("T")


async def _work(job: dict[str, Any]) -> None:
    place = Place(**job["place"])
    timing = Timing(**job["timing"])
    trap = Trap()
    SteppingEndpoint.trap = MarkingTransport.trap = trap
    async with AsyncExitStack() as stack:
        data, datakeys = await _open(stack, place)
        transport = MarkingTransport(https_only=False, keep_alive=False)
        stack.push_async_callback(transport.close)
        database = SteppingDatabase(
            data, trap, forget=job["forget_commits"], bound_to_lease=job["bound_to_lease"]
        )
        vault = Vault(database, datakeys, place.endpoint(transport, timing, SteppingEndpoint), timing=timing)
        await _until_there(vault.start)
        users = [UserId(user) for user in job["users"]]
        tasks = [asyncio.create_task(_calls(vault, users, job["asks_per_s"]))]
        if job["inbox"]:
            tasks.append(asyncio.create_task(_fill_inbox(data)))
        print(json.dumps({"ready": True}), flush=True)
        await _orders(trap)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await vault.close()


async def _open(stack: AsyncExitStack, place: Place) -> tuple[Database, DataKeys]:
    return await _until_there(lambda: stack.enter_async_context(open_place(place)))


async def _until_there(begin: Callable[[], Awaitable[T]]) -> T:
    """Begin again when the database does not answer, as whoever supervises a process would."""
    while True:
        try:
            return await begin()
        except RetryableError as error:
            print(f"{time.time():.3f} not started: {error.code}", file=sys.stderr, flush=True)
            await asyncio.sleep(0.2)


async def _orders(trap: Trap) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if "end" in order:
            return
        trap.arm(Step(order["step"]), signal.Signals(order["signal"]))


async def _calls(vault: Vault, users: Sequence[UserId], per_second: float) -> None:
    """Ask for tokens; every other caller leaves, each after one more turn of the event loop than the last."""
    asked = 0
    running: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(random.expovariate(per_second))
        caller = asyncio.create_task(_call(vault, users[random.randrange(len(users))]))
        running.add(caller)
        caller.add_done_callback(running.discard)
        asked += 1
        if asked % 2:
            for _ in range(asked // 2 % 40):
                await asyncio.sleep(0)
            caller.cancel()


async def _call(vault: Vault, user: UserId) -> None:
    try:
        await vault.access_token(user)
    except FankeepError as error:
        print(f"{time.time():.3f} {user} {error.code}", file=sys.stderr, flush=True)


async def _fill_inbox(database: Database) -> None:
    log = DatabaseLog(database)
    while True:
        new = [_event() for _ in range(_GROUP)]
        try:
            await log.add(new, modern=())
        except FankeepError:
            await asyncio.sleep(0.1)


def _event() -> NewEvent:
    return NewEvent(
        digest=secrets.token_bytes(16),
        family="creator",
        type="creator.message.received",
        creator=None,
        secret_name="app",
        occurred_at=None,
        payload=None,
        fan_index=None,
        dropped="",
    )


if __name__ == "__main__":
    configure(format="json", level="INFO", stream=sys.stderr)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(json.loads(sys.stdin.readline())))
