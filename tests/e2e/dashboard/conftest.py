"""The whole of it as people meet it: `fankeep dev` as a process, the example app, and Chromium."""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from fankeep.transport.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
SCREENSHOTS = ROOT / "artifacts" / "screenshots"
SECONDS = 30


class Site:
    """The running stack: its addresses, its log, and the sandbox's control API."""

    def __init__(self, addresses, log):
        self.gateway = addresses["gateway"]
        self.sandbox = addresses["sandbox"]
        self.panel = addresses["control_panel"]
        self._log = log

    def log(self):
        return self._log.read_text()

    def show(self, view):
        with urllib.request.urlopen(f"{self.sandbox}/sandbox/{view}", timeout=SECONDS) as answer:
            return json.load(answer)

    def do(self, action, **wanted):
        request = urllib.request.Request(
            f"{self.sandbox}/sandbox/{action}",
            json.dumps(wanted).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)

    def creator(self, handle):
        return next(one for one in self.show("state")["creators"] if one["handle"] == handle)

    def grants(self, handle):
        uuid = self.creator(handle)["uuid"]
        return [grant for grant in self.show("grants") if grant["creator"] == uuid]

    def needles(self, *kinds):
        known = self.show("needles")
        assert all(known[kind] for kind in kinds), known.keys()
        return {kind: known[kind] for kind in kinds}


class Visitor:
    """One browser profile and everything that it received."""

    def __init__(self, site, context):
        self.site = site
        self.context = context
        self.page = None
        self._answers = []
        self._streamed = []

    async def start(self):
        self.context.on("response", self._record)
        self.context.set_default_timeout(SECONDS * 1000)
        self.page = await self.context.new_page()
        session = await self.context.new_cdp_session(self.page)
        session.on("Network.eventSourceMessageReceived", self._record_event)
        await session.send("Network.enable")
        return self

    def _record(self, response):
        self._answers.append(asyncio.ensure_future(_content(response)))

    def _record_event(self, message):
        self._streamed.append(message["data"])

    async def close(self):
        self.context.remove_listener("response", self._record)
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await self.context.close()

    async def connect(self, handle):
        """Go the whole way from the app's first page to its dashboard."""
        page = self.page
        await page.goto(self.site.gateway)
        for role, name in (
            ("link", re.compile("^Connect")),
            ("button", "Continue to Fanvue"),
            ("button", f"@{handle}"),
            ("button", "Allow"),
        ):
            control = page.get_by_role(role, name=name)
            await control.wait_for()
            await self._read_all()
            await control.click()
        await page.wait_for_url(f"{self.site.gateway}/")
        await page.get_by_text(f"@{handle}").wait_for()

    async def _read_all(self):
        """Wait for the bodies of what has come: a browser forgets those of a page that was left."""
        await self.page.wait_for_load_state()
        await asyncio.gather(*self._answers)

    async def picture(self, name):
        """Keep what the page looks like, for whoever wants to see it."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    async def received(self):
        """Everything that came in: heads and bodies of all answers, redirects included, and event streams."""
        answers = await asyncio.gather(*self._answers)
        return [*answers, *((f"{self.site.gateway}/live", data.encode()) for data in self._streamed)]


async def _content(response):
    """The address, and head and body as bytes; a stream's body is recorded message by message."""
    headers = await response.all_headers()
    head = "".join(f"{name}: {value}\n" for name, value in headers.items()).encode()
    if 300 <= response.status < 400 or headers.get("content-type", "").startswith("text/event-stream"):
        return response.url, head
    return response.url, head + await response.body()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("e2e")
    log = folder / "log"
    ports = {name: str(free_port()) for name in ("--port", "--sandbox-port", "--app-port")}
    command = [sys.executable, "-m", "fankeep", "dev", "--json", "--run", "examples/dashboard/app.py"]
    command += [*(word for option in ports.items() for word in option), "--folder", str(folder / "data")]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors)
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Site(json.loads(line), log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        process.stdout.close()
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def nothing_granted(site):
    """Each test begins before any creator has agreed to anything; Fanvue asks only once."""
    for creator in site.show("state")["creators"]:
        site.do("withdraw", creator=creator["handle"])


@pytest_asyncio.fixture(loop_scope="session")
async def new_visitor(browser, site):
    """Open browser profiles that know nothing of each other."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options):
            context = await browser.new_context(**{"viewport": {"width": 1180, "height": 800}, **options})
            visitor = Visitor(site, context)
            stack.push_async_callback(visitor.close)
            return await visitor.start()

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(new_visitor):
    return await new_visitor()


@pytest.fixture
def other_site():
    """Another site, on 127.0.0.1: a page with a form that posts to wherever its query says."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            target = urlsplit(self.path).query
            body = f'<form method="post" action="{target}"><button>Win</button></form>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def eventually():
    """Wait until something holds."""

    async def wait(holds, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.05)

    return wait
