"""One process of callers who want the token of one grant: all at the same moment, or one after the other.

Reads its place, then orders, one a line. ``callers`` ask at once. ``without_pause`` makes one caller ask
again and again until the next order, which says when the grant was reported as ended: ``served_after`` then
counts the asks that began later and were served all the same, of ``asked_after`` in all.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import uvloop
from bench.rig.town import Place, open_place

from fankeep.errors import FankeepError
from fankeep.telemetry import configure
from fankeep.transport import Transport
from fankeep.types import UserId
from fankeep.vault import Timing, TokenEndpoint, Vault

_BETWEEN = 0.001
_LONGER = 3.0  # past the time for which a row may be believed


async def _work(place: Place) -> None:
    timing = Timing()
    async with AsyncExitStack() as stack:
        data, datakeys = await stack.enter_async_context(open_place(place))
        transport = Transport(https_only=False, keep_alive=False)
        stack.push_async_callback(transport.close)
        vault = Vault(data, datakeys, place.endpoint(transport, timing, TokenEndpoint), timing=timing)
        print(json.dumps({"ready": True}), flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            order = json.loads(line)
            work = (
                _without_pause(vault, order, reader)
                if "without_pause" in order
                else _all_at_once(vault, order)
            )
            print(json.dumps(await work), flush=True)
        await vault.close()


async def _all_at_once(vault: Vault, order: dict[str, Any]) -> dict[str, Any]:
    """Ask at the given moment; say when each caller had the token, and how many got none."""
    served: list[float] = []
    refused = 0

    async def call() -> None:
        nonlocal refused
        try:
            await vault.access_token(UserId(order["user"]))
        except FankeepError:
            refused += 1
        else:
            served.append(time.time())

    await asyncio.sleep(max(0.0, order["at"] - time.time()))
    await asyncio.gather(*(call() for _ in range(order["callers"])))
    return {"served": served, "refused": refused}


async def _without_pause(vault: Vault, order: dict[str, Any], reader: asyncio.StreamReader) -> dict[str, Any]:
    """Ask until told when the grant ended, and for a moment longer."""
    user = UserId(order["user"])
    asks: list[tuple[float, bool]] = []

    async def ask_on() -> None:
        while True:
            began = time.time()
            try:
                await vault.access_token(user)
                asks.append((began, True))
            except FankeepError:
                asks.append((began, False))
            if len(asks) == 1:
                print(json.dumps({"asking": asks[0][1]}), flush=True)
            await asyncio.sleep(_BETWEEN)

    asking = asyncio.create_task(ask_on())
    told = json.loads(await reader.readline())
    await asyncio.sleep(_LONGER)
    asking.cancel()
    after = [served for began, served in asks if began > told["ended_at"]]
    before = [served for began, served in asks if began < told["ending_at"]]
    return {"asked_after": len(after), "served_after": sum(after), "served_before": sum(before)}


if __name__ == "__main__":
    configure(format="json", level="WARNING", stream=sys.stderr)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(Place(**json.loads(sys.stdin.readline()))))
