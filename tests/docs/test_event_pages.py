"""The pages about fetching and replaying events: their commands work, their words are those of the code."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fankeep import Keep, Settings
from fankeep.gateway import pulling
from fankeep.inbox import metrics
from fankeep.policy import DELIVERY_RETRIES
from fankeep.store import Command, open_data
from fankeep.testing.running import fanvue_sandbox_in_thread
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port

SECONDS = 60
pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the pages use curl and jq"
)


@pytest.fixture
def blocks(pages):
    def found(guide, language="sh"):
        page = pages[Path(f"docs/how-to/{guide}.md")]
        return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    return found


class House:
    def __init__(self, keep, fanvue, internal, folder, environment):
        self.keep = keep
        self.fanvue = fanvue
        self.internal = internal
        self.folder = folder
        self.environment = environment

    async def run(self, block, **more):
        process = await asyncio.create_subprocess_exec(
            "sh", "-e", "-c", block, cwd=self.folder, env=self.environment | more, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def deliver(self, count):
        await asyncio.to_thread(self.fanvue.control.fire, "creator.message.received", count=count, wait=True)


@asynccontextmanager
async def house(root, folder, **settings):
    port, internal = free_port(), free_port()
    with fanvue_sandbox_in_thread() as fanvue:
        values = {
            "env": "development",
            "public_url": f"http://localhost:{port}",
            "client_id": fanvue.client_id,
            "client_secret": fanvue.client_secret,
            "webhook_secrets": f"main={fanvue.webhook_secret}",
            "issuer_url": fanvue.issuer_url,
            "api_url": fanvue.api_url,
            "operations": "getCurrentUser",
            "database_url": f"sqlite:///{folder}/data.db",
            "keys": f"file:{folder}/keys.json",
            **settings,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        environment = clean | {f"FANKEEP_{name.upper()}": value for name, value in values.items()}
        environment["PATH"] = f"{root}/.venv/bin:{environment['PATH']}"
        keep = Keep(Settings(**values))
        if keep.settings.events == "push":

            @keep.on("*")
            async def fail(event):
                raise RuntimeError("on purpose")

        async with (
            keep,
            listening(keep.gateway, host="127.0.0.1", port=port),
            listening(keep.internal, host="127.0.0.1", port=internal),
        ):
            fanvue.control.deliver_to(f"http://localhost:{port}/webhooks/fanvue")
            yield House(keep, fanvue, internal, folder, environment)


async def test_events_are_fetched_and_acknowledged_as_described(blocks, root, tmp_path):
    settings, make_key, fetch = blocks("pull")
    (worker,) = blocks("pull", "python")
    assert settings.splitlines()[0] == "export FANKEEP_EVENTS=pull"
    async with house(root, tmp_path, events="pull") as home:
        await home.run(make_key)
        await home.deliver(3)
        here = fetch.replace(":8081", f":{home.internal}")
        *shown, done = (await home.run(here)).splitlines()
        ids = [json.loads(line)["id"] for line in shown]
        assert json.loads(done) == {"acknowledged": ids, "lost": []}
        assert len(ids) == 3

        (tmp_path / "worker.py").write_text(worker)
        working = await asyncio.create_subprocess_exec(
            sys.executable,
            "worker.py",
            cwd=tmp_path,
            env=home.environment | {"KEEP_URL": f"http://127.0.0.1:{home.internal}"},
            stdout=subprocess.PIPE,
        )
        try:
            await home.deliver(2)
            lines = [await asyncio.wait_for(working.stdout.readline(), SECONDS) for _ in range(2)]
        finally:
            working.kill()
            await working.wait()
        assert {line.split()[0] for line in lines} == {b"creator.message.received"}


async def test_dead_letters_are_found_shown_and_replayed_as_described(blocks, root, tmp_path):
    see, show, replay, trail = blocks("dead-letters")
    async with house(root, tmp_path) as home:
        await home.deliver(2)
        dead = Command("UPDATE events SET state = 'dead', reason = 'handler_failed', claim = NULL")
        database = await open_data(home.environment["FANKEEP_DATABASE_URL"], create=False)
        await database.write(lambda tx: tx.run(dead))
        await database.close()
        seen = await home.run(see)
        event = re.search(r"\b[0-9a-f]{32}\b", seen)[0]
        shown = await home.run(show, EVENT=event)
        replayed = (await home.run(replay, EVENT=event)).splitlines()
        told = await home.run(trail)

    assert "handler_failed" in seen
    assert shown.count(event) == 2
    assert replayed[0] == "would replay 2 events"
    assert replayed[1].startswith("replayed 2 events")
    assert replayed[2] == f"replayed {event}"
    assert [told.count(word) for word in ("events_replayed", "event_payload_shown")] == [2, 1]


def test_every_reason_and_bound_of_the_pages_is_one_of_the_code(pages):
    dead = pages[Path("docs/how-to/dead-letters.md")]
    reasons = set(re.findall(r"^\| `(\w+)` \|", dead, re.MULTILINE))
    assert reasons == metrics.DEAD_REASONS
    pull = pages[Path("docs/how-to/pull.md")]
    rows = re.findall(r"^\| `(limit|lease|wait)` \| (\d+) \| (\d+) to (\d+) \|", pull, re.MULTILINE)
    bounds = {"limit": pulling._LIMIT, "lease": pulling._LEASE, "wait": pulling._WAIT}
    for name, *numbers in rows:
        bound = bounds.pop(name)
        assert [int(number) for number in numbers] == [bound.default, bound.least, bound.most]
    assert bounds == {}
    assert f"fetched `FANKEEP_EVENT_TRIES` times ({DELIVERY_RETRIES.tries})" in pull
