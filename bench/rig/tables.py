"""The lines of ``make bench NAME=webhooks`` as the tables of ``docs/explanation/performance.md``.

``make bench NAME=webhooks > lines; python -m bench.rig.tables < lines`` prints them, to be put in the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

Line: TypeAlias = dict[str, Any]

_RELATIONS: Final = ("bare", "plain", "recording")
_STEPS: Final = {
    "read_body": "read the body: the server hands it over from its own thread, within a time limit",
    "verify": "verify: HMAC over the body, the times",
    "parse": "parse: strict JSON, whose event it is",
    "digest": "digest: keyed, for deduplication",
    "minimise_seal": "minimise and seal: keep list, AES-256-GCM-SIV, blind indexes of fan and message",
    "answer": "answer",
    "receiver_rest": "rest of the receiver: headers, counting, the queue",
    "gateway_rest": "rest of the gateway: routing, Host, log context, metrics",
    "commit_per_row": "commit, for each row, by the clock",
    "queue_wait": "wait in the queue for the commit that is under way, by the clock",
}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    for row in (head, ("---",) * len(head), *rows):
        print("| " + " | ".join(row) + " |")
    print()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _setup(line: Line) -> str:
    if "stored" in line:
        return f"{line['stored']:,} old events"
    if "handler" in line:
        return "1 process, every event handled"
    return f"{line['processes']} process" + ("es" if line["processes"] > 1 else "")


def _rates(lines: list[Line]) -> None:
    def of(metric: str, like: Line) -> Line:
        keys = ("engine", "processes", "handler", "stored")
        same = (one for one in lines if all(one.get(key) == like.get(key) for key in keys))
        return next((one for one in same if one["metric"] == metric), {"value": None, "beside": {}})

    head = ("", "a second", *(f"{name}, a second" for name in _RELATIONS), "us", "bare, us", "server, us")
    rows = []
    for line in lines:
        if line["metric"] != "deliveries_per_s":
            continue
        busy, server = of("cpu_us", line), of("server_cpu_us", line)
        rows.append(
            (
                f"{line['engine']}, {_setup(line)}",
                _number(line["value"]),
                *(_number(line["beside"].get(name)) for name in _RELATIONS),
                _number(busy["value"]),
                _number(busy["beside"].get("bare")),
                _number(server["value"]),
            )
        )
    _table(head, rows)


def _delays(lines: list[Line]) -> None:
    rows = [
        (line["engine"], _number(line["at_per_s"]), _number(line["value"]), _number(line["beside"]["bare"]))
        for line in lines
        if line["metric"] == "p99_ms"
    ]
    _table(("", "at, a second", "99 of 100 within, ms", "bare, ms"), rows)


def _steps(lines: list[Line]) -> None:
    engines = list(dict.fromkeys(line["engine"] for line in lines))
    found = {(line["step"], line["engine"]): line["value"] for line in lines if line["metric"] == "step_us"}
    rows = [
        (words, *(_number(found.get((step, engine))) for engine in engines)) for step, words in _STEPS.items()
    ]
    _table(("step, us", *engines), rows)


def main() -> None:
    """Print the tables."""
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    _rates(lines)
    _delays(lines)
    _steps(lines)


if __name__ == "__main__":
    main()
