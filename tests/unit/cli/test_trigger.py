"""What `fankeep trigger` says to somebody who has forgotten something."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from fankeep.transport.ports import free_port


def trigger(*arguments, event="tip.new", **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    return subprocess.run(
        [sys.executable, "-m", "fankeep", "trigger", event, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**clean, **environment},
    )


def test_without_a_sandbox_it_says_how_to_start_one():
    address = f"http://127.0.0.1:{free_port()}"

    done = trigger("--sandbox", address)

    assert done.returncode == 2
    assert done.stderr.startswith(f"fankeep: no sandbox answers at {address}: start `fankeep dev`")
    assert done.stderr.count("\n") == 1


def test_the_address_of_a_sandbox_needs_no_scheme():
    port = free_port()

    done = trigger("--sandbox", f"127.0.0.1:{port}")

    assert done.stderr.startswith(f"fankeep: no sandbox answers at http://127.0.0.1:{port}: ")


def test_a_receiver_of_ones_own_needs_the_secret_that_signs():
    done = trigger("--to", f"http://127.0.0.1:{free_port()}/webhooks/fanvue")

    assert done.returncode == 2
    assert done.stderr == "fankeep: FANKEEP_WEBHOOK_SECRETS is missing: with --to its first secret signs\n"


@pytest.mark.parametrize(
    ("option", "address"),
    [
        ("--to", "localhost:4010"),
        *((option, bad) for option in ("--to", "--sandbox") for bad in ("http://example.com", "a.b:1", "")),
    ],
)
def test_what_is_no_address_is_called_so(option, address):
    done = trigger(option, address)

    assert done.returncode == 2
    assert f"Invalid value for '{option}': an address is https://" in done.stderr


def test_the_events_are_listed_and_a_misspelt_one_finds_its_neighbour():
    listed = trigger(event="--list")
    assert listed.returncode == 0
    assert "creator.message.received" in listed.stdout.splitlines()

    as_json = trigger("--json", event="--list")
    assert [json.loads(line)["event"] for line in as_json.stdout.splitlines()] == listed.stdout.splitlines()

    done = trigger(event="creator.message.recieved")
    assert done.returncode == 2
    assert "is it creator.message.received?" in done.stderr


def test_without_an_event_it_says_where_they_are_named():
    done = trigger(event="--json")

    assert done.returncode == 2
    assert "say which event; `fankeep trigger --list` names them all" in done.stderr


def test_a_wrong_answer_is_exit_1_and_says_what_would_be_right():
    environment = {"FANKEEP_WEBHOOK_SECRETS": "sandbox=whsec_" + "ab" * 32}
    receiver = f"http://127.0.0.1:{free_port()}/webhooks/fanvue"

    done = trigger("--to", receiver, "--forge", "tampered", **environment)

    assert done.returncode == 1
    assert done.stdout.endswith(f"  no answer  {receiver}\n")
    assert done.stderr == "fankeep: 1 of 1 answers is wrong: expected 4xx, since it is forged\n"


def test_a_sandbox_that_took_the_event_and_does_not_answer_is_not_called_away():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def take_one() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)

        taking = Thread(target=take_one)
        taking.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = trigger("--sandbox", address)
        taking.join()

    assert done.returncode == 2
    assert done.stderr.startswith(f"fankeep: the sandbox at {address} took the event and did not answer")
    assert done.stderr.count("\n") == 1


class _Accepting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def accepting():
    with HTTPServer(("127.0.0.1", 0), _Accepting) as server:
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/webhooks/fanvue"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("event", "newer"),
    [("tip.new", "creator.payment.succeeded"), ("creator.payment.succeeded", None), ("payout.paid", None)],
)
def test_of_an_old_name_it_says_that_it_may_have_no_effect(event, newer):
    with accepting() as receiver:
        done = trigger("--to", receiver, event=event, FANKEEP_WEBHOOK_SECRETS="sandbox=whsec_" + "ab" * 32)

    assert done.returncode == 0
    assert done.stderr == (
        ""
        if newer is None
        else (
            f"fankeep: {event} is an old name: once a creator's events have come by the new ones it is kept "
            f"as `shadow` and has no effect; see {newer}\n"
        )
    )
