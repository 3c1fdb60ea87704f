"""Key-encryption keys are rotated by commands while a replica goes on, and whatever interrupts a command."""

import asyncio
import json
import os
import signal
import sys

import pytest
from click.testing import CliRunner

from fankeep import Keep, Settings
from fankeep.cli.keys import command
from fankeep.datakeys import open_data_keys
from fankeep.kms import from_setting
from fankeep.store import data_keys, installation, key_encryption_keys, open_keys

SECONDS = 60
SECRET = "0123456789abcdef" * 4


class House:
    """An installation in a folder: commands run as processes of their own, the replica in this one."""

    def __init__(self, folder):
        self.folder = folder
        self.settings = {
            "env": "development",
            "public_url": "http://localhost:8080",
            "client_id": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            "client_secret": SECRET,
            "webhook_secrets": f"main=whsec_{SECRET}",
            "issuer_url": "http://127.0.0.1:9",
            "api_url": "http://127.0.0.1:9",
            "operations": "getCurrentUser",
            "database_url": f"sqlite:///{folder}/data.db",
            "keys_database_url": f"sqlite:///{folder}/keys.db",
            "keys": f"file:{folder}/kek.json",
        }

    def replica(self, **changes):
        return Keep(Settings(**{**self.settings, **changes}))

    async def start(self, *arguments, **changes):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        given = {f"FANKEEP_{name.upper()}": value for name, value in {**self.settings, **changes}.items()}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fankeep", "keys", *arguments),
            env=clean | given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments, **changes):
        """Run a command to its end: exit code, JSON or text of stdout, stderr."""
        process = await self.start(*arguments, **changes)
        async with asyncio.timeout(SECONDS):
            output, errors = await process.communicate()
        text = output.decode()
        return (
            process.returncode,
            json.loads(text) if "--json" in arguments and text else text,
            errors.decode(),
        )

    async def add(self):
        code, answer, errors = await self.run("add", "--file", f"{self.folder}/kek.json", "--json")
        assert (code, errors) == (0, "")
        return answer["key_id"]

    async def under(self):
        database = await open_keys(self.settings["keys_database_url"], create=False)
        try:
            rows = await database.read(key_encryption_keys.all_known)
        finally:
            await database.close()
        return {row.id: (row.state, row.data_keys) for row in rows}

    async def all_open(self, sealed, key_id):
        """Open every value with one key-encryption key and no other."""
        path = self.folder / "only.json"
        path.write_text(json.dumps({"keys": {key_id: self.file()[key_id]}}))
        path.chmod(0o600)
        database = await open_keys(self.settings["keys_database_url"], create=False)
        try:
            known = await database.read(installation.load)
            keys = await open_data_keys(database, from_setting(f"file:{path}"), installation_id=known)
            return [await keys.open(place(keys, user), value) for user, value in sealed.items()] == [
                user.encode() for user in sealed
            ]
        finally:
            await database.close()

    def file(self):
        return json.loads((self.folder / "kek.json").read_text())["keys"]


def place(keys, user):
    return keys.context(user=user, table="grants", record="1", field="refresh")


async def fill(keep, count):
    keys = keep._services.datakeys
    sealed = {}
    for number in range(count):
        await keys.ensure(f"user-{number}")
        sealed[f"user-{number}"] = await keys.seal(place(keys, f"user-{number}"), f"user-{number}".encode())
    return sealed


async def opened(keep, sealed):
    keys = keep._services.datakeys
    return [await keys.open(place(keys, user), value) for user, value in sealed.items()]


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "house"
    folder.mkdir(mode=0o700)
    return House(folder)


async def test_a_rotation_step_by_step_while_a_replica_goes_on(house):
    old = await house.add()
    async with house.replica() as keep:
        sealed = await fill(keep, 12)
        new = await house.add()

        code, _, errors = await house.run("promote", new)
        assert code == 2
        assert f"1 living replicas lack the key {new}" in errors
        assert str(os.getpid()) in errors
        assert await house.under() == {old: ("primary", 13)}

    async with house.replica() as keep:
        assert await house.run("promote", new, "--json") == (0, {"primary": new, "lacking": []}, "")
        await keep._services.datakeys.ensure("somebody-new")
        assert await house.under() == {old: ("former", 13), new: ("primary", 1)}

        code, _, errors = await house.run("retire", old)
        assert (code, f"{old} still wraps 13 data keys" in errors) == (2, True)

        rewrapping = asyncio.create_task(house.run("rewrap", "--rate", "40", "--json"))
        while not rewrapping.done():
            assert await opened(keep, sealed) == [user.encode() for user in sealed]
            keep._services.datakeys._ring._forget("user-3")  # so that its row is read again
            await asyncio.sleep(0.01)
        code, answer, errors = await rewrapping
        assert (code, errors) == (0, "")
        assert answer == {"primary": new, "rewrapped": 13, "left": 0, "damaged": []}

        code, status, _ = await house.run("status", "--json")
        assert [(key["id"], key["state"], key["data_keys"]) for key in status["keys"]] == [
            (old, "former", 0),
            (new, "primary", 14),
        ]
        assert await house.run("retire", old, "--file", f"{house.folder}/kek.json", "--json") == (
            0,
            {"retired": old, "file": f"{house.folder}/kek.json"},
            "",
        )
        assert list(house.file()) == [new]
    async with house.replica() as keep:
        assert await opened(keep, sealed) == [user.encode() for user in sealed]


async def test_a_rewrapping_that_was_killed_in_the_middle_goes_on_and_loses_nothing(house):
    old = await house.add()
    async with house.replica() as keep:
        sealed = await fill(keep, 150)
    new = await house.add()
    assert (await house.run("promote", new))[0] == 0

    process = await house.start("rewrap", "--rate", "10")
    async with asyncio.timeout(SECONDS):
        while (await house.under())[new][1] < 10:
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    states = await house.under()
    assert states[old][1] > 0
    assert states[old][1] + states[new][1] == 151
    async with house.replica() as keep:
        assert await opened(keep, sealed) == [user.encode() for user in sealed]

    code, answer, errors = await house.run("rewrap", "--rate", "100000", "--json")
    assert (code, errors) == (0, "")
    assert (answer["rewrapped"], answer["left"]) == (states[old][1], 0)
    assert await house.under() == {old: ("former", 0), new: ("primary", 151)}
    assert await house.all_open(sealed, new)


async def test_after_a_leak_everybody_has_a_new_data_key(house):
    old = await house.add()
    async with house.replica() as keep:
        sealed = await fill(keep, 5)
    new = await house.add()
    code, answer, errors = await house.run("compromise", old, "--json")
    assert (code, errors) == (0, "")
    assert answer["rewrap"]["left"] == answer["reseal"]["left"] == 0
    assert answer["renewed"] == 5
    assert (await house.under())[old] == ("compromised", 0)
    assert await house.all_open(sealed, new)
    code, _, errors = await house.run("promote", old)
    assert (code, "out of use for good" in errors) == (2, True)


async def test_commands_say_which_key_is_missing_and_change_nothing(house):
    await house.add()
    async with house.replica() as keep:
        await fill(keep, 2)
    kept = house.file()
    (old,) = kept
    (house.folder / "kek.json").unlink()
    new = await house.add()
    before = (house.folder / "keys.db").read_bytes()
    for arguments in (["status"], ["promote", new], ["rewrap"], ["retire", old], ["compromise", old]):
        code, _, errors = await house.run(*arguments)
        assert (code, errors.count("\n")) == (2, 1), errors
        assert old in errors
    assert (house.folder / "keys.db").read_bytes() == before


async def test_a_data_key_that_does_not_open_makes_the_rewrapping_fail_and_is_named(house):
    old = await house.add()
    async with house.replica() as keep:
        await fill(keep, 3)
    database = await open_keys(house.settings["keys_database_url"], create=False)
    row = await database.read(lambda tx: data_keys.load_active(tx, "user-1"))
    damaged = data_keys.Rewrapped(row.id, bytes(61), row.wrapped)
    await database.write(lambda tx: data_keys.rewrap(tx, old, [damaged]))
    await database.close()
    assert (await house.run("promote", await house.add()))[0] == 0

    code, answer, errors = await house.run("rewrap", "--json")

    assert (code, answer["left"], answer["damaged"]) == (1, 1, [row.id]), errors
    assert f"{row.id} does not open" in errors


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_explains_itself_with_an_example(name):
    shown = CliRunner().invoke(command, [name, "--help"])
    assert shown.exit_code == 0
    assert f"fankeep keys {name}" in shown.output
    assert "--json" in shown.output
