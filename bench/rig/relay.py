"""What lies between a process and the token endpoint: passes requests on, and stops their sender on demand.

A mark on a request says what to do. `after_send`: the request has left the process; it is stopped, and then
the server gets it. `after_rotation`: the server has answered; the process is stopped before the answer
reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable
from typing import Final

from bench.rig.listener import Listener
from bench.rig.steps_of_a_refresh import MARK, Step

__all__ = ["Relay"]

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_MARK: Final = re.compile(rb"\r\n" + MARK.encode() + rb": ([a-z_]+):([0-9]+)", re.IGNORECASE)


class Relay(Listener):
    """One for each process.

    Args:
        port: of the sandbox, on loopback.
        pid: of the process behind this relay, asked for at the moment of stopping it.
    """

    def __init__(self, port: int, pid: Callable[[], int]) -> None:
        super().__init__()
        self._upstream = port
        self._pid = pid

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _message(reader)
            found = _MARK.search(request)
            step = Step(found[1].decode()) if found else None
            pid = self._pid()
            if found and step is Step.AFTER_SEND:
                _stop(pid, int(found[2]))
            answer = await self._ask(_MARK.sub(b"", request))
            if found and step is Step.AFTER_ROTATION:
                _stop(pid, int(found[2]))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away: the other sees its connection close
        finally:
            writer.close()

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _stop(pid: int, how: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.Signals(how))
