"""What hostile input does to the receiver: nothing but refusals, and no exception that is not fankeep's own.

1,000,000 pairs of header and body that were not signed with an active secret, or not now, are tried against
``verify_webhook``; genuine pairs in between have to be accepted. Hypothesis makes some more, and atheris
looks for others by coverage. Then bodies that are hostile though rightly signed go through the whole gateway,
called as a server calls it, into an inbox.

``python -m bench.hostile --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from bench.harness import note, print_machine, print_result
from bench.rig.receiving import Received, receive
from bench.rig.strategies import explore
from bench.rig.verdicts import Verdicts, forge

from fankeep.telemetry import configure

NAME = "hostile"

_ROOT = Path(__file__).parents[1]
_RUNS = re.compile(r"^Done (\d+) runs", re.MULTILINE)
_COVERED = re.compile(r"^#\d+\tDONE +cov: (\d+)", re.MULTILINE)
_FUZZ_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried.

    Attributes:
        pairs: from the generator.
        examples: from Hypothesis.
        runs: of atheris, for each of its two targets.
        bodies: signed ones, through the whole gateway.
        seed: the same one makes the same input, but for the runs of atheris.
    """

    pairs: int = 1_000_000
    examples: int = 10_000
    runs: int = 500_000
    bodies: int = 50_000
    seed: int = 1


SHORT = Plan(pairs=20_000, examples=300, runs=5_000, bodies=1_500)
"""For tests."""
_DEFAULT = Plan()


def main() -> None:
    """Print ``pairs``, ``accepted``, ``foreign_exceptions`` and what became of signed bodies."""
    if not measure(_DEFAULT):
        raise SystemExit(f"bench {NAME}: a figure is not what it has to be")


def measure(plan: Plan) -> bool:
    """Carry out a plan; return whether every figure is what it has to be."""
    return all([_generated(plan), _explored(plan), *_fuzzed(plan), _received(plan)])


def _generated(plan: Plan) -> bool:
    begin, found = time.monotonic(), Verdicts()
    told = _every_tenth(plan.pairs, "pairs")
    for part in forge(plan.pairs, seed=plan.seed, processes=len(os.sched_getaffinity(0))):
        found.add(part)
        told(found.pairs)
    naive = found.naive.total()
    note(
        f"{NAME}: of {naive} of them, a naive verifier accepts {found.naive['accepted'] / naive:.1%} and "
        f"raises what is not its own on {sum(found.foreign_of_naive.values()) / naive:.1%}"
    )
    good = _print_pairs(found, "generator", begin)
    print_result(NAME, "genuine_refused", found.controls_refused, "pairs", of=found.controls)
    return good and found.controls_refused == 0 < found.controls


def _explored(plan: Plan) -> bool:
    note(f"{NAME}: {plan.examples:,} pairs of Hypothesis")
    begin = time.monotonic()
    return _print_pairs(explore(plan.examples, first=plan.seed), "hypothesis", begin)


def _print_pairs(found: Verdicts, by: str, begin: float) -> bool:
    ends = json.dumps(found.reasons())
    seconds = round(time.monotonic() - begin, 1)
    print_result(NAME, "pairs", found.pairs, "pairs", by=by, seconds=seconds, ends=ends)
    print_result(NAME, "accepted", found.accepted, "pairs", by=by, of=found.pairs)
    foreign = sum(found.foreign.values())
    which = json.dumps(found.foreign)
    print_result(NAME, "foreign_exceptions", foreign, "pairs", by=by, of=found.pairs, which=which)
    return found.accepted == foreign == 0 < found.pairs


def _fuzzed(plan: Plan) -> list[bool]:
    if find_spec("atheris") is None:
        note(f"{NAME}: there is no atheris for this platform, so nothing is looked for by coverage")
        return []
    note(f"{NAME}: {plan.runs:,} runs of atheris for each of two targets")
    return [_fuzz(plan, target) for target in ("pairs", "bodies")]


def _fuzz(plan: Plan, target: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "bench.rig.fuzz",
                target,
                folder,
                f"-runs={plan.runs}",
                f"-seed={plan.seed}",
                f"-artifact_prefix={folder}/",
            ],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FUZZ_SECONDS,
            check=False,
        )
    said = done.stdout + done.stderr
    runs, covered = (_number(pattern, said) for pattern in (_RUNS, _COVERED))
    failed = int(done.returncode != 0)
    if failed:
        note(said[-4000:])
    print_result(NAME, target, runs, target, by="atheris", covered=covered)
    print_result(NAME, "accepted_or_foreign_exceptions", failed, target, by="atheris", of=runs)
    return not failed and runs >= plan.runs


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0


def _received(plan: Plan) -> bool:
    configure(level="CRITICAL", stream=sys.stderr)
    begin = time.monotonic()
    told = _every_tenth(plan.bodies, "signed bodies")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        found = asyncio.run(receive(Path(folder), plan.bodies, seed=plan.seed, progress=told))
    return _print_received(found, time.monotonic() - begin)


def _print_received(found: Received, seconds: float) -> bool:
    total, foreign = found.statuses.total(), found.foreign.total()
    print_result(
        NAME,
        "signed_bodies",
        total,
        "requests",
        seconds=round(seconds, 1),
        statuses=json.dumps(found.statuses),
        engine="sqlite",
    )
    which = json.dumps(found.foreign)
    print_result(NAME, "foreign_exceptions", foreign, "requests", by="gateway", of=total, which=which)
    kinds = {status: len(bodies) for status, bodies in found.answers.items()}
    print_result(NAME, "answers_of_a_status", max(kinds.values()), "bodies", by="gateway")
    print_result(
        NAME, "rows", found.rows, "events", exactly=found.rows, repeats=found.repeats, engine="sqlite"
    )
    print_result(NAME, "half_stored", found.half_stored, "rows", of=found.rows, engine="sqlite")
    stored = found.rows + found.repeats == found.statuses[200] > 0
    return foreign == found.half_stored == 0 and max(kinds.values()) == 1 and stored


def _every_tenth(count: int, what: str) -> Callable[[int], None]:
    """Tell on stderr how far it is, ten times in all."""
    next_one = count // 10

    def told(done: int) -> None:
        nonlocal next_one
        if done >= next_one:
            note(f"{NAME}: {done:,} of {count:,} {what}")
            next_one = done + count // 10

    return told


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some seconds")
    parser.add_argument("--seed", type=int, default=_DEFAULT.seed)
    parser.add_argument("--pairs", type=int, help="from the generator")
    parser.add_argument("--bodies", type=int, help="signed ones, through the whole gateway")
    parser.add_argument("--runs", type=int, help="of atheris, for each of its targets")
    given = vars(parser.parse_args())
    plan = SHORT if given.pop("short") else _DEFAULT
    return replace(plan, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    print_machine()
    sys.exit(0 if measure(_arguments()) else 1)
