"""Several real processes on one SQLite file."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from fankeep.store import Command, Statement, open_data

ADD_USER = Command("INSERT INTO users (id, created_at) VALUES (:id, {now})")
IDS = Statement("SELECT id FROM users", str)

WRITES = """
import asyncio, sys
from fankeep.store import Command, open_data

ADD_USER = Command("INSERT INTO users (id, created_at) VALUES (:id, {now})")

async def main(url, name, times):
    database = await open_data(url, create=True)
    for number in range(int(times)):
        user = f"{name}-{number}"
        await database.write(lambda tx: tx.run(ADD_USER, id=user))
        print(user, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""

HANGS_INSIDE = """
import asyncio, sys, time
from fankeep.store import Command, open_data

ADD_USER = Command("INSERT INTO users (id, created_at) VALUES (:id, {now})")

async def hang(tx):
    await tx.run(ADD_USER, id="never")
    print("inside", flush=True)
    time.sleep(600)

async def main(url):
    database = await open_data(url, create=True)
    await database.write(hang)

asyncio.run(main(*sys.argv[1:]))
"""

TAKES_TURNS = """
import sys, time
from pathlib import Path
from fankeep.store.turnstile import Turnstile

turns, entered = Turnstile(Path(sys.argv[1])), 0
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + 1.0
while time.monotonic() < end:
    with turns:
        entered += 1
        time.sleep(0.002)
print(entered, flush=True)
"""


def start(program, *arguments):
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/data.db"


async def stored(url):
    database = await open_data(url, create=False)
    try:
        return set(await database.read(lambda tx: tx.all(IDS)))
    finally:
        await database.close()


async def test_processes_that_start_and_write_at_once_lose_nothing(url):
    writers = [start(WRITES, url, f"w{n}", "40") for n in range(4)]
    outputs = [await asyncio.to_thread(writer.communicate) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    acknowledged = {line for output, _ in outputs for line in output.split()}
    assert len(acknowledged) == 160
    assert await stored(url) == acknowledged


async def test_a_process_killed_inside_a_transaction_leaves_no_trace_and_blocks_nobody(url):
    database = await open_data(url, create=True)
    hanging = start(HANGS_INSIDE, url)
    assert await asyncio.to_thread(hanging.stdout.readline) == "inside\n"
    waiting = asyncio.create_task(database.write(lambda tx: tx.run(ADD_USER, id="mine")))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    hanging.kill()
    hanging.communicate()
    assert await asyncio.wait_for(waiting, 4) == 1
    assert await database.read(lambda tx: tx.all(IDS)) == ["mine"]
    await database.close()


async def test_what_killed_writers_were_told_is_committed_is_there(url):
    await (await open_data(url, create=True)).close()
    writers = [start(WRITES, url, f"w{n}", "100000") for n in range(3)]
    for writer in writers:
        await asyncio.to_thread(writer.stdout.readline)
    await asyncio.sleep(0.3)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    outputs = [await asyncio.to_thread(writer.communicate) for writer in writers]
    acknowledged = {line for output, _ in outputs for line in output.split("\n")[:-1]}
    assert acknowledged
    assert acknowledged <= await stored(url)


async def test_no_process_starves_another_that_wants_the_same_lock(tmp_path):
    contenders = [start(TAKES_TURNS, f"{tmp_path}/data.db") for _ in range(3)]
    for contender in contenders:
        await asyncio.to_thread(contender.stdout.readline)
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    outputs = [await asyncio.to_thread(contender.communicate) for contender in contenders]
    counts = [int(output) for output, _ in outputs]
    assert min(counts) > 20
    assert min(counts) > max(counts) / 3


async def test_a_writer_that_does_not_get_its_turn_is_told_and_its_work_never_runs(url, monkeypatch):
    monkeypatch.setattr("fankeep.store.sqlite._START_LIMIT", 0.2)
    database = await open_data(url, create=True)
    hanging = start(HANGS_INSIDE, url)
    assert await asyncio.to_thread(hanging.stdout.readline) == "inside\n"
    started = time.monotonic()
    with pytest.raises(Exception, match="busy") as caught:
        await database.write(lambda tx: tx.run(ADD_USER, id="too-late"))
    assert caught.value.code == "storage_unavailable"
    assert time.monotonic() - started < 2
    hanging.kill()
    hanging.communicate()
    assert await database.write(lambda tx: tx.run(ADD_USER, id="later")) == 1
    assert await database.read(lambda tx: tx.all(IDS)) == ["later"]
    await database.close()
