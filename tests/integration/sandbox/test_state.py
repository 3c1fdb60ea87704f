"""A sandbox that is stopped, or dies, and is started again on its state file."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from fankeep.sandbox import (
    AppRegistration,
    Keeper,
    SandboxSettings,
    StateFile,
    Switches,
    TokenFormat,
    parse_scenario,
    running_sandbox,
)
from fankeep.transport.ports import free_port

CALLBACK = "http://localhost:9999/auth/callback"


@pytest.fixture
def file(tmp_path):
    return StateFile(tmp_path / "world.state")


def settings(**more):
    return SandboxSettings(port=0, apps=(AppRegistration(redirect_uris=(CALLBACK,)),), **more)


async def test_a_connected_client_goes_on_after_a_restart(app, file):
    kind = type(app)
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client = kind(sandbox)
        first = await client.connect()
        tokens = (await client.refresh(first["refresh_token"])).json

    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client.sandbox = sandbox
        assert (await client.api("GET", "/users/me", tokens["access_token"])).status == 200
        assert (await client.refresh(tokens["refresh_token"])).status == 200
        (chain,) = await client.show("grants")
        assert [token["uses"] for token in chain["refresh_tokens"]] == [1, 1, 0]


async def test_a_rotation_whose_answer_was_lost_stands_in_the_file_at_once(app, file):
    kind = type(app)
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client = kind(sandbox)
        first = await client.connect()
        await client.control("faults", kind="lost", grant_type="refresh_token")
        async with client.giving_up_on_a_refresh(first["refresh_token"]) as answer:
            async with asyncio.timeout(30):
                while not sandbox.tokens._refresh[first["refresh_token"]].uses:
                    await asyncio.sleep(0.005)
            saved = Keeper(file).saved
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(answer.read(1), 0.2)
    assert saved.parts["tokens"]["_refresh"][first["refresh_token"]].uses == 1


async def test_what_a_control_request_changed_stands_in_the_file_before_its_answer(app, file):
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client = type(app)(sandbox)
        await client.control("clock", advance=60)
        assert Keeper(file).saved.parts["clock"]["_offset"] == 60


async def test_an_interrupted_delivery_is_taken_up_again_under_its_id(app, file, receiver):
    receiver.statuses = [500]
    async with running_sandbox(settings(retry_delays=(30.0,)), keeper=Keeper(file)) as sandbox:
        client = type(app)(sandbox)
        await client.control("endpoints", url=receiver.url)
        await client.control("fire", event="tip.new", wait=True)
    async with running_sandbox(settings(retry_delays=(0.01,)), keeper=Keeper(file)):
        (first, _), (second, _) = await receiver.wait(2)
    assert first["x-fanvue-event-id"] == second["x-fanvue-event-id"]


def sandbox_process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "fankeep", "sandbox", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_damaged_file_is_one_line_and_exit_2_and_is_not_overwritten(file):
    file.path.write_bytes(b"fankeep-sandbox-state 1 00\n{}")
    done = sandbox_process("--state", str(file.path))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "it is damaged" in done.stderr
    assert file.path.read_bytes() == b"fankeep-sandbox-state 1 00\n{}"


async def test_another_seed_than_the_files_is_refused(app, file):
    async with running_sandbox(settings(seed=3), keeper=Keeper(file)):
        pass
    done = sandbox_process("--state", str(file.path), "--seed", "4")
    assert done.returncode == 2
    assert "made with --seed 3" in done.stderr


def test_a_second_sandbox_on_the_same_file_is_refused_in_one_line(file):
    with file.locked():
        done = sandbox_process("--state", str(file.path))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "another sandbox runs on the state file" in done.stderr
    assert not file.path.exists()
    with file.locked():
        assert file.read() is None


async def test_the_journal_of_before_a_restart_can_still_be_asked(app, file):
    kind = type(app)
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client = kind(sandbox)
        first = await client.connect()
        await client.refresh(first["refresh_token"])
        await client.refresh(first["refresh_token"])
        await client.api("GET", "/users/me", "nobody's token")
        before = await client.show("journal")

    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        client.sandbox = sandbox
        assert await client.show("journal") == before
        await client.refresh(first["refresh_token"])
        entries = await client.show("journal?grant_type=refresh_token")
        assert [entry["use"] for entry in entries] == [1, 2, 3]
        assert len({entry["refresh_token"] for entry in entries}) == 1
        assert [entry["number"] for entry in await client.show("journal")] == list(range(1, 6))


async def test_a_scenario_goes_on_where_a_restart_interrupted_it(app, file):
    kind = type(app)
    scenario = parse_scenario('[[fault]]\nkind = "status"\nskip = 2\ncount = 2')
    statuses = []
    tokens = None
    for _ in range(3):
        async with running_sandbox(settings(scenario=scenario), keeper=Keeper(file)) as sandbox:
            client = kind(sandbox)
            tokens = tokens or await client.connect()
            for _ in range(2):
                statuses.append((await client.refresh(tokens["refresh_token"])).status)
    assert statuses == [200, 503, 503, 200, 200, 200]


async def test_another_scenario_after_a_restart_takes_the_place_of_the_first(app, file):
    kind = type(app)
    for text in ('[[fault]]\nkind = "race"\ncount = "all"', '[[fault]]\nkind = "firewall"'):
        async with running_sandbox(settings(scenario=parse_scenario(text)), keeper=Keeper(file)) as sandbox:
            (fault,) = (await kind(sandbox).show("state"))["faults"]
    assert fault["kind"] == "firewall"
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        (fault,) = (await kind(sandbox).show("state"))["faults"]
    assert fault["kind"] == "firewall"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[fault]]\nkind = "lost"\ncuont = 2\n', "fault 1, 'cuont': there is no such key"),
        ('[[fault]]\nkind = "consent_withdrawn"\ncreator = "nobody"\n', "no creator of that name"),
    ],
)
def test_a_scenario_that_is_none_is_one_line_and_exit_2(tmp_path, text, line):
    scenario = tmp_path / "flaky.toml"
    scenario.write_text(text)
    done = sandbox_process("--scenario", str(scenario))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert line in done.stderr


@asynccontextmanager
async def command(*arguments, **environment):
    """``fankeep sandbox`` as a process; gives its address and the process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fankeep", "sandbox"),
        *("--port", str(free_port()), *arguments),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        async with asyncio.timeout(60):
            line = (await process.stderr.readline()).decode()
        yield SimpleNamespace(base_url=line.removeprefix("sandbox: ").strip(), process=process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_the_command_follows_its_scenario(app, tmp_path):
    scenario = tmp_path / "flaky.toml"
    scenario.write_text('[[fault]]\ntarget = "api"\nkind = "status"\nstatus = 500\nmoment = "before"\n')
    async with command("--scenario", str(scenario)) as app.sandbox:
        assert (await app.api("GET", "/users/me", "any")).status == 500
        assert (await app.api("GET", "/users/me", "any")).status == 401


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[fault]]\nkind = "lost"\n\n[[fault]]\nkind = "slow"\n', "scenario: 2 faults armed\n"),
        ("", "scenario: no faults\n"),
    ],
)
async def test_the_command_says_how_many_faults_its_scenario_has(tmp_path, text, said):
    scenario = tmp_path / "flaky.toml"
    scenario.write_text(text)
    async with command("--scenario", str(scenario)) as sandbox:
        line = await asyncio.wait_for(sandbox.process.stderr.readline(), 60)
    assert line.decode() == said


async def test_switches_are_not_in_the_file_and_those_that_were_turned_are_shown(app, file):
    switched = settings(switches=Switches(echo_nonce=False, token_format=TokenFormat.JWT))
    async with running_sandbox(switched, keeper=Keeper(file)) as sandbox:
        state = await type(app)(sandbox).show("state")
        assert state["switches"] == {"echo_nonce": False, "token_format": "jwt"}
    async with running_sandbox(settings(), keeper=Keeper(file)) as sandbox:
        assert (await type(app)(sandbox).show("state"))["switches"] == {}


async def test_a_webhook_address_that_has_changed_takes_the_place_of_the_one_before(app, file):
    environment = {"FANKEEP_CLIENT_ID": app.client_id, "FANKEEP_CLIENT_SECRET": app.client_secret}
    arguments = ("--state", str(file.path))
    first, second = "http://localhost:1", "http://localhost:2"
    hook = "/webhooks/fanvue"
    async with command(*arguments, **environment, FANKEEP_PUBLIC_URL=first) as app.sandbox:
        (before,) = await app.show("endpoints")
        await app.control("endpoints", url="http://localhost:3/hook")
    async with command(*arguments, **environment, FANKEEP_PUBLIC_URL=second) as app.sandbox:
        line = (await asyncio.wait_for(app.sandbox.process.stderr.readline(), 60)).decode()
        registered, added = await app.show("endpoints")
    assert before["url"] == first + hook
    assert line == f"webhooks: they went to {first}{hook}, and go to {second}{hook} from now on\n"
    assert (registered["id"], registered["url"]) == (before["id"], second + hook)
    assert added["url"] == "http://localhost:3/hook"


async def test_a_sandbox_that_was_killed_goes_on_with_its_world_its_scenario_and_its_journal(
    app, file, tmp_path
):
    scenario = tmp_path / "flaky.toml"
    scenario.write_text('[[fault]]\nkind = "status"\ngrant_type = "refresh_token"\nskip = 2\n')
    arguments = ("--state", str(file.path), "--scenario", str(scenario))
    environment = {
        "FANKEEP_CLIENT_ID": app.client_id,
        "FANKEEP_CLIENT_SECRET": app.client_secret,
        "FANKEEP_PUBLIC_URL": CALLBACK.removesuffix("/auth/callback"),
    }
    async with command(*arguments, **environment) as app.sandbox:
        first = await app.connect()
        statuses = [(await app.refresh(first["refresh_token"])).status]
        app.sandbox.process.kill()
        await app.sandbox.process.wait()
    async with command(*arguments, **environment) as app.sandbox:
        statuses += [(await app.refresh(first["refresh_token"])).status for _ in range(3)]
        uses = [entry["use"] for entry in await app.show("journal?grant_type=refresh_token")]
    assert statuses == [200, 200, 503, 200]
    assert uses == [1, 2, 3, 4]
