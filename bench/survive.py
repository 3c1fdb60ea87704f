"""What grants survive: processes killed, stopped and cut off at every step of a refresh.

Four processes over one database keep the tokens of 200 creators fresh, which live for 2 seconds, while all of
them are killed again and again at chosen steps. Then every grant is asked for a token. With a grace of 30 s
none may be lost. Without a grace those can be whose process was killed between rotation and commit. The
sensitivity runs leave one rule out each, and have to lose grants; otherwise the harness would prove nothing.

``python -m bench.survive --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.harness import note, print_machine, print_result
from bench.rig.aftermath import Aftermath, look_at
from bench.rig.crew import Crew, Job, crew_of
from bench.rig.engines import ENGINES
from bench.rig.losses import explained, refreshes_sent
from bench.rig.ordeals import (
    all_at_once,
    alone,
    comings_and_goings,
    database_restarted,
    database_stopped,
    killed,
    paused,
)
from bench.rig.steps_of_a_refresh import UNSAFE, Step
from bench.rig.town import Town, town

from fankeep.types import UserId
from fankeep.vault import Timing

NAME = "survive"
GRACE = 30.0

_LIFETIME = 2.0
_STORING = 3.0
_PARTS = ("main", "grace-0", "sensitivity")
_TIMING = Timing(sweep=1.0, sweep_budget=2, sweep_rest=2.0, join=3.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done.

    Attributes:
        grants: creators who are connected.
        processes: over one database.
        kills: at each step; 0 leaves the main run out.
        least_in_all: kills that there have to be at the end.
        at_once: how often all processes are killed at the same moment.
        grace: of the server, in seconds, for all runs but the one without.
        restarts: how often the database goes away for a moment. PostgreSQL is killed and started again.
        pauses: stop processes for longer than the grace, and take the database away for a minute.
        grace_0: kills at each step of the run without a grace.
        sensitivity: leave one rule out each.
        keep: leave databases and logs where they are.
    """

    grants: int = 200
    processes: int = 4
    kills: int = 44
    least_in_all: int = 300
    at_once: int = 5
    grace: float = GRACE
    restarts: int = 3
    pauses: bool = True
    grace_0: int = 5
    sensitivity: bool = True
    engine: str = "sqlite"
    keep: bool = False


SHORT = Plan(
    grants=24,
    processes=3,
    kills=1,
    least_in_all=7,
    at_once=0,
    restarts=0,
    pauses=False,
    grace_0=0,
    sensitivity=False,
)
"""For tests."""
_DEFAULT = Plan()


@dataclass(frozen=True, slots=True)
class _Run:
    """One town and what is done to it."""

    name: str
    grants: int
    processes: int
    engine: str
    ordeal: Callable[[Crew, Town], Awaitable[None]]
    grace: float = GRACE
    timing: Timing = field(default_factory=lambda: _TIMING)
    bound_to_lease: bool = False
    coming: int = 0
    going: int = 0
    busy: bool = False
    keep: bool = False

    async def carry_out(self) -> _Result:
        """Do it all in a folder of its own, then look what is left."""
        with _folder(keep=self.keep) as folder:
            async with town(
                folder,
                grants=self.grants,
                grace=self.grace,
                lifetime=_LIFETIME,
                timing=self.timing,
                engine=self.engine,
            ) as place:
                note(f"survive: {self.name}: {self.grants} creators are connected")
                job = Job(
                    users=place.users,
                    timing=self.timing,
                    # Over PostgreSQL the connection is really cut; a file has none.
                    forget_commits=20 if self.busy and self.engine == "sqlite" else 0,
                    bound_to_lease=self.bound_to_lease,
                    inbox=self.busy,
                )
                logs = folder / "logs"
                async with AsyncExitStack() as stack:
                    cuts = await stack.enter_async_context(place.engine.unsteady()) if self.busy else _none
                    at = replace(place.place, database_url=place.engine.url)
                    crew = await stack.enter_async_context(crew_of(self.processes, at, job, logs))
                    over = asyncio.Event()
                    coming = place.users[: self.coming]
                    async with asyncio.TaskGroup() as group:
                        group.create_task(comings_and_goings(place, coming, self._going(place), over))
                        await self.ordeal(crew, place)
                        over.set()
                    await asyncio.gather(*(crew.end(number) for number in range(crew.size)))
                    cut = cuts()
                note(f"survive: {self.name}: done, asking for every grant")
                left = await look_at(
                    place, grace=self.grace, moved=self.coming + self.going, gone=self._going(place)
                )
                return _Result(crew, left, cut, self._unexplained(left, crew, logs))

    def _unexplained(self, left: Aftermath, crew: Crew, logs: Path) -> int:
        lines, stops = refreshes_sent(logs), sorted(crew.stops, key=lambda stop: stop.at)
        # So long after it was sent a request has an end, and a process that lives has stored what came.
        within = self.timing.connect + self.timing.call + _STORING
        return sum(not explained(loss, lines, stops, within=within) for loss in left.losses)

    def _going(self, place: Town) -> list[UserId]:
        return place.users[self.coming : self.coming + self.going]


@dataclass(frozen=True, slots=True)
class _Result:
    """What a run has left behind.

    Attributes:
        cuts: connections to the database that were cut after a COMMIT was sent.
        unexplained: lost grants whose loss is not the doing of a kill between rotation and commit.
    """

    crew: Crew
    left: Aftermath
    cuts: int
    unexplained: int


def _none() -> int:
    return 0


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        note(f"survive: databases and logs stay in {folder}")
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            yield Path(name)


def main() -> None:
    """Print ``kills``, ``grants_lost``, ``reuse_detections`` and ``overlaps``, over both engines."""
    good = [measure(replace(_DEFAULT, engine=engine)) for engine in ENGINES]
    if not all(good):
        raise SystemExit(f"bench {NAME}: a figure is not what it has to be")


def measure(plan: Plan) -> bool:
    """Carry out a plan; return whether everything is as it has to be."""
    return asyncio.run(_measure(plan))


async def _measure(plan: Plan) -> bool:
    good = await _main_run(plan) if plan.kills else True
    runs: list[Awaitable[bool]] = []
    if plan.grace_0:
        runs.append(_grace_0(plan))
    if plan.sensitivity:
        runs += [_sensitivity(run) for run in _sensitivity_runs(plan)]
    return all([good, *await asyncio.gather(*runs)])


async def _main_run(plan: Plan) -> bool:
    async def ordeal(crew: Crew, place: Town) -> None:
        await killed(crew, plan.kills)
        await all_at_once(crew, plan.at_once)
        await database_restarted(place.engine, plan.restarts)
        if plan.pauses:
            await asyncio.sleep(15.0)
            await paused(crew, place.engine)
            await alone(crew, place.engine)
            await database_stopped(crew, place.engine)
        await asyncio.sleep(8.0)

    moving = max(1, plan.grants // 20)
    run = _Run(
        f"grace {plan.grace:.0f} s",
        plan.grants,
        plan.processes,
        plan.engine,
        ordeal,
        coming=moving,
        going=moving,
        busy=True,
        keep=plan.keep,
        grace=plan.grace,
    )
    result = await run.carry_out()
    _print(plan, result, grace=plan.grace)
    left = result.left
    faults = (left.lost, left.late_sends, left.overlaps, left.reuse_detections)
    return not any(faults) and _killed_enough(plan, result.crew)


def _killed_enough(plan: Plan, crew: Crew) -> bool:
    """Whether the run shows what it is for: without kills it would be no wonder that nothing is lost."""
    kills = _kills(crew)
    return all(kills[step] >= plan.kills for step in Step) and kills.total() >= plan.least_in_all


async def _grace_0(plan: Plan) -> bool:
    async def ordeal(crew: Crew, _: Town) -> None:
        await killed(crew, plan.grace_0)
        await asyncio.sleep(8.0)

    run = _Run("grace 0", plan.grants // 2, plan.processes, plan.engine, ordeal, grace=0.0, keep=plan.keep)
    result = await run.carry_out()
    _print(plan, result, grace=0.0)
    print_result(NAME, "losses_unexplained", result.unexplained, "grants", grace_s=0.0, engine=plan.engine)
    return result.unexplained == 0


def _sensitivity_runs(plan: Plan) -> list[_Run]:
    async def kills(crew: Crew, _: Town) -> None:
        for number in range(crew.size):
            await crew.stop_at(number, Step.AFTER_ROTATION)
        await asyncio.gather(*(crew.start(number) for number in range(crew.size)))

    async def stops(crew: Crew, place: Town) -> None:
        await alone(crew, place.engine)

    def small(name: str, ordeal: Callable[[Crew, Town], Awaitable[None]], **more: Any) -> _Run:
        return _Run(name, 12, 2, plan.engine, ordeal, keep=plan.keep, **more)

    return [
        small("repeats off", kills, timing=replace(_TIMING, max_sends=1)),
        small("settle off", stops, timing=replace(_TIMING, settle=0.0)),
        small("save bound to the lease", stops, bound_to_lease=True),
        small("all rules on", stops),
    ]


async def _sensitivity(run: _Run) -> bool:
    left = (await run.carry_out()).left
    print_result(
        NAME, "grants_lost", left.lost, "grants", sensitivity=run.name, of=run.grants, engine=run.engine
    )
    return (left.lost == 0) == (run.name == "all rules on")


def _kills(crew: Crew) -> Counter[Step | None]:
    return Counter(stop.step for stop in crew.stops if stop.how == signal.SIGKILL)


def _print(plan: Plan, result: _Result, *, grace: float) -> None:
    left, kills = result.left, _kills(result.crew)
    pauses = Counter(stop.step for stop in result.crew.stops if stop.how == signal.SIGSTOP)
    common: dict[str, Any] = {"grace_s": grace, "engine": plan.engine}
    for step in Step:
        print_result(
            NAME,
            "kills",
            kills[step],
            "processes",
            step=step,
            unsafe=step in UNSAFE,
            pauses=pauses[step],
            **common,
        )
    print_result(NAME, "kills", kills.total(), "processes", anywhere=kills[None], **common)
    print_result(
        NAME, "grants_lost", left.lost, "grants", of=left.asked, reasons=json.dumps(left.reasons), **common
    )
    print_result(NAME, "reuse_detections", left.reuse_detections, "chains", **common)
    print_result(NAME, "overlaps", left.overlaps, "requests", **common)
    print_result(NAME, "commits_cut", result.cuts, "connections", **common)
    print_result(NAME, "sends_after_the_grace", left.late_sends, "requests", **common)
    print_result(
        NAME, "refreshes", left.requests, "requests", repeats=left.repeats, seconds=left.seconds, **common
    )


def _arguments() -> list[Plan]:
    parser = argparse.ArgumentParser(prog="python -m bench.survive", description=__doc__)
    parser.add_argument("--short", action="store_true", help="half a minute: a few kills at each step")
    parser.add_argument("--engine", choices=sorted(ENGINES), help="only this one")
    parser.add_argument("--part", choices=_PARTS, help="only this one")
    parser.add_argument("--kills", type=int, help="at each step of the main run")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs where they are")
    given = parser.parse_args()
    plan = replace(SHORT if given.short else _DEFAULT, keep=given.keep)
    if given.kills is not None:
        plan = replace(plan, kills=given.kills, least_in_all=given.kills * len(Step))
    if given.part is not None:
        plan = _only(plan, given.part)
    return [replace(plan, engine=engine) for engine in ([given.engine] if given.engine else ENGINES)]


def _only(plan: Plan, part: str) -> Plan:
    """Leave out everything but one part."""
    return replace(
        plan,
        kills=plan.kills if part == "main" else 0,
        grace_0=_DEFAULT.grace_0 if part == "grace-0" else 0,
        sensitivity=part == "sensitivity",
    )


if __name__ == "__main__":
    print_machine()
    everything = [measure(plan) for plan in _arguments()]
    sys.exit(0 if all(everything) else 1)
