"""The commands of the how-to guides are run as they stand there, but for ports and placeholders."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fankeep.cli.demo.browser import Browser
from fankeep.transport.ports import free_port

SECONDS = 30
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}


@pytest.fixture(scope="module")
def blocks(root):
    """The fenced blocks of a guide in one language."""

    def found(guide, language="sh"):
        text = (root / "docs" / "how-to" / f"{guide}.md").read_text()
        return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    return found


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    """A folder that looks like a copy of the repository."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / ".venv").symlink_to(root / ".venv")
    return folder


def shell(block, folder):
    return subprocess.run(
        ["sh", "-e", "-c", block],
        cwd=folder,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,  # a block may start several programs
        check=True,
    ).stdout


def test_the_scopes_to_tick_are_printed(blocks, checkout):
    assert shell(blocks("credentials")[0], checkout).split() == ["read:chat", "write:chat"]


def test_secret_files_that_are_made_as_described_are_accepted(blocks, checkout):
    block = blocks("credentials")[1]
    secrets = {
        "client-secret": "0123456789abcdef" * 4,
        "webhook-secrets": f"main=whsec_{'fedcba9876543210' * 4}",
    }
    for name, value in secrets.items():
        block = re.sub(rf"^cat > (secrets/{name}).*$", rf"echo '{value}' > \1", block, flags=re.MULTILINE)
    shell(block, checkout)
    read = "from fankeep.keep.settings import Settings; print(Settings().webhook_secrets[0].name)"
    files = {f"FANKEEP_{name.upper().replace('-', '_')}_FILE": f"secrets/{name}" for name in secrets}
    done = subprocess.run(
        [".venv/bin/python", "-c", read],
        cwd=checkout,
        env=CLEAN
        | files
        | {
            "FANKEEP_ENV": "development",
            "FANKEEP_PUBLIC_URL": "http://localhost:8080",
            "FANKEEP_CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("main\n", "")


def test_the_forward_secret_that_is_made_has_the_form_that_is_wanted(blocks, checkout):
    made = shell(blocks("app")[-1], checkout).strip()

    assert made.startswith("whsec_")
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32


class Host:
    """Stands for Next.js: has the domain, and passes the paths of the page's configuration on to fankeep."""

    def __init__(self, sources, port, target):
        prefixes = tuple(source.partition(":path*")[0] for source in sources)

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self):
                if not self.path.startswith(prefixes):
                    self.send_error(404)
                    return
                length = int(self.headers.get("Content-Length", 0))
                # As Next.js does: the Host is the target's, and forwarded headers say what it was.
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                headers |= {"X-Forwarded-Proto": "http", "X-Forwarded-Host": self.headers["Host"]}
                connection = http.client.HTTPConnection(target, timeout=SECONDS)
                connection.request(self.command, self.path, self.rfile.read(length) or None, headers)
                answer = connection.getresponse()
                body = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                connection.close()

            def do_GET(self):
                self.handle_one()

            def do_POST(self):
                self.handle_one()

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def internal():
    """The port of the internal listener."""
    return free_port()


@pytest.fixture(scope="module")
def behind_rewrites(blocks, checkout, internal):
    """The guide's two terminals, with a host in front; gives the app's and the gateway's address."""
    app, keep, fanvue = free_port(), free_port(), free_port()
    sandbox, serve = blocks("nextjs")
    changes = {
        "localhost:3000": f"localhost:{app}",
        "fankeep sandbox": f"fankeep sandbox --port {fanvue}",
        "fankeep serve": f"FANKEEP_PORT={keep} FANKEEP_INTERNAL_PORT={internal} .venv/bin/fankeep serve",
        ".venv/bin/FANKEEP": "FANKEEP",
    }
    sources = re.findall(r'"(/[^"]+)"', re.search(r"ours = \[(.*?)\]", blocks("nextjs", "js")[0])[1])
    assert len(sources) == 3
    ready = {
        sandbox: f"http://127.0.0.1:{fanvue}/.well-known/openid-configuration",
        serve: f"http://127.0.0.1:{keep}/readyz",
    }
    with ExitStack() as stack:
        log = stack.enter_context((checkout / "log").open("wb"))
        stack.enter_context(Host(sources, app, f"127.0.0.1:{keep}"))
        for block, url in ready.items():
            changed = block
            for old, new in changes.items():
                changed = changed.replace(old, new)
            process = stack.enter_context(terminal(changed, checkout, log))
            wait_until_it_answers(url, process, checkout / "log")
            wait_until_it_is_written(checkout / ".fankeep" / "sandbox.env", "FANKEEP_API_URL")
        yield f"http://localhost:{app}", f"http://127.0.0.1:{keep}"


@contextmanager
def terminal(block, folder, log):
    """Run a block that goes on until it is ended."""
    process = subprocess.Popen(
        ["sh", "-e", "-c", block], cwd=folder, env=CLEAN, stdout=log, stderr=log, process_group=0
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)


def wait_until_it_answers(url, process, log):
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def wait_until_it_is_written(path, last):
    """The sandbox says under which settings it runs, once it answers."""
    deadline = time.monotonic() + SECONDS
    while last not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def connected(behind_rewrites):
    """A browser in which a creator has connected."""
    app, _ = behind_rewrites
    browser = Browser()
    asked = browser.open(app + "/auth/login")
    login = browser.submit(asked, asked.form("/auth/login"))
    creator = re.search(rb'name="creator" value="([^"]+)"', login.body)[1].decode()
    consent = browser.submit(login, login.form("/login"), {"creator": creator})
    browser.submit(consent, consent.form("/consent"), {"decision": "allow"})
    return browser


def test_behind_rewrites_a_creator_connects_and_pages_call_fanvue(behind_rewrites, connected):
    app, _ = behind_rewrites
    answer = connected.fetch(f"{app}/api/fanvue/users/me", page=f"{app}/", fankeep_request="1")

    assert answer.status == 200
    assert answer.json()["handle"]


def test_behind_rewrites_the_server_calls_fanvue_with_the_cookie_of_the_request(
    behind_rewrites, connected, blocks
):
    app, keep = behind_rewrites
    shown = blocks("nextjs", "js")[2]
    names = re.findall(r"^ {6}\"?([a-z-]+)\"?:", shown, re.MULTILINE)
    assert names == ["cookie", "fankeep-request", "origin", "x-forwarded-proto"]
    cookie = "; ".join(f"{name}={value}" for name, value in connected.cookies("localhost").items())
    headers = dict(zip(names, (cookie, "1", app, "http"), strict=True))
    call = urllib.request.Request(f"{keep}/api/fanvue/users/me", headers=headers)
    session = urllib.request.Request(f"{keep}/auth/session", headers={"cookie": cookie})

    with urllib.request.urlopen(call, timeout=SECONDS) as answer, urllib.request.urlopen(session) as who:
        assert json.load(answer)["uuid"] == json.load(who)["user"]


@pytest.fixture(scope="module")
def cookie(connected):
    """What the browser sends to the app."""
    return "; ".join(f"{name}={value}" for name, value in connected.cookies("localhost").items())


@pytest.fixture(scope="module")
def creator(behind_rewrites, cookie):
    """Who has connected."""
    _, keep = behind_rewrites
    with urllib.request.urlopen(
        urllib.request.Request(f"{keep}/auth/session", headers={"cookie": cookie})
    ) as who:
        return json.load(who)["user"]


@pytest.fixture(scope="module")
def beside(behind_rewrites, checkout):
    """Run a block with the environment of the running installation."""
    app, _ = behind_rewrites
    settings = f'FANKEEP_PUBLIC_URL={app} FANKEEP_OPERATIONS="getCurrentUser listChats" PATH=.venv/bin:$PATH'
    return lambda block: shell(f". .fankeep/sandbox.env; export {settings}; {block}", checkout)


def test_a_job_without_a_browser_calls_fanvue_as_a_connected_creator(
    behind_rewrites, creator, blocks, checkout
):
    app, _ = behind_rewrites
    job = next(block for block in blocks("python", "python") if "asyncio.run" in block)
    (checkout / "job.py").write_text(re.sub(r'main\("[^"]+"\)', f'main("{creator}")', job))
    settings = f"FANKEEP_PUBLIC_URL={app} FANKEEP_OPERATIONS=getCurrentUser"

    printed = shell(f". .fankeep/sandbox.env; {settings} .venv/bin/python job.py", checkout)

    assert re.fullmatch(r"[a-z0-9_.]+\n", printed)


def test_workers_call_fanvue_from_scripts_threads_and_processes(beside, blocks, checkout, creator):
    script, threads, processes = blocks("workers", "python")
    for name, block in {"script": script, "threads": threads, "processes": processes}.items():
        (checkout / f"{name}.py").write_text(block)

    handle, *sizes = beside(f"python script.py {creator}").splitlines()

    assert re.fullmatch(r"[a-z0-9_.]+", handle)
    assert all(int(size) > 0 for size in sizes)
    assert beside(f"python threads.py {creator}") == "8\n"
    assert beside(f"python processes.py {creator} {creator}") == f"{handle} {handle}\n"


def test_with_keys_that_are_made_as_described_servers_and_bots_call_fanvue(
    beside, blocks, checkout, creator, cookie, internal
):
    port, keys = blocks("internal")
    assert port == "export FANKEEP_INTERNAL_PORT=8081\n"
    beside(keys)
    shown = blocks("internal", "js")[0]
    path = re.search(r"8081(/internal/v1/session/fanvue)\$", shown)[1]
    assert re.findall(r"^ {6}([a-z-]+):", shown, re.MULTILINE) == ["authorization", "cookie"]
    headers = {"authorization": f"Bearer {(checkout / 'app.key').read_text().strip()}", "cookie": cookie}
    call = urllib.request.Request(f"http://127.0.0.1:{internal}{path}/users/me", headers=headers)
    with urllib.request.urlopen(call, timeout=SECONDS) as answer:
        me = json.load(answer)
    (checkout / "bot.py").write_text(blocks("internal", "python")[0])

    printed = beside(f"KEEP_URL=http://127.0.0.1:{internal} python bot.py")

    assert me["uuid"] == creator
    assert printed == f"{creator} {me['handle']}\n"
    with urllib.request.urlopen(f"http://127.0.0.1:{internal}/metrics", timeout=SECONDS) as metrics:
        assert b"fankeep_requests_total" in metrics.read()


def test_a_back_up_that_is_made_as_described_restores_as_described(beside, blocks, checkout, creator):
    save, restore, drill = blocks("backup")
    places = checkout / "backup"
    for part in ("data", "keys"):
        (places / part).mkdir(mode=0o700, parents=True)
    away = "export FANKEEP_KEYS_DATABASE_URL=sqlite:///$(ls .fankeep/*-keys.db)"

    def here(block):
        return block.replace("/backup/", f"{places}/")

    beside(here(save))
    (data,), (keys,) = (list((places / part).iterdir()) for part in ("data", "keys"))
    listed = beside(f"{away}; {here(drill)}")
    named = here(restore).replace("2026-11-24.db", data.name)
    lost = "mkdir -m 700 lost; export FANKEEP_DATABASE_URL=sqlite:///lost/data.db"
    lost += " FANKEEP_KEYS_DATABASE_URL=sqlite:///lost/keys.db"
    restored = beside(f"{lost}; {named}")

    assert keys.name == data.name
    assert creator in listed
    assert "uncertain" in listed
    assert restored.splitlines()[0] == "restored the keys"
    assert restored.splitlines()[1].startswith("restored the data: 1 grants to be refreshed")


def test_a_fan_s_data_are_shown_and_erased_as_described(beside, blocks, checkout, creator):
    export, erase = blocks("fans")
    named = f"export CREATOR={creator} FAN=f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"

    beside(f"{named}; {export}")
    beside(f"{named}; {erase}")

    receipt = json.loads((checkout / "receipt.json").read_text())
    shown = json.loads(blocks("fans", "json")[0])
    assert receipt.keys() == shown.keys()
    assert (receipt["erased"], receipt["creator"], receipt["events"]) == ("fan", creator, 0)
