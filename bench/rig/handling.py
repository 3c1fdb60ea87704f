"""The gateway with a handler that does nothing, so that every event is wanted, handed out and settled.

``python -m bench.rig.handling`` serves the public face like ``fankeep serve``.
"""

from __future__ import annotations

import asyncio

from fankeep import Keep
from fankeep.inbox import ReceivedEvent
from fankeep.keep.server import event_loop, stop_signal
from fankeep.transport.listener import listening
from fankeep.transport.scheduling import take_turns


async def _serve() -> None:
    keep = Keep()

    @keep.on("*")
    async def handle(event: ReceivedEvent) -> None:
        del event

    host, port = keep.settings.host, keep.settings.port
    with stop_signal() as stopped:
        async with keep, listening(keep.gateway, host=host, port=port):
            await stopped.wait()


if __name__ == "__main__":
    take_turns()
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_serve())
