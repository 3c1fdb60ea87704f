"""`fankeep sandbox events|grants|journal` against a running sandbox."""

import asyncio
import json
import subprocess
import sys

import pytest


async def run(app, view, *arguments):
    command = [
        sys.executable,
        "-m",
        "fankeep",
        "sandbox",
        view,
        "--sandbox",
        app.sandbox.base_url,
        *arguments,
    ]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
    )


async def shown(app, view, *arguments):
    done = await run(app, view, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_each_view_shows_what_happened_as_json_and_as_a_table(app, receiver):
    tokens = await app.connect()
    await app.refresh(tokens["refresh_token"])
    await app.control("endpoints", url=receiver.url)
    await app.control("fire", event="tip.new", wait=True)

    (event,) = [json.loads(line) for line in (await shown(app, "events", "--json")).splitlines()]
    assert (event["topic"], event["succeeded"], event["url"]) == ("tip.new", True, receiver.url)
    (grant,) = [json.loads(line) for line in (await shown(app, "grants", "--json")).splitlines()]
    assert [token["uses"] for token in grant["refresh_tokens"]] == [1, 0]
    assert grant["handle"] == app.sandbox.world.first_creator.handle
    rows = [json.loads(line) for line in (await shown(app, "journal", "--json")).splitlines()]
    assert [row["kind"] for row in rows] == ["token", "token", "delivery"]
    assert tokens["refresh_token"] not in str(rows)
    for view, word in (("events", receiver.url), ("grants", grant["handle"]), ("journal", "/oauth2/token")):
        title, *lines = (await shown(app, view)).splitlines()
        assert "time (UTC)" in title
        assert any(word in line for line in lines)


async def test_nothing_to_show_is_said_beside_the_table(app):
    done = await run(app, "events")
    assert (done.returncode, done.stderr) == (0, "fankeep: nothing yet\n")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("view", ["events", "grants", "journal"])
def test_without_a_sandbox_it_is_one_line_and_exit_2(view):
    done = subprocess.run(
        [sys.executable, "-m", "fankeep", "sandbox", view, "--sandbox", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "no sandbox answers" in done.stderr


async def test_the_port_of_another_sandbox_is_named_with_sandbox(app):
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "fankeep", "sandbox", "--port", "4812", "events"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "say events --sandbox http://127.0.0.1:4812" in done.stderr


async def trigger(app, *arguments):
    command = [sys.executable, "-m", "fankeep", "trigger", *arguments, "--sandbox", app.sandbox.base_url]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
    )


async def test_a_delivery_that_an_armed_fault_spoiled_is_shown_and_the_receiver_is_not_blamed(app, receiver):
    receiver.statuses = [401] * 10
    await app.control("endpoints", url=receiver.url)
    await app.control("faults", kind="tampered", count=2)

    as_json = await trigger(app, "tip.new", "--json")
    assert as_json.returncode == 0, as_json.stderr
    first = json.loads(as_json.stdout.splitlines()[0])
    assert (first["status"], first["url"], first["fault"]) == (401, receiver.url, "tampered")
    as_table = await trigger(app, "tip.new")
    assert as_table.returncode == 0, as_table.stderr
    assert as_table.stdout.splitlines()[0].endswith(f"  401  {receiver.url}  fault: tampered")
    title, *lines = (await shown(app, "events")).splitlines()
    assert " fault " in title
    assert " tampered " in lines[0]
