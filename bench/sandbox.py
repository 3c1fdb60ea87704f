"""Signed webhook deliveries per second that the sandbox sends, each in the journal and in the history.

The sandbox is one process, the receiver another: the same server as fankeep's, which reads the body and
answers 200. Beside it in the same run: ``generator``, the load generator of the other benchmarks, which signs
before the clock starts and keeps no books, to the same receiver.

``python -m bench.sandbox --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.harness import in_turn, medians, note, print_machine, print_result
from bench.rig.receivers import Generator, Receiver, bare, generator

from fankeep.cli.stack import Stack
from fankeep.transport.ports import free_port

NAME = "sandbox"
EVENT = "creator.message.received"
AIM = 1_000

_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        events: deliveries of one round.
        rounds: how often it is measured, beside one round that does not count.
    """

    events: int = 4_000
    rounds: int = 5


_DEFAULT = Plan()


class _Sandbox:
    """A running sandbox with one endpoint, over its control API."""

    def __init__(self, stack: Stack, receiver: Receiver) -> None:
        stack.start_sandbox()
        self._address = urlsplit(stack.sandbox_url).netloc
        for endpoint in self._call("GET", "endpoints"):
            self._call("POST", "endpoints/remove", {"id": endpoint["id"]})
        url = f"http://127.0.0.1:{receiver.ports[0]}/webhooks/fanvue"
        self._endpoint = self._call("POST", "endpoints", {"url": url})["id"]

    def rate(self, events: int) -> float:
        """Let it send that many different events; return how many a second arrived."""
        begin = time.perf_counter()
        told = self._call(
            "POST", "fire", {"event": EVENT, "count": events, "endpoint": self._endpoint, "wait": True}
        )
        seconds = time.perf_counter() - begin
        arrived: int = sum(delivery["succeeded"] for delivery in told["deliveries"])
        if arrived != events:
            note(f"sandbox: {events - arrived} of {events} deliveries were not taken")
        return arrived / seconds

    def _call(self, method: str, path: str, wanted: dict[str, object] | None = None) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=_PATIENCE)
        try:
            body = None if wanted is None else json.dumps(wanted)
            connection.request(method, f"/sandbox/{path}", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise SystemExit(f"bench sandbox: the control API answered {answer.status} to {path}")
        return told


def main() -> None:
    """Print ``deliveries_per_s``."""
    measure(_DEFAULT)


def measure(plan: Plan) -> None:
    """Carry out a plan, with processes of its own in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, generator() as load:
        stack = Stack(
            Path(folder) / "stack",
            gateway_port=free_port(),
            sandbox_port=free_port(),
            logs=Path(folder) / "logs",
        )
        with stack:
            receiver = bare(stack)
            sandbox = _Sandbox(stack, receiver)
            rates = medians(
                in_turn(
                    plan.rounds,
                    {
                        "sandbox": lambda: sandbox.rate(plan.events),
                        "generator": lambda: _generated(load, receiver),
                    },
                )
            )
    value = rates.pop("sandbox")
    print_result(NAME, "deliveries_per_s", value, "1/s", beside=rates, aim=AIM)


def _generated(load: Generator, receiver: Receiver) -> float:
    outcome = load.run(receiver.job(concurrency=64, seconds=1.0, rate=None))
    return outcome.accepted / outcome.seconds


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.sandbox", description=__doc__)
    parser.add_argument("--events", type=int, default=_DEFAULT.events, help="deliveries of one round")
    parser.add_argument("--rounds", type=int, default=_DEFAULT.rounds)
    given = parser.parse_args()
    return Plan(events=given.events, rounds=given.rounds)


if __name__ == "__main__":
    print_machine()
    measure(_arguments())
