"""The second half of the tutorial: its commands are run as they stand there, but for the ports."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from fankeep.cli.demo.browser import Browser
from fankeep.transport.ports import free_port

SECONDS = 30


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "tutorial" / "library.md").read_text()


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    """A copy of what the commands touch."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (".venv", "examples"):
        (folder / name).symlink_to(root / name)
    return folder


@pytest.fixture(scope="module")
def steps(page):
    """The commands on ports that are free, and these ports."""
    fanvue, app = free_port(), free_port()
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    changed = [
        blocks[0].replace("fankeep sandbox", f"fankeep sandbox --port {fanvue}"),
        blocks[1].replace("--port 8080", f"--port {app}"),
        blocks[2].replace("creator.", f"--sandbox http://127.0.0.1:{fanvue} creator."),
    ]
    assert all(before != after for before, after in zip(blocks, changed, strict=True))
    return changed, f"http://127.0.0.1:{fanvue}", f"http://localhost:{app}"


@pytest.fixture(scope="module")
def terminal(checkout, steps):
    """Run a block in a shell of its own; a block that goes on is ended with its shell at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    environment = clean | {"FANKEEP_PUBLIC_URL": steps[2]}
    running = []

    def run(block, *, until=None):
        log = (checkout / f"log-{len(running)}").open("w+b")
        process = subprocess.Popen(
            ["sh", "-e", "-c", block], cwd=checkout, env=environment, stdout=log, stderr=log, process_group=0
        )
        running.append((process, log))
        if until is None:
            code = process.wait(SECONDS)
        else:
            wait_for(lambda: answers(until) or process.poll() is not None)
            code = process.poll()
        log.seek(0)
        return code, log.read().decode()

    yield run
    for process, log in reversed(running):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SECONDS)
        log.close()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for(holds):
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def connect(app):
    """Do what the tutorial says to do in a browser."""
    browser = Browser()
    start = browser.open(app + "/")
    assert b'href="/auth/login"' in start.body
    asked = browser.open(app + "/auth/login")
    login = browser.submit(asked, asked.form("/auth/login"))
    creator = re.search(rb'name="creator" value="([^"]+)"', login.body)[1].decode()
    consent = browser.submit(login, login.form("/login"), {"creator": creator})
    return browser.submit(consent, consent.form("/consent"), {"decision": "allow"})


def test_a_new_follower_of_a_connected_creator_is_welcomed(terminal, steps, checkout):
    (sandbox, app, trigger), fanvue, here = steps
    code, printed = terminal(sandbox, until=f"{fanvue}/.well-known/openid-configuration")
    assert code is None, printed
    # The sandbox answers a moment before it has written what the app needs; a reader is not that fast.
    wait_for(lambda: "FANKEEP_API_URL" in (checkout / ".fankeep" / "sandbox.env").read_text())
    code, printed = terminal(app, until=f"{here}/readyz")
    assert code is None, printed
    arrived = connect(here)
    assert (arrived.status, arrived.url) == (200, here + "/")

    code, printed = terminal(trigger)

    assert code == 0, printed
    assert printed.split()[1] == "200"
    wait_for(lambda: {"createChat", "sendMessage"} <= operations(fanvue))


def operations(fanvue):
    """The API operations that the local Fanvue has carried out."""
    with urllib.request.urlopen(f"{fanvue}/sandbox/journal?kind=api&outcome=ok", timeout=SECONDS) as answer:
        return {entry.get("operation") for entry in json.load(answer)}


def test_the_page_shows_the_code_of_the_example(page, root):
    shown = re.search(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    source = (root / "examples" / "library" / "app.py").read_text()

    for line in filter(None, map(str.strip, shown.splitlines())):
        line = line.partition("  # or")[0].removeprefix("app = ")  # noqa: PLW2901 - the file mounts it
        assert line.removesuffix("(event):") in source, line
