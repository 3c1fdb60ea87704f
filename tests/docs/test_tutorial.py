"""Every command of the tutorial is run, in its order, and does what the tutorial says."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fankeep.transport.ports import free_port

FANKEEP = str(Path(sys.executable).with_name("fankeep"))
READY = 60  # seconds


@pytest.fixture(scope="module")
def steps(root):
    """The commands, as the tutorial gives them."""
    text = (root / "docs" / "tutorial" / "index.md").read_text()
    return [block.strip() for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def recipe(root):
    """What a target runs once everything is set up, whatever `make test` itself was called with."""
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "ARGS", "NAME")}

    def command(target):
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "--old-file=.venv/.base", target],
            cwd=root,
            env=clean,
            capture_output=True,
            text=True,
            check=True,
        )
        return [FANKEEP, *shlex.split(done.stdout.strip().splitlines()[-1])[1:]]

    return command


@pytest.fixture(scope="module")
def running(root, recipe, tmp_path_factory):
    """``make dev``, on ports that are free; gives the local Fanvue's address."""
    folder = tmp_path_factory.mktemp("tutorial")
    ports = {name: free_port() for name in ("--port", "--sandbox-port", "--app-port")}
    given = [part for name, port in ports.items() for part in (name, str(port))]
    command = [*recipe("dev"), *given, "--folder", str(folder / "dev"), "--json"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        addresses = json.loads(line)
        yield f"http://127.0.0.1:{ports['--sandbox-port']}", addresses
        process.send_signal(signal.SIGINT)
        assert process.wait(READY) == 0


def trigger(step, sandbox):
    arguments = [*shlex.split(step)[1:], "--sandbox", sandbox]
    return subprocess.run([FANKEEP, *arguments], capture_output=True, text=True, timeout=READY, check=False)


def test_the_commands_are_these(steps):
    called = [shlex.split(step)[0].rpartition("/")[2] for step in steps]
    assert called == ["make", "make", "fankeep", "fankeep", ".", "fankeep"]


def test_the_demo_is_the_command_whose_steps_are_tested_elsewhere(recipe, steps, root):
    assert steps[0] == "make demo"
    assert recipe("demo")[1:] == ["demo"]
    assert (root / "tests" / "integration" / "test_demo.py").is_file()


def test_dev_starts_the_app_of_the_tutorial(steps, running, recipe, root):
    assert steps[1] == "make dev"
    assert "examples/dashboard/app.py" in recipe("dev")
    assert (root / "examples" / "dashboard" / "events.py").is_file()
    assert "http://localhost:" in json.dumps(running[1])


def test_events_are_answered_with_200(steps, running):
    for step, count in zip(steps[2:4], (1, 3), strict=True):
        done = trigger(step, running[0])

        assert done.returncode == 0, done.stdout + done.stderr
        assert [line.split()[1] for line in done.stdout.splitlines()] == ["200"] * count


def test_what_is_stored_is_seen_with_the_settings_that_dev_has_written(steps, running):
    given = ".fankeep/dev/env"
    step = steps[4].replace(given, shlex.quote(running[1]["settings"])).replace(".venv/bin/fankeep", FANKEEP)
    assert given in steps[4]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}

    done = subprocess.run(
        ["sh", "-c", step], env=clean, capture_output=True, text=True, timeout=READY, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "creator.message.received" in done.stdout
    assert done.stdout.count("creator.payment.succeeded") == 3


def test_a_forged_event_is_answered_with_401(steps, running):
    done = trigger(steps[5], running[0])

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == "401"
