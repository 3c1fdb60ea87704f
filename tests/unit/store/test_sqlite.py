"""What only SQLite does: a disk that is full, another program's lock, threads that are stuck."""

import asyncio
import fcntl
import threading
import time

import apsw
import pytest

from fankeep.errors import StorageUnavailable
from fankeep.store import Command, Statement, open_data

ADD_USER = Command("INSERT INTO users (id, created_at) VALUES (:id, {now})")
IDS = Statement("SELECT id FROM users", str)


@pytest.fixture
async def database(tmp_path):
    opened = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    yield opened
    await opened.close()


async def test_a_full_disk_is_told_changes_nothing_and_passes(database):
    pages = await database.write(lambda tx: tx.one(Statement("PRAGMA page_count", int)))
    await database.write(lambda tx: tx.one(Statement(f"PRAGMA max_page_count = {pages}", int)))
    with pytest.raises(StorageUnavailable, match="full"):
        await database.write(lambda tx: tx.run(ADD_USER, id="x" * 100_000))
    assert await database.read(lambda tx: tx.all(IDS)) == []
    await database.write(lambda tx: tx.one(Statement("PRAGMA max_page_count = 100000", int)))
    assert await database.write(lambda tx: tx.run(ADD_USER, id="a")) == 1


async def test_a_program_that_keeps_the_database_locked_is_waited_for_and_then_told(database, tmp_path):
    await database.write(lambda tx: tx.one(Statement("PRAGMA busy_timeout = 50", int)))
    other = apsw.Connection(str(tmp_path / "data.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked"):
        await database.write(lambda tx: tx.run(ADD_USER, id="a"))
    assert await database.read(lambda tx: tx.all(IDS)) == []
    other.execute("ROLLBACK")
    assert await database.write(lambda tx: tx.run(ADD_USER, id="a")) == 1
    other.close()


async def test_close_does_not_wait_for_ever_behind_a_process_that_hangs(tmp_path, monkeypatch):
    database = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    monkeypatch.setattr("fankeep.store.sqlite._CLOSE_LIMIT", 0.1)
    monkeypatch.setattr("fankeep.store.sqlite._START_LIMIT", 0.1)
    with (tmp_path / "data.db-turn").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with pytest.raises(StorageUnavailable, match="busy"):
            await database.write(lambda tx: tx.run(ADD_USER, id="a"))
        begin = time.monotonic()
        await database.close()
        assert time.monotonic() - begin < 30


async def test_a_reader_and_a_writer_do_not_wait_for_each_other(database):
    await database.write(lambda tx: tx.run(ADD_USER, id="a"))
    inside, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    async def slow(tx):
        await tx.run(ADD_USER, id="b")
        loop.call_soon_threadsafe(inside.set)
        assert release.wait(30)

    writing = asyncio.create_task(database.write(slow))
    await inside.wait()
    try:
        assert await database.read(lambda tx: tx.all(IDS)) == ["a"]
    finally:
        release.set()
    await writing
