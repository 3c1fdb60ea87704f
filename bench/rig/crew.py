"""The processes of the benchmark: started, stopped at a step, killed, let go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.rig.relay import Relay
from bench.rig.steps_of_a_refresh import Step
from bench.rig.town import Place

from fankeep.types import UserId
from fankeep.vault import Timing

__all__ = ["Crew", "Job", "Stop", "crew_of"]

_ROOT = Path(__file__).parents[2]
_READY_SECONDS = 60.0
_REACHED_SECONDS = 180.0
_END_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Job:
    """What each process does.

    Attributes:
        asks_per_s: how often a process asks for the token of one of the users.
        forget_commits: of so many saves, one is committed without the vault being told; 0 for none.
        bound_to_lease: save only while the claim holds (a sensitivity run).
        inbox: the last process keeps the database busy with webhook deliveries.
    """

    users: Sequence[UserId]
    timing: Timing
    asks_per_s: float = 8.0
    forget_commits: int = 0
    bound_to_lease: bool = False
    inbox: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """One process stopped at one step."""

    process: int
    step: Step | None
    at: float
    how: signal.Signals


@dataclass(slots=True)
class _Member:
    relay: Relay
    process: asyncio.subprocess.Process | None = None


@dataclass(slots=True)
class Crew:
    """Several processes over one database."""

    place: Place
    job: Job
    logs: Path
    members: list[_Member] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.members)

    async def start(self, number: int) -> None:
        """Start a process and wait until it works."""
        member = self.members[number]
        with (self.logs / f"worker-{number}.log").open("ab") as log:
            member.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.rig.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
            )
        place = replace(self.place, issuer=f"http://127.0.0.1:{member.relay.port}")
        job: Mapping[str, Any] = {
            **asdict(self.job),
            "place": place.as_json(),
            "inbox": self.job.inbox and number == self.size - 1,
        }
        self._tell(number, job)
        await self._told(number, "ready", _READY_SECONDS)

    async def stop_at(self, number: int, step: Step, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop a process at a step; return when it stands there, or is dead."""
        self._tell(number, {"step": step, "signal": int(how)})
        await self._told(number, "stopped", _REACHED_SECONDS)
        if how == signal.SIGKILL:
            await self._process(number).wait()
        self.stops.append(Stop(number, step, time.time(), how))

    async def kill(self, number: int) -> None:
        """Kill a process wherever it is."""
        self._process(number).kill()
        await self._process(number).wait()
        self.stops.append(Stop(number, None, time.time(), signal.SIGKILL))

    def go_on(self, number: int) -> None:
        """Let a process go on that was stopped."""
        os.kill(self._process(number).pid, signal.SIGCONT)

    async def end(self, number: int) -> None:
        """Let a process finish what is under way, and end."""
        with contextlib.suppress(ConnectionError):
            self._tell(number, {"end": True})
        async with asyncio.timeout(_END_SECONDS):
            await self._process(number).wait()

    def kill_the_rest(self) -> None:
        """End what is still there when the benchmark is over, or has failed."""
        for member in self.members:
            if member.process is not None and member.process.returncode is None:
                member.process.kill()

    def pid(self, number: int) -> int:
        """Of the process that runs under this number now."""
        return self._process(number).pid

    def _process(self, number: int) -> asyncio.subprocess.Process:
        process = self.members[number].process
        if process is None:
            raise RuntimeError("this process was not started")
        return process

    def _tell(self, number: int, order: Mapping[str, Any]) -> None:
        stdin = self._process(number).stdin
        assert stdin is not None
        stdin.write(json.dumps(order).encode() + b"\n")

    async def _told(self, number: int, word: str, seconds: float) -> None:
        stdout = self._process(number).stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await stdout.readline()
        except TimeoutError:
            raise SystemExit(f"bench: process {number} was not {word} in {seconds:.0f} s") from None
        if not line or word not in json.loads(line):
            raise SystemExit(f"bench: process {number} ended before it was {word}; see {self.logs}")


@asynccontextmanager
async def crew_of(size: int, place: Place, job: Job, logs: Path) -> AsyncIterator[Crew]:
    """Start so many processes, each behind a relay of its own, and end them with the block."""
    crew = Crew(place, job, logs)
    port = int(place.issuer.rpartition(":")[2])
    async with AsyncExitStack() as stack:
        for number in range(size):
            relay = Relay(port, lambda number=number: crew.pid(number))  # type: ignore[misc]
            crew.members.append(_Member(await stack.enter_async_context(relay)))
        stack.callback(crew.kill_the_rest)
        await asyncio.gather(*(crew.start(number) for number in range(size)))
        yield crew
