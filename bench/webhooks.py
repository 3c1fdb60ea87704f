"""Webhook deliveries per second, verified, deduplicated, sealed and committed by ``fankeep serve``.

On SQLite and on PostgreSQL, everything on. Beside it in the same run: ``bare``, the same server with as many
processes that only reads the body and answers 200, and ``plain``, FastAPI with SQLAlchemy and one commit for
every delivery under uvicorn, one process. The load comes from another process over keep-alive connections;
one delivery in fifty is a repeat. What a delivery takes of the processor stands next to every rate: it moves
less when the machine has other work.

``python -m bench.webhooks --help`` shows what can be varied; so does
``make bench NAME=webhooks ARGS='--parts stored --stored 10000 1000000'``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import in_turn, medians, note, print_machine, print_result
from bench.rig.load import Outcome
from bench.rig.receivers import Generator, Installation, Receiver, bare, generator, plain
from bench.rig.rooms import ENGINES, Rooms, rooms

from fankeep.cli.stack import Stack
from fankeep.transport.ports import free_port

NAME = "webhooks"

_WAITING = ("queue_wait", "commit_per_row")
_STEPS = ("read_body", "verify", "parse", "digest", "minimise_seal", *_WAITING, "answer")
_HANDLING = ("-m", "bench.rig.handling")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        concurrency: connections of the load generator.
        seconds: length of one round.
        rounds: how often each receiver is measured, beside one round that does not count.
        engines: on which databases.
        processes: with how many gateways.
        stored: with how many old events in the database.
        parts: what to measure.
    """

    concurrency: int = 64
    seconds: float = 2.0
    rounds: int = 3
    engines: tuple[str, ...] = tuple(ENGINES)
    processes: tuple[int, ...] = (1, 2, 4)
    stored: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    parts: tuple[str, ...] = ("beside", "handled", "stored", "steps")


_DEFAULT = Plan()


@dataclass(slots=True)
class _Bench:
    """One receiver under load, how much it has acknowledged, and what that took of the processor."""

    plan: Plan
    load: Generator
    engine: str
    rooms: Rooms
    folder: Path
    acknowledged: Counter[tuple[int, ...]] = field(default_factory=Counter)
    busy_us: defaultdict[tuple[int, ...], list[float]] = field(default_factory=lambda: defaultdict(list))
    server_us: defaultdict[tuple[int, ...], list[float]] = field(default_factory=lambda: defaultdict(list))
    settled: defaultdict[tuple[int, ...], list[float]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, receiver: Receiver) -> Callable[[], float]:
        """Deliveries per second at full load."""

        def measure() -> float:
            begin, server = receiver.busy(), _server_busy(receiver)
            outcome = self._round(receiver, None)
            ended = time.perf_counter()
            receiver.settle()
            seconds = outcome.seconds + time.perf_counter() - ended
            self.settled[receiver.ports].append(outcome.distinct / seconds)
            self.busy_us[receiver.ports].append((receiver.busy() - begin) / outcome.accepted * 1e6)
            self.server_us[receiver.ports].append((_server_busy(receiver) - server) / outcome.accepted * 1e6)
            return outcome.accepted / outcome.seconds

        return measure

    def rates(self, measured: dict[str, Receiver]) -> dict[str, float]:
        """Deliveries per second of each at full load, in turn."""
        return medians(in_turn(self.plan.rounds, {name: self.rate(one) for name, one in measured.items()}))

    def p99(self, receiver: Receiver, rate: float) -> Callable[[], float]:
        """The 99th percentile of the time to the answer at a given load, in milliseconds."""

        def measure() -> float:
            outcome = self._round(receiver, rate)
            receiver.settle()
            return outcome.p99_ms

        return measure

    def cpu(self, receiver: Receiver) -> float:
        """Processor time of the receiver's own processes for one delivery, in microseconds."""
        (figure,) = medians({"": self.busy_us[receiver.ports]}).values()
        return figure

    @contextmanager
    def installation(self) -> Iterator[Installation]:
        """A fresh fankeep, and its processes until the block ends."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        made = Stack(
            folder / "stack", gateway_port=free_port(), sandbox_port=free_port(), logs=folder / "logs"
        )
        with made as stack:
            yield Installation(stack, self.rooms.new())

    def _round(self, receiver: Receiver, rate: float | None) -> Outcome:
        plan = self.plan
        outcome = self.load.run(receiver.job(concurrency=plan.concurrency, seconds=plan.seconds, rate=rate))
        self.acknowledged[receiver.ports] += outcome.distinct
        if outcome.refused:
            note(f"{receiver.processes[0].name}: {outcome.refused} deliveries were not accepted")
        return outcome


def main() -> None:
    """Print rates, processor time, delays, losses and the steps of a delivery."""
    measure(_DEFAULT)


def measure(plan: Plan) -> None:
    """Carry out a plan, on fresh databases in a temporary folder."""
    parts = {"beside": _beside, "handled": _handled, "stored": _stored, "steps": _steps}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, generator() as load:
        for engine in plan.engines:
            with rooms(engine, Path(folder)) as made:
                for part in plan.parts:
                    parts[part](_Bench(plan, load, engine, made, Path(folder)))


def _beside(bench: _Bench) -> None:
    for processes in bench.plan.processes:
        with bench.installation() as site:
            own, least = site.serve(processes), bare(site.stack, processes)
            measured = {"fankeep": own, "bare": least}
            if processes == 1:
                measured["plain"] = plain(site.stack, bench.rooms.new())
            rates = _rates(bench, measured, processes=processes)
            if processes == 1:
                _delays(bench, own, least, rates["fankeep"] / 2)
            _require_all_stored(bench, own)


def _rates(bench: _Bench, measured: dict[str, Receiver], **extra: str | float) -> dict[str, float]:
    """Measure what each does a second, in turn, and print the first one beside the others."""
    rates = bench.rates(measured)
    own, *others = measured
    _print_rates(bench, measured, rates, own, others, **extra)
    relations = [f"{rates[own] / rates[name]:.2f} of {name}" for name in others]
    note(f"{bench.engine} {extra}: {', '.join(relations)}")
    return rates


def _print_rates(
    bench: _Bench,
    measured: dict[str, Receiver],
    rates: dict[str, float],
    own: str,
    others: Sequence[str],
    **extra: str | float,
) -> None:
    """Print rate and processor time of one beside those of others."""
    times = {name: bench.cpu(receiver) for name, receiver in measured.items()}
    for metric, unit, figures in (("deliveries_per_s", "1/s", rates), ("cpu_us", "us", times)):
        beside = {name: figures[name] for name in others}
        print_result(NAME, metric, figures[own], unit, beside=beside, engine=bench.engine, **extra)
    (server,) = medians({"": bench.server_us[measured[own].ports]}).values()
    if server:
        print_result(NAME, "server_cpu_us", server, "us", beside={}, engine=bench.engine, **extra)


def _delays(bench: _Bench, own: Receiver, least: Receiver, rate: float) -> None:
    measured = {"fankeep": bench.p99(own, rate), "bare": bench.p99(least, rate)}
    delays = medians(in_turn(bench.plan.rounds, measured))
    value = delays.pop("fankeep")
    print_result(NAME, "p99_ms", value, "ms", beside=delays, engine=bench.engine, at_per_s=round(rate))


def _require_all_stored(bench: _Bench, own: Receiver) -> None:
    """Every event that was answered with a 2xx is there, once."""
    assert own.room is not None
    acknowledged, rows = bench.acknowledged[own.ports], own.room.stored()
    print_result(
        NAME,
        "lost",
        acknowledged - rows,
        "events",
        engine=bench.engine,
        processes=len(own.ports),
        acknowledged=acknowledged,
        rows=rows,
    )
    if acknowledged != rows:
        raise SystemExit(f"bench {NAME}: {acknowledged} events acknowledged, {rows} stored")


def _handled(bench: _Bench) -> None:
    """With events that somebody wants: the dispatcher takes its share of the same processor."""
    with bench.installation() as one, bench.installation() as other:
        recording, handling = one.serve(), other.serve(command=_HANDLING)
        _rates(bench, {"handling": handling, "recording": recording}, handler="trivial")
        (handled,) = medians({"": bench.settled[handling.ports]}).values()
        print_result(NAME, "handled_per_s", handled, "1/s", engine=bench.engine)
        _require_all_stored(bench, handling)


def _stored(bench: _Bench) -> None:
    """From few to very many old events in the database: what a delivery costs should not move."""
    with ExitStack() as sites:
        measured: dict[str, Receiver] = {}
        for events in bench.plan.stored:
            site = sites.enter_context(bench.installation())
            site.serve().stop()
            begin = time.perf_counter()
            site.room.fill(events)
            note(f"{bench.engine}: {events} old events put in within {time.perf_counter() - begin:.0f} s")
            measured[str(events)] = site.serve()
        rates = bench.rates(measured)
        fewest = str(bench.plan.stored[0])
        for events in bench.plan.stored:
            beside = [fewest] if str(events) != fewest else []
            _print_rates(bench, measured, rates, str(events), beside, stored=events)


def _steps(bench: _Bench) -> None:
    with bench.installation() as site:
        result = bench.folder / f"steps-{bench.engine}.json"
        receiver = site.serve(command=("-m", "bench.rig.steps", str(result)))
        bench.rate(receiver)()
        receiver.stop()
    spent: dict[str, int] = json.loads(result.read_text())
    rows = spent["rows"]
    steps = {step: spent[step] / rows for step in _STEPS}
    inside = sum(spent[step] for step in _STEPS if step not in _WAITING)
    steps["receiver_rest"] = (spent["receiver"] - inside) / rows
    steps["gateway_rest"] = (spent["gateway"] - spent["receiver"]) / rows
    steps["log_line_not_written"] = spent["log_lines"]
    for step, nanoseconds in steps.items():
        print_result(NAME, "step_us", nanoseconds / 1e3, "us", step=step, engine=bench.engine)
    print_result(NAME, "rows_per_commit", rows / spent["groups"], "rows", engine=bench.engine)


def _server_busy(receiver: Receiver) -> float:
    return 0.0 if receiver.room is None else receiver.room.busy()


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    add, default = parser.add_argument, _DEFAULT
    add("--concurrency", type=int, default=default.concurrency, help="connections")
    add("--seconds", type=float, default=default.seconds, help="length of one round")
    add("--rounds", type=int, default=default.rounds, help="rounds that count")
    add("--engines", nargs="+", choices=ENGINES, default=default.engines, help="databases")
    add("--processes", nargs="+", type=int, default=default.processes, help="numbers of gateways")
    add("--stored", nargs="+", type=int, default=default.stored, help="numbers of old events")
    add("--parts", nargs="+", choices=default.parts, default=default.parts, help="what to measure")
    given = parser.parse_args()
    return Plan(
        given.concurrency,
        given.seconds,
        given.rounds,
        tuple(given.engines),
        tuple(given.processes),
        tuple(given.stored),
        tuple(given.parts),
    )


if __name__ == "__main__":
    print_machine()
    measure(_plan())
