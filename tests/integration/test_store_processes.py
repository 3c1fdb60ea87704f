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

turns, entries, name = Turnstile(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
entered = ""
while len(entered) < 500:
    with turns:
        entered = entries.read_text() + name
        entries.write_text(entered)
        time.sleep(0.005)
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
    assert await asyncio.wait_for(waiting, 30) == 1
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
    # Not from `communicate`, which knows nothing of what `readline` has read ahead.
    outputs = [await asyncio.to_thread(writer.stdout.read) for writer in writers]
    for writer in writers:
        writer.communicate()
    acknowledged = {line for output in outputs for line in output.split("\n")[:-1]}
    assert acknowledged
    assert acknowledged <= await stored(url)


async def test_no_process_starves_another_that_wants_the_same_lock(tmp_path):
    entries = tmp_path / "entries"
    entries.touch()
    contenders = [start(TAKES_TURNS, f"{tmp_path}/data.db", str(entries), name) for name in "abc"]
    for contender in contenders:
        await asyncio.to_thread(contender.stdout.readline)
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    for contender in contenders:
        await asyncio.to_thread(contender.communicate)
    entered = entries.read_text()[:500]  # a stall of whoever is inside costs nobody anything
    counts = [entered.count(name) for name in "abc"]
    assert min(counts) > 20
    assert min(counts) > max(counts) / 3


async def test_a_writer_that_does_not_get_its_turn_is_told_and_its_work_never_runs(url, monkeypatch):
    database = await open_data(url, create=True)
    hanging = start(HANGS_INSIDE, url)
    assert await asyncio.to_thread(hanging.stdout.readline) == "inside\n"
    started = time.monotonic()
    with monkeypatch.context() as impatient:
        impatient.setattr("fankeep.store.sqlite._START_LIMIT", 0.2)
        with pytest.raises(Exception, match="busy") as caught:
            await database.write(lambda tx: tx.run(ADD_USER, id="too-late"))
    assert caught.value.code == "storage_unavailable"
    assert time.monotonic() - started < 30  # the other one is inside for ten minutes
    hanging.kill()
    hanging.communicate()
    assert await database.write(lambda tx: tx.run(ADD_USER, id="later")) == 1
    assert await database.read(lambda tx: tx.all(IDS)) == ["later"]
    await database.close()
