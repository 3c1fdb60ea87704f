"""`fankeep webhooks` beside a running gateway, with the local Fanvue delivering over real sockets."""

import asyncio
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from fankeep.cli.program import run
from fankeep.fanvue import sign_webhook
from fankeep.keep.stores import open_stores
from fankeep.keep.webhooks import open_webhooks
from fankeep.sandbox import Switches
from fankeep.transport.ports import free_port

SECONDS = 60
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}


@dataclass
class Served:
    """A gateway in a process of its own, and the commands beside it."""

    installation: object
    port: int
    here: object

    @property
    def address(self):
        return f"http://localhost:{self.port}/webhooks/fanvue"

    @property
    def environment(self):
        own = {"FANKEEP_PUBLIC_URL": f"http://localhost:{self.port}", "FANKEEP_PORT": str(self.port)}
        return CLEAN | self.installation.environment | own

    @property
    def log(self):
        return self.installation.folder / "serve.log"

    def run(self, *arguments):
        """Run a command in this process; a start of Python for each would take most of the time."""
        return self.here(self.environment, ["webhooks", *arguments])

    def told(self, *arguments, kind=None):
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [row for row in rows if kind is None or row["kind"] == kind]

    def add(self, creator, *events):
        chosen = [word for event in events for word in ("--event", event)]
        (row,) = self.told("add", "--creator", creator, *chosen)
        return row

    def secret(self, subscription):
        """Open a stored secret, as nothing but a delivery of our own does."""
        settings = self.installation.settings(public_url=f"http://localhost:{self.port}")

        async def opened():
            async with (
                open_stores(settings, create=False) as stores,
                open_webhooks(settings, stores, actor="operator:test") as webhooks,
            ):
                return (await webhooks.subscriptions.secret(subscription))[1]

        return asyncio.run(opened())

    def deliver(self, url, secret, about):
        """Post an event about a creator, signed with a secret; return the status."""
        body = json.dumps(
            {"id": "evt_1", "type": "creator.follow.created", "data": {"creator": {"uuid": about}}}
        )
        headers = {
            "content-type": "application/json",
            "x-fanvue-signature": sign_webhook(body.encode(), secret, timestamp=int(time.time())),
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            path = url.removeprefix(f"http://localhost:{self.port}")
            connection.request("POST", path, body, headers | {"Host": f"localhost:{self.port}"})
            return connection.getresponse().status

    def rows(self, sql):
        with closing(sqlite3.connect(self.installation.folder / "data.db")) as data, data:
            return data.execute(sql).fetchall()

    @contextmanager
    def gateway(self):
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "fankeep", "serve"], env=self.environment, stdout=log, stderr=log
            )
        try:
            deadline = time.monotonic() + SECONDS
            while b'"ready"' not in self.log.read_bytes():
                assert process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture
def here(monkeypatch, capsys):
    """Run a command of fankeep in this process."""

    def command(environment, arguments):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(arguments)
        told = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, told.out, told.err)

    return command


@pytest.fixture
def commands(installation, here):
    return Served(installation, free_port(), here)


def statuses(installation, topic):
    rows = installation.fanvue.control.deliveries()
    return [attempt["status"] for row in rows if row["topic"] == topic for attempt in row["attempts"]]


def test_a_subscription_from_its_first_delivery_to_the_end_of_its_secret(installation, commands):
    mia, luca = installation.connect("miahart"), installation.connect("lucamoreno")
    with commands.gateway():
        made = commands.add(mia, "creator.follow.created")
        assert made["url"].startswith(f"{commands.address}/")
        assert (made["creator"], made["standing"]) == (mia, "active")

        installation.fanvue.control.act("follow", creator=mia, wait=True)
        assert statuses(installation, "creator.follow.created") == [200]
        stored = commands.rows("SELECT creator_id, type, secret_name FROM events")
        assert stored == [(mia, "creator.follow.created", made["url"].rpartition("/")[2])]

        secret = commands.secret(made["id"])
        assert secret.scope == f"creator:{mia}"
        assert commands.deliver(made["url"], secret, luca) == 401
        assert "webhook_foreign_scope" in commands.log.read_text()

        (tried,) = commands.told("test", made["id"])
        assert (tried["status"], tried["error"]) == (200, None)
        (own,) = commands.told("test")
        assert (own["secret"], own["status"]) == ("main", 200)
        assert commands.rows("SELECT DISTINCT state FROM events WHERE type = 'fankeep.test'") != [
            ("pending",)
        ]

        (removed,) = commands.told("remove", made["id"])
        assert removed["removal"] == "removed"
        assert commands.deliver(made["url"], secret, mia) == 200
        (listed,) = commands.told("list", "--creator", mia, kind="subscription")
        assert listed["standing"] == "ended"
    commands.rows("UPDATE subscriptions SET ended_at = ended_at - 4000")
    with commands.gateway():
        assert commands.deliver(made["url"], secret, mia) == 401

    trail = commands.rows("SELECT action, object, outcome FROM trail ORDER BY seq")
    assert trail == [
        ("subscription_made", made["id"], "1 events"),
        ("subscription_removed", made["id"], "removed"),
    ]
    shown = secret.value.reveal()
    assert shown not in commands.log.read_text()
    assert shown.encode() not in b"".join(path.read_bytes() for path in installation.folder.iterdir())


def test_list_compares_with_what_fanvue_has(installation, commands):
    mia = installation.connect("miahart")
    kept, lost, gone = (commands.add(mia, "creator.post.*") for _ in range(3))
    commands.rows(f"DELETE FROM subscriptions WHERE id = '{lost['id']}'")
    commands.told("remove", gone["id"])
    forged = commands.add(mia, "creator.post.*")
    commands.rows(f"UPDATE subscriptions SET url = 'https://evil.example' WHERE id = '{forged['id']}'")

    standing = {row["id"]: row["standing"] for row in commands.told("list", "--all", kind="subscription")}

    assert standing == {
        kept["id"]: "active",
        lost["id"]: "secret_not_held",
        gone["id"]: "ended",
        forged["id"]: "not_genuine",
    }
    (setting,) = commands.told("list", kind="setting")
    assert (setting["name"], setting["scope"], setting["active"]) == ("main", "app", True)
    table = commands.run("list").stdout
    assert kept["id"] in table
    assert installation.fanvue.webhook_secret not in table

    assert commands.run("remove", lost["id"]).returncode == 2
    (removed,) = commands.told("remove", lost["id"], "--creator", mia)
    assert removed["removal"] == "removed"


def test_all_subscribes_for_who_has_none_yet_and_says_who_is_not_connected(installation, commands):
    mia, luca = installation.connect("miahart"), installation.connect("lucamoreno")
    first = commands.add(mia)
    added = commands.told("add", "--all")
    assert [row["creator"] for row in added] == [luca]
    assert first["events"] == added[0]["events"]
    again = commands.run("add", "--all")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "nothing to do: 2 creators have it already\n"

    installation.fanvue.control.withdraw(mia)
    commands.rows(f"UPDATE grants SET last_used_at = last_used_at - 91 * 86400 WHERE user_id = '{luca}'")
    assert commands.here(commands.environment, ["grants", "reap"]).returncode == 0
    for creator, code in ((luca, "reconnect_required"), (mia, "provider_refused")):
        done = commands.run("add", "--creator", creator, "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout) == {"kind": "failure", "creator": creator, "error": code}
    (removed,) = [json.loads(commands.run("remove", added[0]["id"], "--json").stdout)]
    assert removed == {"id": added[0]["id"], "removal": "ended_here"}


def test_a_disconnect_takes_the_creators_subscriptions_along(installation, commands):
    mia, luca = installation.connect("miahart"), installation.connect("lucamoreno")
    for creator in (mia, luca):
        commands.add(creator)
    installation.fanvue.control.withdraw(luca)

    for creator in (mia, luca):
        done = commands.here(commands.environment, ["grants", "disconnect", creator])
        assert done.returncode == 0, done.stderr

    deleted = [row for row in installation.fanvue.control.journal(kind="api") if row["method"] == "DELETE"]
    assert [row["status"] for row in deleted] == [204, 401]
    standing = {row["creator"]: row["standing"] for row in commands.told("list", kind="subscription")}
    assert standing == {mia: "ended", luca: "held"}


class TestAPrivateApp:
    @pytest.fixture
    def fanvue_sandbox_settings(self, fanvue_sandbox_settings):
        return replace(fanvue_sandbox_settings, switches=Switches(subscriptions_refused=True))

    def test_gets_the_steps_for_the_events_tab(self, installation, commands):
        mia = installation.connect("miahart")

        done = commands.run("add", "--creator", mia, "--event", "creator.message.received")

        assert done.returncode == 1
        for needed in ("400", commands.address, "Events tab", "creator.message.received", "Signing Secret"):
            assert needed in done.stdout
        assert "FANKEEP_WEBHOOK_SECRETS" in done.stdout
        as_json = commands.run("add", "--creator", mia, "--json")
        assert as_json.returncode == 1
        assert json.loads(as_json.stdout)["refused"] == 400
        assert "Events tab" in as_json.stderr
        assert commands.rows("SELECT * FROM subscriptions") == []

    def test_is_not_the_explanation_when_the_name_of_an_event_is_unknown(self, installation, commands):
        mia = installation.connect("miahart")
        done = commands.run("add", "--creator", mia, "--event", "creator.mesage.received")

        assert done.returncode == 1
        warning = (
            "creator.mesage.received is no event that fankeep knows; did you mean creator.message.received?"
        )
        assert done.stderr.splitlines() == [f"fankeep: {warning}"]
        assert "refused (400). It may not know creator.mesage.received" in done.stdout
        assert "private" not in done.stdout


def test_test_says_what_is_wrong_with_the_way_in(installation, commands):
    installation.connect("miahart")
    done = commands.run("test", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "no_answer"
    with commands.gateway():
        other = {"FANKEEP_WEBHOOK_SECRETS": "other=whsec_" + "ab" * 32}
        done = commands.here(commands.environment | other, ["webhooks", "test"])
    assert done.returncode == 1
    assert "refused (401)" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "--creator", "miahart"],
        ["add", "--all", "--event", "Nothing"],
        ["list", "--all", "--creator", "00000000-0000-4000-8000-00000000dead"],
        ["remove", "../users"],
        ["test", "unknown"],
    ],
)
def test_what_makes_no_sense_is_the_callers_mistake(installation, commands, arguments):
    installation.connect("miahart")
    assert commands.run(*arguments).returncode == 2
