"""The receivers that are measured beside each other, as processes, and the load on them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import typing
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.rig.load import Job, Outcome
from bench.rig.processor import busy_seconds
from bench.rig.rooms import Room

from fankeep.cli.demo.browser import Browser
from fankeep.cli.stack import Process, Stack
from fankeep.transport.ports import free_port

__all__ = ["Generator", "Installation", "Receiver", "bare", "generator", "plain"]

_ROOT = Path(__file__).parents[2]
_IDLE_SECONDS = 60.0
_NOBODY = "00000000-0000-4000-8000-000000000001"
_SERVE = ("-m", "fankeep", "serve")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Processes that take deliveries, each at a port of its own; connections are spread over them.

    Attributes:
        room: where its events lie; None when it keeps none.
    """

    ports: tuple[int, ...]
    processes: tuple[Process, ...]
    secret: str = "whsec_none"
    creator: str = _NOBODY
    room: Room | None = None

    def job(self, *, concurrency: int, seconds: float, rate: float | None = None) -> Job:
        """A round of load on this receiver."""
        return Job(list(self.ports), self.secret, self.creator, concurrency, seconds, rate)

    def settle(self) -> None:
        """Wait until nothing is left to do from the last round."""
        deadline = time.monotonic() + _IDLE_SECONDS
        while self.room is not None and self.room.waiting() and time.monotonic() < deadline:
            time.sleep(0.05)

    def busy(self) -> float:
        """Seconds of processor time that its processes have taken so far."""
        return busy_seconds(process.popen.pid for process in self.processes)

    def stop(self) -> None:
        """End it."""
        for process in self.processes:
            process.stop()


class Generator:
    """The load generator's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: Job) -> Outcome:
        """Run one round and wait for its outcome."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("bench webhooks: the load generator ended")
        return Outcome(**json.loads(answer))


@contextmanager
def generator() -> Iterator[Generator]:
    """Start the load generator and end it with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.rig.load"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Generator(process)
        finally:
            process.terminate()


@dataclass(slots=True)
class Installation:
    """A fankeep with a connected creator, so that payloads are really sealed; serves when asked to.

    Attributes:
        stack: of an empty folder.
        room: for its data.
    """

    stack: Stack
    room: Room
    _creator: str = field(default="", init=False)

    def serve(self, processes: int = 1, command: Sequence[str] = _SERVE) -> Receiver:
        """Start as many gateways on the same databases.

        Args:
            processes: how many.
            command: of each, as arguments to Python.
        """
        if not self._creator:
            self._connect()
        first = urlsplit(self.stack.gateway_url).port or 0
        ports = (first, *(free_port() for _ in range(processes - 1)))
        started = tuple(self._start(port, command) for port in ports)
        return Receiver(ports, started, self.stack.credentials.webhook_secret, self._creator, self.room)

    def _connect(self) -> None:
        sandbox = self.stack.start_sandbox()
        gateway = self._start(urlsplit(self.stack.gateway_url).port or 0, _SERVE)
        self._creator = _connect(self.stack)
        gateway.stop()
        sandbox.stop()

    def _start(self, port: int, command: Sequence[str]) -> Process:
        settings = {
            "FANKEEP_HOST": "127.0.0.1",
            "FANKEEP_PORT": str(port),
            "FANKEEP_DATABASE_URL": self.room.url,
            "FANKEEP_KEYS_DATABASE_URL": self.room.keys_url,
            "PYTHONPATH": str(_ROOT),
        }
        environment = self.stack.environment() | settings
        process = self.stack.start(f"gateway-{port}", [sys.executable, *command], environment)
        self.stack.wait_for(process, f"http://localhost:{port}/readyz")
        return process


def bare(stack: Stack, processes: int = 1) -> Receiver:
    """Start the bare server."""
    ports = tuple(free_port() for _ in range(processes))
    started = []
    for port in ports:
        process = _python(stack, f"bare-{port}", ("-m", "bench.rig.bare", str(port)))
        stack.wait_for(process, f"http://127.0.0.1:{port}/")
        started.append(process)
    return Receiver(ports, tuple(started))


def plain(stack: Stack, room: Room) -> Receiver:
    """Start the plain app."""
    port = free_port()
    secret = stack.credentials.webhook_secret
    settings = {"PLAIN_DATABASE": room.url, "PLAIN_SECRET": secret}
    process = _python(stack, "plain", ("-m", "bench.rig.plain", str(port)), settings)
    stack.wait_for(process, f"http://127.0.0.1:{port}/readyz")
    return Receiver((port,), (process,), secret)


def _python(
    stack: Stack, name: str, arguments: tuple[str, ...], more: dict[str, str] | None = None
) -> Process:
    environment = dict(os.environ) | {"PYTHONPATH": str(_ROOT)} | (more or {})
    return stack.start(name, [sys.executable, *arguments], environment)


def _connect(stack: Stack) -> str:
    """Connect the sandbox's first creator by script; return the creator's uuid."""
    state = _sandbox(stack, "state")
    creator: str = state["creators"][0]["uuid"]
    browser = Browser()
    page = browser.open(f"{stack.gateway_url}/auth/login?return_to=/auth/session")
    form = page.form("/auth/login")
    begun = browser.request("POST", form.action, form=form.fields, initiator=page.url, navigate=True)
    approved = _sandbox(stack, "approve", {"url": begun.header("location"), "creator": creator})
    answer = browser.request("GET", approved["location"], initiator=stack.sandbox_url, navigate=True)
    if answer.status != http.client.SEE_OTHER:
        raise SystemExit(f"bench webhooks: connecting a creator answered {answer.status}")
    return creator


def _sandbox(stack: Stack, path: str, wanted: dict[str, object] | None = None) -> dict[str, typing.Any]:
    body = None if wanted is None else json.dumps(wanted).encode()
    request = urllib.request.Request(
        f"{stack.sandbox_url}/sandbox/{path}", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, typing.Any] = json.loads(answer.read())
        return found
