"""Several processes accept and handle on one database, and die at it."""

import asyncio
import json
import secrets
import subprocess
import sys
import time

import pytest

from fankeep.datakeys import open_data_keys
from fankeep.kms import create_key_file, from_setting
from fankeep.store import Command, Statement, installation, open_data, open_keys, users

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
STATES = Statement("SELECT state FROM events", str)
EFFECTS = Statement("SELECT id FROM effects", str)
EFFECTS_IN_ORDER = Statement("SELECT id FROM effects ORDER BY rowid", str)
STORED = Statement("SELECT lower(hex(digest)) FROM events ORDER BY seq", str)
CREATE_EFFECTS = Command("CREATE TABLE effects (id TEXT) STRICT")

ROOM = f"""
import asyncio, json, sys, time
from pathlib import Path
from fankeep.datakeys import open_data_keys
from fankeep.fanvue import sign_webhook, verify_webhook
from fankeep.inbox import DatabaseLog, Dispatcher, Inbox
from fankeep.kms import from_setting
from fankeep.store import Command, installation, open_data, open_keys

SECRET = "whsec_" + "a1" * 32

async def room(folder, *, ordered=False):
    folder = Path(folder)
    data = await open_data(f"sqlite:///{{folder}}/data.db", create=False)
    keys = await open_keys(f"sqlite:///{{folder}}/keys.db", create=False)
    identifier = await data.read(installation.load)
    kms = from_setting("file:" + str(folder / "kek.json"))
    return DatabaseLog(data, ordered=ordered), await open_data_keys(keys, kms, installation_id=identifier)

def delivery(number):
    data = {{"uuid": "11111111-1111-4111-8111-111111111111", "creator": {{"uuid": "{CREATOR}"}}}}
    body = json.dumps({{"id": f"evt_{{number}}", "type": "creator.message.received", "data": data}}).encode()
    now = time.time()
    return verify_webhook(body, sign_webhook(body, SECRET, timestamp=int(now)), SECRET, now=now)
"""

ACCEPTS = (
    ROOM
    + """
async def main(folder, times):
    inbox = Inbox(*await room(folder), stored=list)
    print("ready", flush=True)
    sys.stdin.readline()

    async def one(number):
        accepted = await inbox.accept(delivery(number))
        print(json.dumps([number, accepted.event_id, accepted.duplicate]), flush=True)

    for start in range(0, int(times), 20):
        await asyncio.gather(*(one(number) for number in range(start, start + 20) for _ in range(2)))

asyncio.run(main(*sys.argv[1:]))
"""
)

HANDLES = (
    ROOM
    + """
ADD = Command("INSERT INTO effects (id) VALUES (:id)")

class Effects:
    async def prepare(self, event):
        await asyncio.sleep(0.002)
        return event.id

    async def apply(self, tx, prepared):
        await tx.run(ADD, id=prepared)

async def main(folder, order="any"):
    # The claims of a killed process end after a second; a handler on a busy machine has longer.
    import fankeep.inbox.dispatch
    fankeep.inbox.dispatch._LEASE_MARGIN = -29.0
    log, keys = await room(folder, ordered=order == "creator")
    dispatcher = Dispatcher(log, keys, concurrency=4, timeout=30.0, poll=0.02)
    dispatcher.on("*")(Effects())
    print("ready", flush=True)
    await dispatcher.run()

asyncio.run(main(*sys.argv[1:]))
"""
)


def start(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process):
    process.kill()
    process.communicate()


@pytest.fixture
async def folder(tmp_path):
    create_key_file(tmp_path / "kek.json")
    database = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    keys_database = await open_keys(f"sqlite:///{tmp_path}/keys.db", create=True)
    identifier = await database.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    kms = from_setting(f"file:{tmp_path}/kek.json")
    keys = await open_data_keys(keys_database, kms, installation_id=identifier)
    await database.write(lambda tx: users.add(tx, CREATOR))
    await database.write(lambda tx: tx.run(CREATE_EFFECTS))
    await keys.ensure(CREATOR)
    await keys_database.close()
    await database.close()
    return tmp_path


async def select(folder, statement):
    database = await open_data(f"sqlite:///{folder}/data.db", create=False)
    try:
        return await database.read(lambda tx: tx.all(statement))
    finally:
        await database.close()


async def begin(processes):
    for process in processes:
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


async def test_two_processes_that_get_the_same_deliveries_store_each_event_once(folder):
    processes = [start(ACCEPTS, folder, 100) for _ in range(2)]
    await begin(processes)
    outputs = [await asyncio.to_thread(process.communicate) for process in processes]
    results = [json.loads(line) for output, _ in outputs for line in output.splitlines()]
    assert len(results) == 400
    first_times = [number for number, _, duplicate in results if not duplicate]
    assert sorted(first_times) == list(range(100))
    assert len({(number, event_id) for number, event_id, _ in results}) == 100
    assert len(await select(folder, STATES)) == 100


async def test_what_a_process_acknowledged_before_it_was_killed_is_handled_by_another(folder):
    accepting = start(ACCEPTS, folder, 100_000)
    await begin([accepting])
    first = [await asyncio.to_thread(accepting.stdout.readline) for _ in range(50)]
    accepting.kill()
    # Not from `communicate`, which knows nothing of what `readline` has read ahead.
    rest = await asyncio.to_thread(accepting.stdout.read)
    finish(accepting)
    acknowledged = {json.loads(line)[1] for line in (*first, *rest.split("\n")[:-1])}
    stored = await select(folder, STATES)
    assert len(stored) >= len(acknowledged) >= 20
    assert set(stored) == {"pending"}

    handling = start(HANDLES, folder)
    await all_handled(folder)
    finish(handling)
    effects = await select(folder, EFFECTS)
    assert len(effects) == len(set(effects)) == len(stored)
    assert acknowledged <= set(effects)


async def test_every_effect_happens_once_while_handling_processes_are_killed(folder):
    accepting = start(ACCEPTS, folder, 400)
    await begin([accepting])
    await asyncio.to_thread(accepting.communicate)
    for _ in range(5):
        handling = [start(HANDLES, folder) for _ in range(2)]
        for process in handling:
            assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
        await asyncio.sleep(0.05)
        for process in handling:
            finish(process)
    last = start(HANDLES, folder)
    await all_handled(folder)
    finish(last)
    effects = await select(folder, EFFECTS)
    assert len(effects) == len(set(effects)) == 400


async def test_a_creators_effects_stay_in_order_while_handling_processes_are_killed(folder):
    accepting = start(ACCEPTS, folder, 60)
    await begin([accepting])
    await asyncio.to_thread(accepting.communicate)
    for _ in range(2):
        handling = [start(HANDLES, folder, "creator") for _ in range(2)]
        for process in handling:
            assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
        await asyncio.sleep(0.1)
        for process in handling:
            finish(process)
    last = [start(HANDLES, folder, "creator") for _ in range(2)]
    await all_handled(folder)
    for process in last:
        finish(process)
    assert await select(folder, EFFECTS_IN_ORDER) == await select(folder, STORED)
    assert len(await select(folder, STORED)) == 60


async def all_handled(folder, *, seconds=120.0):
    end = time.monotonic() + seconds
    while set(await select(folder, STATES)) != {"handled"}:
        assert time.monotonic() < end, "events were not handled in time"
        await asyncio.sleep(0.05)
