"""The least that a receiver can do: the same server with the same settings, the body read, 200 answered.

``python -m bench.rig.bare PORT``
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from fankeep.transport.listener import Message, Receive, Send, listening
from fankeep.transport.scheduling import take_turns

_ANSWER = b'{"status": "stored"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Read the body and answer 200."""
    del scope
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


async def _serve(port: int) -> None:
    async with listening(app, host="127.0.0.1", port=port) as serving:
        await serving


if __name__ == "__main__":
    take_turns()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
