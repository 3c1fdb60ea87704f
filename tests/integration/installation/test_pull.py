"""Pull mode over real processes: a gateway, workers that share its events, and one that is killed."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest

from fankeep.transport.ports import free_port

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
SECONDS = 60
EVENTS = 40

WORKER = """
import json, os, sys, time, urllib.request

address, key, mode = sys.argv[1:]

def ask(path, body=None):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address + path, data, headers), timeout=60) as answer:
        return json.load(answer)

def say(line):
    os.write(1, (json.dumps(line) + "\\n").encode())  # in one piece: the pipe is shared

cursor = ""
lease = 10 if mode == "hang" else 60  # who works is never too late
while True:
    page = ask(f"/internal/v1/events?limit=5&lease={lease}&wait=2&cursor={cursor}")
    cursor = page["cursor"]
    if not page["events"]:
        continue
    say({"got": [event["id"] for event in page["events"]]})
    if mode == "hang":
        time.sleep(600)
    acks = [{"id": event["id"], "receipt": event["receipt"]} for event in page["events"]]
    say(ask("/internal/v1/events/ack", {"events": acks}))
"""


@dataclass
class Gateway:
    """`fankeep serve` in pull mode."""

    port: int
    internal: int
    environment: dict[str, str]
    process: subprocess.Popen

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "fankeep", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def workers(self, key, mode, count=1):
        """Start workers; give them, and the lines that they print."""
        given, taken = os.pipe()
        words = [sys.executable, "-c", WORKER, f"http://127.0.0.1:{self.internal}", key, mode]
        processes = [subprocess.Popen(words, stdout=taken) for _ in range(count)]
        os.close(taken)
        with os.fdopen(given) as lines:
            try:
                yield processes, (json.loads(line) for line in lines)
            finally:
                for process in processes:
                    process.kill()
                    process.wait(SECONDS)

    def ask(self, path, key):
        with closing(http.client.HTTPConnection("127.0.0.1", self.internal, timeout=SECONDS)) as connection:
            connection.request("GET", path, headers={"authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


@pytest.fixture
def gateway(installation):
    port, internal = free_port(), free_port()
    own = {
        "FANKEEP_PUBLIC_URL": f"http://localhost:{port}",
        "FANKEEP_PORT": str(port),
        "FANKEEP_INTERNAL_PORT": str(internal),
        "FANKEEP_EVENTS": "pull",
    }
    environment = CLEAN | installation.environment | own
    with (installation.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fankeep", "serve"], env=environment, stdout=log, stderr=log
        )
        running = Gateway(port, internal, environment, process)
        try:
            wait_until_ready(running, installation)
            yield running
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(SECONDS)


def wait_until_ready(gateway, installation):
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=2)) as connection:
                connection.request("GET", "/readyz", headers={"host": f"localhost:{gateway.port}"})
                if connection.getresponse().status == 200:
                    return
        except OSError:
            assert gateway.process.poll() is None, (installation.folder / "serve.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def key(gateway):
    return gateway.run("service-keys", "create", "workers", "--users", "all", "--events")


@pytest.fixture
def deliver(installation, gateway):
    creator = installation.connect("miahart")
    installation.fanvue.control.deliver_to(f"http://localhost:{gateway.port}/webhooks/fanvue")

    def send(count):
        sent = installation.fanvue.control.fire(
            "creator.message.received", count=count, creator=creator, wait=True
        )
        assert len(sent) == count

    return send


def test_workers_share_events_and_what_a_killed_one_had_comes_again(gateway, key, deliver):
    deliver(EVENTS)
    with gateway.workers(key, "hang") as ((killed,), lines):
        held = set(next(lines)["got"])
        killed.kill()
    assert len(held) == 5

    acknowledged, lost = [], []
    with gateway.workers(key, "work", 2) as (_, lines):
        while len(acknowledged) < EVENTS:
            line = next(lines)
            acknowledged += line.get("acknowledged", [])
            lost += line.get("lost", [])

    assert lost == []
    assert len(acknowledged) == len(set(acknowledged)) == EVENTS
    assert held <= set(acknowledged[-10:])
    states = gateway.run("events", "list", "--json", "--limit", "1000").splitlines()
    assert [json.loads(line)["state"] for line in states] == ["handled"] * EVENTS
    counts = gateway.ask("/metrics", key)[1]
    assert f'fankeep_events_stored_total{{type="creator.message.received"}} {EVENTS}.0' in counts
    assert 'fankeep_events{state="pending"} 0.0' in counts


def test_a_gateway_that_stops_does_not_wait_for_those_who_wait_for_events(gateway, key):
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.internal, timeout=SECONDS)) as waiting:
        waiting.request("GET", "/internal/v1/events?wait=20", headers={"authorization": f"Bearer {key}"})
        while gateway.ask("/internal/v1/events", key)[0] != 200:
            pass
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        answer = waiting.getresponse()
        assert (answer.status, json.loads(answer.read())["events"]) == (200, [])
    assert gateway.process.wait(SECONDS) == 0
    assert time.monotonic() - began < 18
