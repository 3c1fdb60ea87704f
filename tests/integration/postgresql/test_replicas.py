"""Two `fankeep serve` processes on one PostgreSQL server, begun at once on empty databases."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg
import pytest

from fankeep import sign_webhook
from fankeep.cli.demo.browser import Browser
from fankeep.kms import create_key_file
from fankeep.sandbox import AppRegistration, SandboxSettings, running_sandbox
from fankeep.secret import Secret
from fankeep.transport.ports import free_port

CLIENT_ID = "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11"
CLIENT_SECRET = secrets.token_hex(32)
WEBHOOK_SECRET = "whsec_" + secrets.token_hex(32)


class Replicas:
    """Both processes, their addresses, and the sandbox that they belong to."""

    def __init__(self, sandbox, ports, processes, data_url):
        self.sandbox = sandbox
        self.urls = [f"http://localhost:{port}" for port in ports]
        self.processes = processes
        self.data_url = data_url
        self.creator = sandbox.world.first_creator.uuid
        self.browser = Browser()

    def sign_in(self):
        browser = self.browser
        page = browser.open(f"{self.urls[0]}/auth/login?return_to=/auth/disconnect")
        fanvue = browser.submit(page, page.form("/auth/login"))
        if fanvue.forms() and urlsplit(fanvue.forms()[0].action).path == "/login":
            fanvue = browser.submit(fanvue, fanvue.form("/login"), {"creator": self.creator})
        if fanvue.url.startswith(self.sandbox.base_url):
            browser.submit(fanvue, fanvue.form("/consent"), {"decision": "allow"})
        return browser.fetch(f"{self.urls[1]}/auth/session").json()["user"]

    def who_am_i(self, number):
        answer = self.browser.fetch(f"{self.urls[number]}/api/fanvue/users/me", fankeep_request="1")
        return answer.status, answer.json().get("uuid")

    def deliver(self, number, body, signature):
        headers = {"content-type": "application/json", "x-fanvue-signature": signature}
        request = urllib.request.Request(f"{self.urls[number]}/webhooks/fanvue", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status

    def refreshes(self):
        return self.sandbox.journal.find({"grant_type": "refresh_token"})


def start(environment, log):
    command = [sys.executable, "-m", "fankeep", "serve"]
    with log.open("wb") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
async def replicas(postgresql_databases, tmp_path):
    create_key_file(tmp_path / "keys.json")
    data, keys = postgresql_databases.empty(), postgresql_databases.empty()
    ports = [free_port(), free_port()]
    public = f"http://localhost:{ports[0]}"
    app = AppRegistration(
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        redirect_uris=(f"{public}/auth/callback",),
        webhook_url=f"{public}/webhooks/fanvue",
        webhook_secret=Secret(WEBHOOK_SECRET),
    )
    async with running_sandbox(SandboxSettings(port=0, apps=(app,))) as sandbox:
        shared = {
            "FANKEEP_ENV": "development",
            "FANKEEP_PUBLIC_URL": public,
            "FANKEEP_HOST": "localhost",
            "FANKEEP_ALLOWED_HOSTS": " ".join(f"localhost:{port}" for port in ports),
            "FANKEEP_CLIENT_ID": CLIENT_ID,
            "FANKEEP_CLIENT_SECRET": CLIENT_SECRET,
            "FANKEEP_WEBHOOK_SECRETS": f"main={WEBHOOK_SECRET}",
            "FANKEEP_ISSUER_URL": sandbox.base_url,
            "FANKEEP_API_URL": sandbox.base_url,
            "FANKEEP_OPERATIONS": "getCurrentUser",
            "FANKEEP_DATABASE_URL": data,
            "FANKEEP_KEYS_DATABASE_URL": keys,
            "FANKEEP_KEYS": f"file:{tmp_path}/keys.json",
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        processes = [
            start(clean | shared | {"FANKEEP_PORT": str(port)}, tmp_path / f"log-{port}") for port in ports
        ]
        try:
            both = Replicas(sandbox, ports, processes, data)
            deadline = time.monotonic() + 60
            for number, url in enumerate(both.urls):
                while not await asyncio.to_thread(answers, url):
                    told = (tmp_path / f"log-{ports[number]}").read_text()
                    assert processes[number].poll() is None, told
                    assert time.monotonic() < deadline, told
                    await asyncio.sleep(0.05)
            yield both
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


async def rows(url, sql):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def everybody_asks(replicas, times):
    """Call the API through both replicas at once."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2 * times) as threads:
        asked = [loop.run_in_executor(threads, replicas.who_am_i, number % 2) for number in range(2 * times)]
        return set(await asyncio.gather(*asked))


async def test_two_replicas_are_one_app(replicas):
    # A login on one, a session and a token on the other.
    assert await asyncio.to_thread(replicas.sign_in) == replicas.creator
    assert await asyncio.to_thread(replicas.who_am_i, 1) == (200, replicas.creator)
    assert len(await rows(replicas.data_url, "SELECT place FROM instances")) == 2

    # An expired token that both need at once is refreshed by one of them.
    await rows(replicas.data_url, "UPDATE grants SET access_expires_at = 0")
    async with asyncio.timeout(60):
        while not replicas.refreshes():
            assert await everybody_asks(replicas, 4) == {(200, replicas.creator)}
    assert await everybody_asks(replicas, 4) == {(200, replicas.creator)}
    assert [entry.status for entry in replicas.refreshes()] == [200]

    # A delivery that reaches both, several times, is one event.
    body = json.dumps(
        {
            "id": "evt_to_both",
            "type": "creator.follow.created",
            "timestamp": "2026-11-24T12:00:00.000Z",
            "data": {"creator": {"uuid": replicas.creator}},
        }
    ).encode()
    signature = sign_webhook(body, Secret(WEBHOOK_SECRET), timestamp=int(time.time()))
    statuses = await asyncio.gather(
        *(asyncio.to_thread(replicas.deliver, number % 2, body, signature) for number in range(8))
    )
    assert statuses == [200] * 8
    assert await rows(replicas.data_url, "SELECT count(*) FROM events") == [(1,)]

    # Whoever stops is gone from the list, and the other one goes on.
    replicas.processes[0].terminate()
    await asyncio.to_thread(replicas.processes[0].wait, 30)
    assert replicas.processes[0].returncode == 0
    assert len(await rows(replicas.data_url, "SELECT place FROM instances")) == 1
    assert await asyncio.to_thread(replicas.who_am_i, 1) == (200, replicas.creator)
