"""The sender of the benchmark of deliveries: sends, repeats, reorders, and tries again until it has a 2xx."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.rig.postbag import Letter

__all__ = ["Postman"]

_ANSWER_SECONDS = 10.0
_CONNECTIONS = 48
_PAUSE = (0.05, 0.5)
_REPEATED = 0.08
"""Of all events: sent again some seconds after they were acknowledged."""
_TWICE_AT_ONCE = 0.04
_LATE = (0.1, 4.0)

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(slots=True)
class _Way:
    """A connection to one gateway."""

    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, request: bytes) -> int:
        """Send a request and return the status of the answer."""
        self.writer.write(request)
        head = await self.reader.readuntil(_END)
        for line in head.lower().split(b"\r\n"):
            if line.startswith(_LENGTH):
                await self.reader.readexactly(int(line[len(_LENGTH) :]))
        return int(head.split(b" ", 2)[1])


@dataclass(slots=True)
class Postman:
    """Delivers events to several gateways, any of which may be dead.

    Attributes:
        ports: of the gateways, on 127.0.0.1.
        host: what every request says it is for.
        secret: that signs them.
        acknowledged: the messages of those events that were answered with a 2xx.
        seen: how many requests had which end.
        open_at: by port, how many requests have no answer yet.
    """

    ports: Sequence[int]
    host: str
    secret: str = field(repr=False)
    acknowledged: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    open_at: Counter[int] = field(default_factory=Counter)
    _waiting: asyncio.Queue[Letter] = field(default_factory=asyncio.Queue)
    _later: set[asyncio.TimerHandle] = field(default_factory=set)
    _underway: int = 0

    def take(self, letters: Iterable[Letter]) -> None:
        """Send these as well, in any order."""
        bag = list(letters)
        bag += [letter for letter in bag if random.random() < _TWICE_AT_ONCE]
        random.shuffle(bag)
        for letter in bag:
            self._put(letter)

    @property
    def left(self) -> int:
        """How many deliveries have to be made still, repeats included."""
        return self._underway

    @property
    def due(self) -> int:
        """How many of them need not wait for their time."""
        return self._underway - len(self._later)

    async def run(self) -> None:
        """Send whatever there is until this is cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_CONNECTIONS):
                group.create_task(self._carry())

    def _put(self, letter: Letter, delay: float = 0.0) -> None:
        self._underway += 1
        if not delay:
            self._waiting.put_nowait(letter)
            return

        def due() -> None:
            self._later.discard(handle)
            self._waiting.put_nowait(letter)

        handle = asyncio.get_running_loop().call_later(delay, due)
        self._later.add(handle)

    async def _carry(self) -> None:
        """One connection after the other, each used as long as its gateway lives, and then some other."""
        way: _Way | None = None
        while True:
            letter = await self._waiting.get()
            way, status = await self._deliver(way, letter)
            self._underway -= 1
            if status is not None and 200 <= status <= 299:
                self._acknowledge(letter)
            else:
                self._put(letter, random.uniform(*_PAUSE))

    def _acknowledge(self, letter: Letter) -> None:
        first = letter.message not in self.acknowledged
        self.seen["acknowledged" if first else "repeats_acknowledged"] += 1
        self.acknowledged.add(letter.message)
        if first and random.random() < _REPEATED:
            self._put(letter, random.uniform(*_LATE))

    async def _deliver(self, way: _Way | None, letter: Letter) -> tuple[_Way | None, int | None]:
        """Try once; return the connection, if it still holds, and the status, if there was an answer."""
        way = way or await self._connect()
        if way is None:
            return None, None
        self.seen["requests"] += 1
        self.open_at[way.port] += 1
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                status = await way.post(letter.request(self.host, self.secret))
        except (OSError, asyncio.IncompleteReadError) as problem:
            self.seen["timed_out" if isinstance(problem, TimeoutError) else "cut_off"] += 1
            way.writer.close()
            return None, None
        finally:
            self.open_at[way.port] -= 1
        if not 200 <= status <= 299:
            self.seen[f"answered_{status}"] += 1
        return way, status

    async def _connect(self) -> _Way | None:
        port = random.choice(self.ports)
        try:
            return _Way(port, *await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            self.seen["not_connected"] += 1
            return None
