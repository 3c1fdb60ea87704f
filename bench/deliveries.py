"""What becomes of events while gateways and workers are killed under them.

Gateways and workers share one database. A sender delivers 20,000 events, some twice at once, some again
later, none in their order, each until it has a 2xx. Meanwhile a process is killed (SIGKILL) at a random
moment, again and again, and PostgreSQL is killed and started once. At the end every event that was
acknowledged must be a handled row with its effect, and the effect of a two-phase handler must have happened
once.

The sensitivity runs leave one rule out each and have to fail; otherwise the harness would prove nothing.
``python -m bench.deliveries --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.harness import note, print_machine, print_result
from bench.rig.engines import ENGINES
from bench.rig.killing import killed_while_sending, run_dry
from bench.rig.left_out import LEFT_OUT, MARK_OUTSIDE
from bench.rig.post_office import CREATOR, Office, office
from bench.rig.postbag import letters
from bench.rig.postman import Postman
from bench.rig.reckoning import Reckoning, reckon

NAME = "deliveries"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done.

    Attributes:
        events: distinct ones.
        gateways: processes with a listener, all over one database.
        workers: processes that handle events, over the same one.
        kills: one process each, at random moments.
        at_once: how often all of them are killed at the same moment.
        restart: kill PostgreSQL half way and start it again.
        lease: seconds after which an event that a dead process held is handed out again.
        sensitivity: leave one rule out each.
        keep: leave databases and logs where they are.
    """

    events: int = 20_000
    gateways: int = 3
    workers: int = 3
    kills: int = 100
    at_once: int = 2
    restart: bool = True
    lease: float = 5.0
    sensitivity: bool = True
    engines: tuple[str, ...] = tuple(ENGINES)
    keep: bool = False


SHORT = Plan(
    events=600,
    gateways=2,
    workers=2,
    kills=8,
    at_once=0,
    lease=2.0,
    sensitivity=False,
    engines=("sqlite",),
)
"""For tests."""
_DEFAULT = Plan()
_SENSITIVITY = Plan(events=3_000, gateways=2, workers=2, kills=16, at_once=0, restart=False, lease=2.0)


def main() -> None:
    """Print ``sent``, ``kills``, ``lost`` and ``effects_not_once``."""
    if not measure(_DEFAULT):
        raise SystemExit(f"bench {NAME}: a figure is not what it has to be")


def measure(plan: Plan) -> bool:
    """Carry out a plan; return whether every figure is what it has to be."""
    results = [asyncio.run(_measure(plan, engine)) for engine in plan.engines]
    return all(results)


async def _measure(plan: Plan, engine: str) -> bool:
    place, postman, found = await _carry_out(plan, engine, None)
    _print(plan, engine, place, postman, found)
    good = found.lost == found.effects_not_once == 0 and found.acknowledged == found.rows == plan.events
    runs = (None, *LEFT_OUT) if plan.sensitivity else ()
    return all([good, *[await _sensitivity(plan, engine, rule) for rule in runs]])


async def _sensitivity(plan: Plan, engine: str, rule: str | None) -> bool:
    small = replace(_SENSITIVITY, keep=plan.keep)
    _, _, found = await _carry_out(small, engine, rule)
    metric, value = "lost", found.lost
    if rule == MARK_OUTSIDE:
        metric, value = "effects_not_once", found.effects_not_once
    print_result(
        NAME,
        metric,
        value,
        "events",
        engine=engine,
        sensitivity=rule or "all rules on",
        lost=found.lost,
        effects_not_once=found.effects_not_once,
        of=small.events,
    )
    return value > 0 if rule else found.lost == found.effects_not_once == 0


async def _carry_out(plan: Plan, engine: str, rule: str | None) -> tuple[Office, Postman, Reckoning]:
    """Do it all in a folder of its own, then look what is left."""
    name = f"{NAME}: {engine}" + (f", left out: {rule}" if rule else "")
    with _folder(keep=plan.keep) as folder:
        async with office(folder, engine) as place:
            note(f"{name}: {plan.events:,} events, {plan.gateways} gateways, {plan.workers} workers")
            for role, count in (("gateway", plan.gateways), ("worker", plan.workers)):
                for _ in range(count):
                    place.add(role, lease=plan.lease, left_out=rule)
            await asyncio.gather(*map(place.start, place.members))
            postman = Postman(place.ports, place.host, place.secret)
            bag = letters(plan.events, CREATOR)
            sending = asyncio.create_task(postman.run())
            await killed_while_sending(
                name,
                place,
                postman,
                bag,
                kills=plan.kills,
                at_once=plan.at_once,
                restart=plan.restart and engine == "postgresql",
            )
            await run_dry(name, place, postman)
            sending.cancel()
            await asyncio.wait({sending})
            await place.end()
            stored, effects = await place.stored()
            return place, postman, reckon(bag, postman.acknowledged, stored, effects, place.lines())


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        note(f"{NAME}: databases and logs stay in {folder}")
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            yield Path(name)


def _print(plan: Plan, engine: str, place: Office, postman: Postman, found: Reckoning) -> None:
    def line(metric: str, value: float, unit: str, **more: str | float) -> None:
        print_result(NAME, metric, value, unit, beside=None, engine=engine, **more)

    seen = postman.seen
    line(
        "sent",
        plan.events,
        "events",
        requests=seen["requests"],
        acknowledged=found.acknowledged,
        repeats_acknowledged=seen["repeats_acknowledged"],
        ends=json.dumps(seen),
    )
    line("kills", place.kills.total(), "processes", **place.kills)
    line("requests_open_at_a_kill", place.caught, "requests")
    line("claimed_again", found.claimed_again, "events")
    line("database_restarts", place.restarts, "times")
    line("rows", found.rows, "events", of=plan.events)
    line("lost", found.lost, "events", of=found.acknowledged)
    line("effects_not_once", found.effects_not_once, "events", handler="two-phase")
    line("never", found.plain_never, "events", handler="plain")
    line("more_than_once", found.plain_more_than_once, "events", handler="plain")


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.deliveries", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some seconds: a few kills, SQLite")
    parser.add_argument("--engine", choices=sorted(ENGINES), help="one engine alone")
    parser.add_argument("--events", type=int, help="distinct events")
    parser.add_argument("--kills", type=int, help="how often one process is killed")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs where they are")
    given = parser.parse_args()
    plan = replace(SHORT if given.short else _DEFAULT, keep=given.keep)
    if given.engine:
        plan = replace(plan, engines=(given.engine,))
    if given.events is not None:
        plan = replace(plan, events=given.events)
    return plan if given.kills is None else replace(plan, kills=given.kills)


if __name__ == "__main__":
    print_machine()
    sys.exit(0 if measure(_arguments()) else 1)
