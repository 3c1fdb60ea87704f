"""What every benchmark shares: how results are printed, and how things are measured beside each other.

A number alone says little on a machine that others use as well. So whatever is compared runs in the same
run, in turn and in alternating order, and the median counts.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["in_turn", "medians", "note", "print_machine", "print_result", "significant"]

Measurement = Callable[[], float]


def print_result(
    bench: str,
    metric: str,
    value: float,
    unit: str,
    *,
    beside: Mapping[str, float] | None = None,
    **extra: str | float,
) -> None:
    """Print one result as a line of JSON on stdout; nothing else goes there.

    Args:
        bench: the benchmark's name.
        metric: what was measured.
        value: the result, in ``unit``.
        unit: for example ``s``, ``1/s``, ``MiB``.
        beside: what was measured with it in the same run, in the same unit.
        extra: further keys, for example the engine.
    """
    line = {
        "bench": bench,
        "metric": metric,
        "value": significant(value),
        "unit": unit,
        "beside": {name: significant(number) for name, number in (beside or {}).items()},
        **extra,
    }
    print(json.dumps(line), flush=True)


def note(text: str) -> None:
    """Tell a human something, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_machine() -> None:
    """Write down on what machine, and beside what load, the numbers came about."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    note(
        f"machine: {platform.machine()}, {len(os.sched_getaffinity(0))} cores, {_memory_gib():.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, load {load}"
    )


def in_turn(rounds: int, measurements: Mapping[str, Measurement]) -> dict[str, list[float]]:
    """Measure things beside each other: round by round, each round in the opposite order of the last.

    Args:
        rounds: how often each is measured; one more round comes first and does not count.
        measurements: by name; each runs once and returns its figure.
    """
    figures: dict[str, list[float]] = {name: [] for name in measurements}
    order = list(measurements)
    for number in range(rounds + 1):
        for name in order:
            figure = measurements[name]()
            if number:
                figures[name].append(figure)
        order.reverse()
    return figures


def medians(figures: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in figures.items()}


def significant(value: float, digits: int = 4) -> float:
    """Round to the digits that mean something."""
    return float(f"{value:.{digits}g}")


def _memory_gib() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) / 2**20
    return 0.0
