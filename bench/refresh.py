"""Many callers in several processes want the token of one grant that has just expired.

``token_calls`` is what the server saw; ``waiter_delay_ms`` how much later than the first caller the middle
one had the new token, over all processes. While the creator is disconnected, one caller in each process asks
without a pause; ``served_after_end`` counts those who began to ask after the disconnect had answered, and got
a token.

``python -m bench.refresh --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness import print_machine, print_result
from bench.rig.engines import ENGINES
from bench.rig.town import Place, Town, town

from fankeep.types import UserId
from fankeep.vault import Timing

NAME = "refresh"
AIM_MS = 50.0

_ROOT = Path(__file__).parents[1]
_SHORT_LIFE = 2.0
_LONG_LIFE = 3_600.0
_ASKED_BEFORE = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        callers: in all.
        processes: among which they are divided.
        rounds: with a new grant each.
    """

    callers: int = 5_000
    processes: int = 4
    rounds: int = 5
    engine: str = "sqlite"


_DEFAULT = Plan()


def main() -> None:
    """Print ``token_calls``, ``waiter_delay_ms`` and ``served_after_end`` for each engine."""
    good = [measure(Plan(engine=engine)) for engine in ENGINES]
    if not all(good):
        raise SystemExit(f"bench {NAME}: a figure is not what it has to be")


def measure(plan: Plan) -> bool:
    """Carry out a plan; return whether there was one request, and nobody was served after the end."""
    return asyncio.run(_measure(plan))


async def _measure(plan: Plan) -> bool:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            town(
                Path(folder),
                grants=0,
                grace=30.0,
                lifetime=_SHORT_LIFE,
                timing=Timing(),
                engine=plan.engine,
            ) as place,
            _processes(plan.processes, place.place, Path(folder) / "logs") as processes,
        ):
            rounds = [await _round(place, processes, plan) for _ in range(plan.rounds)]
    common: dict[str, Any] = {
        "callers": plan.callers,
        "processes": plan.processes,
        "rounds": plan.rounds,
        "engine": plan.engine,
    }
    calls = max(one.calls for one in rounds)
    refused = sum(one.refused for one in rounds)
    served = sum(one.served_after for one in rounds)
    print_result(NAME, "token_calls", calls, "requests", aim=1, refused=refused, **common)
    delay = statistics.median(one.delay for one in rounds)
    print_result(NAME, "waiter_delay_ms", delay * 1e3, "ms", aim=AIM_MS, **common)
    asked = sum(one.asked_after for one in rounds)
    print_result(NAME, "served_after_end", served, "callers", aim=0, asked=asked, **common)
    return calls == 1 and refused == 0 and served == 0 and all(one.asked_by_all for one in rounds)


@dataclass(frozen=True, slots=True)
class _Round:
    """What one grant brought.

    Attributes:
        calls: that the server saw.
        delay: of the middle caller behind the first one, in seconds.
        refused: callers who got no token.
        asked_after: callers who asked after the disconnect had answered, and of them served.
        asked_by_all: whether every process was served before and asked after.
    """

    calls: int
    delay: float
    refused: int
    asked_after: int
    served_after: int
    asked_by_all: bool


async def _round(place: Town, processes: Sequence[asyncio.subprocess.Process], plan: Plan) -> _Round:
    user = UserId(str(uuid.uuid4()))
    await place.control.do("lifetime", seconds=_SHORT_LIFE)
    await place.connect(user, place.creators[0])
    await place.control.do("lifetime", seconds=_LONG_LIFE)
    before = await _token_calls(place)
    await asyncio.sleep(_SHORT_LIFE)
    share = plan.callers // len(processes)
    answers = await _ask(processes, user, share)
    served = sorted(at for answer in answers for at in answer["served"])
    calls = await _token_calls(place) - before
    ended = await _end_while_they_ask(place, processes, user)
    return _Round(
        calls=calls,
        delay=statistics.median(served) - served[0],
        refused=sum(answer["refused"] for answer in answers),
        asked_after=sum(answer["asked_after"] for answer in ended),
        served_after=sum(answer["served_after"] for answer in ended),
        asked_by_all=all(answer["asked_after"] and answer["served_before"] for answer in ended),
    )


async def _end_while_they_ask(
    place: Town, processes: Sequence[asyncio.subprocess.Process], user: UserId
) -> list[dict[str, Any]]:
    """Disconnect while a caller in every process asks without a pause; return what each of them saw."""
    _tell(processes, {"user": user, "without_pause": True})
    await asyncio.gather(*(_line(process) for process in processes))
    await asyncio.sleep(_ASKED_BEFORE)
    ending_at = time.time()
    await place.vault.end(user, "disconnected")
    _tell(processes, {"ending_at": ending_at, "ended_at": time.time()})
    return list(await asyncio.gather(*(_line(process) for process in processes)))


async def _ask(
    processes: Sequence[asyncio.subprocess.Process], user: UserId, callers: int
) -> list[dict[str, Any]]:
    _tell(processes, {"user": user, "callers": callers, "at": time.time() + 0.3})
    return list(await asyncio.gather(*(_line(process) for process in processes)))


def _tell(processes: Sequence[asyncio.subprocess.Process], order: dict[str, Any]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise SystemExit("bench refresh: a process of callers ended")
    answer: dict[str, Any] = json.loads(line)
    return answer


async def _token_calls(place: Town) -> int:
    journal = await place.control.show("journal", kind="token", grant_type="refresh_token")
    return len(journal) if isinstance(journal, list) else 0


@asynccontextmanager
async def _processes(
    count: int, place: Place, logs: Path
) -> AsyncIterator[Sequence[asyncio.subprocess.Process]]:
    started = []
    try:
        for number in range(count):
            with (logs / f"callers-{number}.log").open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "bench.rig.callers",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    cwd=_ROOT,
                    limit=1 << 22,
                )
            started.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(place.as_json()).encode() + b"\n")
        for process in started:
            await _line(process)
        yield started
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _arguments() -> list[Plan]:
    parser = argparse.ArgumentParser(prog="python -m bench.refresh", description=__doc__)
    parser.add_argument("--callers", type=int, default=_DEFAULT.callers, help="in all")
    parser.add_argument("--processes", type=int, default=_DEFAULT.processes)
    parser.add_argument("--rounds", type=int, default=_DEFAULT.rounds)
    parser.add_argument("--engine", choices=sorted(ENGINES), help="only this one")
    given = parser.parse_args()
    engines = [given.engine] if given.engine else ENGINES
    return [Plan(given.callers, given.processes, given.rounds, engine) for engine in engines]


if __name__ == "__main__":
    print_machine()
    everything = [measure(plan) for plan in _arguments()]
    sys.exit(0 if all(everything) else 1)
