"""`fankeep dev` as a process: what it prints, how it ends, what it leaves."""

import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from fankeep.transport.ports import free_port

SECONDS = 30
APP = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
print("settings:", sorted(name for name in os.environ if name.startswith("FANKEEP_")), flush=True)
{more}
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        sys.exit(3) if self.path == "/die" else self.send_error(404)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""


class Dev:
    """A started command."""

    def __init__(self, folder, *arguments, **environment):
        self.folder = folder
        self.ports = {name: free_port() for name in ("--port", "--sandbox-port", "--app-port")}
        given = [word for name, port in self.ports.items() for word in (name, str(port))]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "fankeep",
                "dev",
                "--folder",
                str(folder),
                *given,
                *map(str, arguments),
            ],
            env=clean | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self):
        """Return the addresses; needs ``--json``."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.finish()

    def finish(self):
        output, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output, errors

    def open_ports(self):
        return [name for name, port in self.ports.items() if is_open(port)]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def dev(tmp_path):
    started = []

    def start(*arguments, folder=tmp_path / "dev", **environment):
        started.append(Dev(folder, *arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        one.process.stdout.close()
        one.process.stderr.close()


@pytest.fixture
def app(tmp_path):
    path = tmp_path / "app.py"
    path.write_text(APP.format(more=""))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_with_0(dev, app, number):
    running = dev("--json", "--run", app)
    running.ready()
    assert len(running.open_ports()) == 3

    code, _, errors = running.end(number)

    assert code == 0
    assert running.open_ports() == []
    assert "Traceback" not in errors


def test_files_of_the_app_are_not_taken_for_modules_that_fankeep_imports(dev, tmp_path, monkeypatch):
    for name in ("click.py", "secrets.py", "starlette.py"):
        (tmp_path / name).write_text("raise SystemExit('this is the app')")
    monkeypatch.chdir(tmp_path)

    assert dev("--json").ready()["gateway"]


def test_the_summary_names_every_address_and_says_how_to_go_on(dev, app):
    running = dev("--run", app)
    lines = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(running.process.stdout.readline())
        assert lines[-1], running.process.stderr.read()
    _, _, errors = running.end()

    text = "".join(lines)
    assert f"http://localhost:{running.ports['--port']}/" in text
    assert f"http://127.0.0.1:{running.ports['--sandbox-port']}/panel" in text
    assert re.search(r"fankeep trigger creator\.message\.received --sandbox http://127\.0\.0\.1:\d+", text)
    assert re.search(rf"look inside +\. {running.folder}/env && \S*fankeep events list", text)
    assert {line.split()[0] for line in errors.splitlines()} == {"sandbox", "gateway", "app"}


def test_an_app_gets_what_it_needs_and_none_of_the_gateways_secrets(dev, app):
    running = dev("--json", "--run", app)
    running.ready()
    _, _, errors = running.end()

    settings = re.search(r"app +│ settings: (.*)", errors)[1]
    assert settings == str(["FANKEEP_FORWARD_SECRET", "FANKEEP_PUBLIC_URL", "FANKEEP_UPSTREAM_URL"])


def test_without_an_app_the_gateway_serves_the_developers_own(dev):
    running = dev("--json", "--upstream", "http://127.0.0.1:3000", "--forward", "http://127.0.0.1:3000/hooks")
    addresses = running.ready()
    secret = running.folder / "forward-secret"

    assert (addresses["upstream"], addresses["forward"]) == (
        "http://127.0.0.1:3000",
        "http://127.0.0.1:3000/hooks",
    )
    assert secret.read_text().startswith("whsec_")
    _, output, errors = running.end()
    assert secret.read_text() not in output + errors


def test_a_process_that_dies_ends_the_others_with_one_line(dev, app):
    running = dev("--json", "--run", app)
    running.ready()
    with socket.create_connection(("127.0.0.1", running.ports["--app-port"])) as connection:
        connection.sendall(b"GET /die HTTP/1.0\r\n\r\n")

    code, _, errors = running.finish()

    assert code == 1
    said = [line for line in errors.splitlines() if line.startswith("fankeep: ")]
    assert said == ["fankeep: the app ended with exit code 3, so everything else was stopped"]
    assert running.open_ports() == []


def test_an_app_that_does_not_start_is_shown_with_its_last_words(dev, tmp_path):
    broken = tmp_path / "app.py"
    broken.write_text(APP.format(more="sys.exit('no database')"))

    code, output, errors = dev("--run", broken).finish()

    assert (code, output) == (1, "")
    assert re.search(r"^app +│ no database$", errors, re.MULTILINE)
    assert errors.splitlines()[-1] == "fankeep: the app ended while it was starting"


@pytest.mark.parametrize("option", ["--port", "--sandbox-port", "--app-port"])
def test_a_port_in_use_is_one_line_and_exit_code_2(dev, app, option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output, errors = dev("--run", app, option, port).finish()

    assert (code, output) == (2, "")
    assert errors.splitlines() == [
        f"fankeep: port {port} is in use: stop what uses it, or choose another port"
    ]


def test_the_folder_and_every_file_in_it_are_the_owners_alone(dev):
    running = dev("--json")
    running.ready()

    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
    files = list(running.folder.iterdir())
    names = {file.name for file in files}
    assert {"env", "fankeep.db", "fankeep-keys.db", "key-encryption-keys.json"} <= names
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_settings_that_other_commands_need_are_written_for_a_shell_to_read(dev):
    operations = "getCurrentUser listChats"
    running = dev("--json", "--forward", "http://127.0.0.1:3000/it's", FANKEEP_OPERATIONS=operations)
    settings = running.ready()["settings"]
    read = 'echo "$FANKEEP_PORT|$FANKEEP_OPERATIONS|$FANKEEP_FORWARD_URL|$FANKEEP_CLIENT_SECRET"'

    done = subprocess.run(
        ["sh", "-c", f". {shlex.quote(settings)} && {read}"], capture_output=True, text=True, check=True
    )

    secret = json.loads((running.folder / "credentials.json").read_text())["client_secret"]
    expected = [str(running.ports["--port"]), operations, "http://127.0.0.1:3000/it's", secret]
    assert done.stdout.rstrip("\n").split("|") == expected
    _, output, errors = running.end()
    assert secret not in output + errors


def test_a_folder_that_holds_something_else_is_left_alone(dev, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "novel.txt").write_text("once upon a time")

    code, _, errors = dev(folder=folder).finish()

    assert code == 2
    assert errors.splitlines() == [
        f"fankeep: the folder {folder} holds something else: choose another one with --folder"
    ]
    assert (folder / "novel.txt").read_text() == "once upon a time"


def test_everything_ends_when_the_command_is_killed(dev, app):
    running = dev("--json", "--run", app)
    running.ready()
    running.process.kill()
    running.process.wait()

    deadline = time.monotonic() + SECONDS
    while running.open_ports():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_app_is_either_started_or_named(dev, app):
    code, _, errors = dev("--run", app, "--upstream", "http://127.0.0.1:3000").finish()

    assert code == 2
    assert "give one of them" in errors


def test_the_example_app_imports_nothing_of_fankeep():
    folder = Path(__file__).resolve().parents[2] / "examples" / "dashboard"
    imports = re.compile(r"^\s*(?:from|import)\s+fankeep\b", re.MULTILINE)

    sources = [path.read_text() for path in folder.glob("*.py")]
    assert len(sources) == 3
    assert not any(imports.search(source) for source in sources)


def test_the_next_start_goes_on_with_the_same_world_and_a_fresh_one_does_not(dev, tmp_path):
    folder = tmp_path / "dev"
    kept = [folder / name for name in ("credentials.json", "sandbox.state")]

    def run(*arguments):
        running = dev("--json", *arguments, folder=folder)
        running.ready()
        url = f"http://127.0.0.1:{running.ports['--sandbox-port']}/sandbox/state"
        with urllib.request.urlopen(url) as answer:
            client_id = json.loads(answer.read())["apps"][0]["client_id"]
        assert running.end()[0] == 0
        return client_id

    first = run()
    keys = (folder / "key-encryption-keys.json").read_text()
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600, 0o600]
    assert run() == first
    assert (folder / "key-encryption-keys.json").read_text() == keys
    assert run("--fresh") != first
    assert (folder / "key-encryption-keys.json").read_text() != keys
