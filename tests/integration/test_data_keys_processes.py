"""Several real processes over one key database."""

import asyncio
import sys

from fankeep.datakeys import open_data_keys
from fankeep.kms import create_key_file, from_setting
from fankeep.sealing import parse_sealed
from fankeep.store import open_keys

PROCESSES = 4
USERS = 12

# Each process opens the same new database, so even the root is raced for, and then seals for every user.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from fankeep.datakeys import open_data_keys
from fankeep.kms import from_setting
from fankeep.store import open_keys

async def main(folder, users):
    database = await open_keys(f"sqlite:///{folder}/keys.db", create=True)
    keys = await open_data_keys(
        database, from_setting(f"file:{folder}/kek.json"), installation_id="a" * 32
    )
    print("ready", flush=True)
    sys.stdin.readline()
    for user in range(users):
        await keys.ensure(f"user-{user}")
        place = keys.context(user=f"user-{user}", table="grants", record="1", field="refresh")
        print((await keys.seal(place, b"token")).hex(), flush=True)
    print(keys.installation.key("sessions").reveal().hex(), flush=True)
    await database.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def start(folder):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        folder,
        str(USERS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_processes_that_race_for_a_users_key_end_up_with_one(tmp_path):
    create_key_file(tmp_path / "kek.json")
    processes = await asyncio.gather(*(start(tmp_path) for _ in range(PROCESSES)))
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES

    lines = [output.decode().split() for output, _ in outputs]
    by_user = [[bytes.fromhex(line) for line in column] for column in zip(*lines, strict=True)]
    roots = by_user.pop()
    assert len(set(roots)) == 1
    assert len(by_user) == USERS

    database = await open_keys(f"sqlite:///{tmp_path}/keys.db", create=False)
    keys = await open_data_keys(database, from_setting(f"file:{tmp_path}/kek.json"), installation_id="a" * 32)
    for user, values in enumerate(by_user):
        assert len({parse_sealed(value).key_id for value in values}) == 1
        place = keys.context(user=f"user-{user}", table="grants", record="1", field="refresh")
        assert [await keys.open(place, value) for value in values] == [b"token"] * PROCESSES
    await database.close()
