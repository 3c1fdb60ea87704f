"""`fankeep events` and `fankeep trail` beside an installation that has events."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import closing
from sqlite3 import connect

import pytest

from fankeep import Keep
from fankeep.fanvue import WebhookSecret, sign_webhook, verify_webhook


def command(installation, *arguments):
    return [sys.executable, "-m", "fankeep", *arguments], environment(installation)


def environment(installation):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    return clean | installation.environment


def fankeep(installation, *arguments):
    words, env = command(installation, *arguments)
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def delivery(installation, creator, number):
    body = {
        "id": f"evt_{number}",
        "type": "creator.message.received",
        "timestamp": "2026-11-14T22:13:20.000Z",
        "data": {
            "uuid": f"11111111-1111-4111-8111-{number:012}",
            "text": "canary-text",
            "fan": {"uuid": "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"},
            "creator": {"uuid": creator},
        },
    }
    raw, now = json.dumps(body).encode(), time.time()
    (secret,) = installation.settings().webhook_secrets
    assert isinstance(secret, WebhookSecret)
    return verify_webhook(raw, sign_webhook(raw, secret, timestamp=int(now)), secret, now=now)


@pytest.fixture
def creator(installation):
    return installation.connect("miahart")


async def accept(keep, installation, creator, numbers):
    deliveries = [delivery(installation, creator, number) for number in numbers]
    return [(await keep._open.inbox.accept(one)).event_id for one in deliveries]


@pytest.fixture
def stored(installation, creator):
    """Three events, two of which are dead letters."""

    async def store():
        async with installation.keep() as keep:
            return await accept(keep, installation, creator, range(1, 4))

    ids = asyncio.run(store())
    with closing(connect(installation.folder / "data.db")) as data, data:
        data.execute("UPDATE events SET state = 'dead', reason = 'handler_failed' WHERE seq < 3")
    return ids


def test_list_dead_and_show_tell_what_became_of_events_and_nothing_personal(installation, stored):
    listed = lines(fankeep(installation, "events", "list", "--json"))
    dead = lines(fankeep(installation, "events", "dead", "--type", "creator.*", "--json"))
    (shown,) = lines(fankeep(installation, "events", "show", stored[0], "--json"))
    page = fankeep(installation, "events", "list", "--limit", "2")

    assert [event["id"] for event in listed] == stored[::-1]
    assert [event["id"] for event in dead] == stored[1::-1]
    assert shown == dead[1]
    assert (shown["state"], shown["reason"], shown["payload"]) == ("dead", "handler_failed", True)
    assert stored[2] in page.stdout
    assert page.stderr == "the next page: --before 2\n"
    assert "canary" not in json.dumps(listed) + page.stdout
    assert fankeep(installation, "events", "show", "0" * 32).returncode == 2


def test_a_payload_is_shown_on_demand_and_that_is_on_the_trail(installation, stored):
    (shown,) = lines(fankeep(installation, "events", "show", stored[0], "--payload", "--json"))
    (line,) = lines(fankeep(installation, "trail", "--json"))

    assert shown["data"]["uuid"] == "11111111-1111-4111-8111-000000000001"
    assert (line["action"], line["object"], line["outcome"]) == ("event_payload_shown", stored[0], "shown")
    assert line["actor"].startswith("operator:")


def test_dead_letters_are_replayed_in_bulk_and_a_dry_run_changes_nothing(installation, stored):
    replay = ("events", "replay", "--state", "dead", "--json")
    assert lines(fankeep(installation, *replay, "--dry-run")) == [{"would_replay": 2, "without_payload": 0}]
    assert len(lines(fankeep(installation, "events", "dead", "--json"))) == 2

    assert lines(fankeep(installation, *replay)) == [{"replayed": 2, "through": 3}]

    assert lines(fankeep(installation, *replay)) == [{"replayed": 0, "through": 3}]
    waiting = lines(fankeep(installation, "events", "list", "--state", "pending", "--json"))
    assert {event["id"]: event["replays"] for event in waiting} == dict.fromkeys(stored[:2], 1)
    (line,) = lines(fankeep(installation, "trail", "--json"))
    assert (line["action"], line["object"], line["outcome"]) == (
        "events_replayed",
        "state=dead",
        "2 through 3",
    )


def test_a_shadow_is_replayed_only_by_somebody_who_says_so(installation, stored):
    with closing(connect(installation.folder / "data.db")) as data, data:
        data.execute("UPDATE events SET state = 'shadow'")
    refused = fankeep(installation, "events", "replay", *stored)
    assert refused.returncode == 1
    assert "a replay may double its effect" in refused.stderr
    assert fankeep(installation, "events", "replay", "--since", "1h", "--json").stdout.startswith(
        '{"replayed": 0'
    )
    assert lines(fankeep(installation, "events", "replay", stored[0], "--shadow", "--json")) == [
        {"id": stored[0], "outcome": "replayed", "dry_run": False}
    ]


def test_of_an_event_that_had_its_effect_it_says_that_it_may_come_twice(installation, stored):
    with closing(connect(installation.folder / "data.db")) as data, data:
        data.execute("UPDATE events SET state = 'handled', reason = NULL WHERE seq = 2")
        data.execute("UPDATE events SET state = 'handled', reason = 'no_handler' WHERE seq = 3")
    done = fankeep(installation, "events", "replay", *stored, "--dry-run")
    assert done.returncode == 0
    assert done.stderr == f"{stored[1]}: it was handled before; its effect may come twice\n"


def test_a_replayed_event_reaches_its_handler_again_and_says_so(installation, creator):
    async def scene():
        got = asyncio.Queue()
        keep = Keep(installation.settings())

        @keep.on("creator.message.received")
        async def note(event):
            await got.put((event.id, event.replayed))

        async with keep, asyncio.timeout(60):
            (identifier,) = await accept(keep, installation, creator, [1])
            first = await got.get()
            done = await asyncio.to_thread(fankeep, installation, "events", "replay", identifier)
            assert done.stdout == f"replayed {identifier}\n", done.stderr
            return identifier, first, await got.get()

    identifier, first, again = asyncio.run(scene())
    assert (first, again) == ((identifier, False), (identifier, True))


def test_tail_shows_what_is_stored_from_then_on(installation, creator, stored):
    words, env = command(installation, "events", "tail", "--json")
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=env, stdout=pipe, stderr=pipe, text=True) as tail:
        try:
            assert tail.stderr.readline() == "waiting for events\n"

            async def more():
                async with installation.keep() as keep:
                    return await accept(keep, installation, creator, [8, 9])

            ids = asyncio.run(more())
            shown = [json.loads(tail.stdout.readline())["id"] for _ in ids]
        finally:
            tail.terminate()
    assert sorted(shown) == sorted(ids)
