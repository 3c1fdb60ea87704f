"""What lies between fankeep and a PostgreSQL server: a network that cuts connections at a COMMIT.

``after`` lets the COMMIT through and loses what the server says to it, ``before`` loses the COMMIT itself. In
both the client sees its connection close and cannot know which it was.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final, Literal

from bench.rig.listener import Listener

__all__ = ["Cutting", "Network"]

Cutting = Literal["before", "after"]

_COMMIT: Final = b"COMMIT\0"
_CHUNK: Final = 1 << 16


class Network(Listener):
    """Passes everything on, until it is told to cut the connection that sends the next COMMIT.

    Args:
        port: of the server, on loopback.
        share: cut so many of all COMMITs by itself, after they were sent; from 0 to 1.

    Attributes:
        cutting: what to do at the next COMMIT; it does it once.
        spare: so many COMMITs are let pass before that one.
        cuts: how often it has cut.
    """

    def __init__(self, port: int, *, share: float = 0.0) -> None:
        super().__init__()
        self._upstream = port
        self._share = share
        self.cutting: Cutting | None = None
        self.spare = 0
        self.cuts = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:  # the server is away: so is this
            writer.transport.abort()
            return
        lost = asyncio.Event()
        pumps = [
            asyncio.create_task(self._forward(reader, back, lost)),
            asyncio.create_task(_backward(there, writer, lost)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        writer.transport.abort()
        back.close()

    async def _forward(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        while data := await reader.read(_CHUNK):
            cutting = self._next() if _COMMIT in data else None
            if cutting == "before":
                return
            if cutting == "after":
                lost.set()
            back.write(data)
            await back.drain()

    def _next(self) -> Cutting | None:
        if self.spare:
            self.spare -= 1
            return None
        cutting, self.cutting = self.cutting, None
        if cutting is None and random.random() < self._share:
            cutting = "after"
        self.cuts += cutting is not None
        return cutting


async def _backward(there: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
    while data := await there.read(_CHUNK):
        if lost.is_set():
            return
        writer.write(data)
        await writer.drain()
