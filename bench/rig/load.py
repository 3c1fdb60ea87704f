"""The load generator: a process of its own that sends deliveries over keep-alive connections.

``python -m bench.rig.load`` reads one job a line from standard input and writes one outcome a line to
standard output, both as JSON. The requests are made before the clock starts, and answers are read with as
little work as possible, so that the generator is not what is measured.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

import uvloop
from bench.rig.deliveries import Delivery, deliveries

__all__ = ["Job", "Outcome"]

_MOST_PER_SECOND = 25_000
_REPEAT_EVERY = 50
_REPEAT_BACK = 1_000
_TICK = 0.001
_PATIENCE = 20.0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Job:
    """One round of load.

    Attributes:
        ports: of the receiver, on 127.0.0.1; connections are spread over them.
        concurrency: how many connections.
        seconds: how long it sends.
        rate: deliveries per second, sent on time whether or not answers keep up; None to send the next one
            as soon as a connection is free.
    """

    ports: list[int]
    secret: str
    creator: str
    concurrency: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a round.

    Attributes:
        accepted: answers with a 2xx.
        distinct: events that were answered with a 2xx at least once.
        refused: other answers.
        seconds: from the first request to the last answer.
        p50_ms: of the time from when a request was due to its answer.
        p99_ms: the same.
    """

    accepted: int
    distinct: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """One request at a time; tells the round about every answer."""

    def __init__(self, round_: _Round) -> None:
        self._round = round_
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None
        self.event = ""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without inheriting

    def send(self, delivery: Delivery, due: float) -> None:
        assert self._transport is not None
        self.event, self.due = delivery.event, due
        self._transport.write(delivery.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end + 2)
        if length is None or len(self._buffer) < end + len(_END) + int(length[1]):
            return
        accepted = self._buffer[9:10] == b"2"  # HTTP/1.1 200
        self._buffer = b""
        self._round.answered(self, accepted=accepted)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._round.lost()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Round:
    def __init__(self, job: Job, supply: Iterator[Delivery]) -> None:
        self._job = job
        self._supply = supply
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle: list[_Connection] = []
        self._late: deque[float] = deque()
        self._acknowledged: set[str] = set()
        self._latencies: list[float] = []
        self._refused = 0
        self._begin = self._until = self._end = 0.0
        self._pacing = job.rate is not None

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        ports = itertools.cycle(self._job.ports)
        for port in itertools.islice(ports, self._job.concurrency):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
            self._idle.append(connection)
        connections = tuple(self._idle)
        self._begin = time.perf_counter()
        self._until = self._begin + self._job.seconds
        if self._job.rate is None:
            self._idle.clear()
            for connection in connections:
                self._next(connection, self._begin)
        else:
            await self._pace(self._job.rate)
        async with asyncio.timeout(_PATIENCE):
            await self._done
        for connection in connections:
            connection.close()
        return self._outcome()

    def answered(self, connection: _Connection, *, accepted: bool) -> None:
        now = time.perf_counter()
        self._end = now
        self._latencies.append(now - connection.due)
        if accepted:
            self._acknowledged.add(connection.event)
        else:
            self._refused += 1
        if self._job.rate is not None and self._late:
            self._next(connection, self._late.popleft())
        elif self._job.rate is None and now < self._until:
            self._next(connection, now)
        else:
            self._rest(connection)

    def lost(self) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the receiver closed a connection"))

    def _next(self, connection: _Connection, due: float) -> None:
        delivery = next(self._supply, None)
        if delivery is None:
            self._rest(connection)
        else:
            connection.send(delivery, due)

    def _rest(self, connection: _Connection) -> None:
        self._idle.append(connection)
        self._finish_if_idle()

    def _finish_if_idle(self) -> None:
        if not self._pacing and len(self._idle) == self._job.concurrency and not self._done.done():
            self._done.set_result(None)

    async def _pace(self, rate: float) -> None:
        """Send on time: whatever is due goes out, or waits for a connection with its clock running."""
        count = max(1, int(rate * self._job.seconds))
        sent = 0
        while sent < count:
            now = time.perf_counter()
            due_now = min(count, int((now - self._begin) * rate) + 1)
            for number in range(sent, due_now):
                due = self._begin + number / rate
                if self._idle:
                    self._next(self._idle.pop(), due)
                else:
                    self._late.append(due)
            sent = due_now
            await asyncio.sleep(_TICK)
        self._pacing = False
        self._finish_if_idle()

    def _outcome(self) -> Outcome:
        ordered = sorted(self._latencies)
        return Outcome(
            accepted=len(ordered) - self._refused,
            distinct=len(self._acknowledged),
            refused=self._refused,
            seconds=self._end - self._begin,
            p50_ms=_percentile(ordered, 0.50) * 1e3,
            p99_ms=_percentile(ordered, 0.99) * 1e3,
        )


def _percentile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _prepared(job: Job) -> list[Delivery]:
    """Make all requests of a round; one in fifty is a repeat of an earlier one."""
    count = int(job.seconds * (job.rate or _MOST_PER_SECOND)) + job.concurrency
    made = deliveries(secret=job.secret, creator=job.creator, port=job.ports[0], now=time.time())
    requests = list(itertools.islice(made, count))
    for number in range(_REPEAT_BACK, count, _REPEAT_EVERY):
        requests[number] = requests[number - _REPEAT_BACK + 1]
    return requests


def main() -> None:
    """Run jobs until standard input ends."""
    gc.disable()
    for line in sys.stdin:
        job = Job(**json.loads(line))
        supply = iter(_prepared(job))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(_run(job, supply))
        del supply
        gc.collect()
        print(json.dumps(asdict(outcome)), flush=True)


async def _run(job: Job, supply: Iterator[Delivery]) -> Outcome:
    return await _Round(job, supply).run()


if __name__ == "__main__":
    main()
