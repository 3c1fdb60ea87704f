"""What happens when server, connection or pooler fail, and that it is over when they are back."""

import asyncio
import re

import asyncpg
import pytest

from fankeep.errors import StorageUnavailable
from fankeep.store import Command, Statement, open_data, users
from fankeep.store import postgresql as driver

COUNT = Statement("SELECT count(*) FROM users", int)
BACKEND = Statement("SELECT pg_backend_pid()", int)
SLOW = Statement("SELECT 1 FROM pg_sleep(60)", int)
TOUCH = Command("UPDATE users SET created_at = created_at + 1")


def adder(user):
    async def add(tx):
        await users.add(tx, user)
        return True

    return add


async def count(tx):
    return await tx.one(COUNT)


async def until_it_works(work):
    async with asyncio.timeout(60):
        while True:
            try:
                return await work()
            except StorageUnavailable:
                await asyncio.sleep(0.05)


@pytest.fixture
async def database(postgresql_urls):
    opened = await open_data(postgresql_urls.data, create=False)
    yield opened
    await opened.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_a_server_that_was_away_is_found_again_with_everything_that_was_committed(own_server, way):
    database = await open_data(own_server.url("postgres"), create=True)
    before = await database.read(count)
    await database.write(adder(f"before-{way}"))
    getattr(own_server, way)()
    with pytest.raises(StorageUnavailable) as told:
        await database.read(count)
    assert not told.value.outcome_unknown
    own_server.start()
    assert await until_it_works(lambda: database.read(count)) == before + 1
    assert await database.write(adder(f"after-{way}"))
    await database.close()


async def test_a_connection_that_is_lost_inside_a_transaction_takes_it_back(database, postgresql_urls):
    async def cut_myself_off(tx):
        await users.add(tx, "lost")
        pid = await tx.one(BACKEND)
        await tx.one(Statement("SELECT pg_terminate_backend(:pid)", bool), pid=pid)

    with pytest.raises(StorageUnavailable) as told:
        await database.write(cut_myself_off)
    assert not told.value.outcome_unknown
    assert await database.read(count) == 0


@pytest.mark.parametrize(("cutting", "stored"), [("after", 1), ("before", 0)])
async def test_a_commit_without_an_answer_may_have_happened_and_says_so(
    network, postgresql, postgresql_urls, cutting, stored
):
    through = postgresql_urls.data.replace(f":{postgresql.port}", f":{network.port}")
    database = await open_data(through, create=False)
    await database.read(count)
    network.cutting = cutting
    with pytest.raises(StorageUnavailable) as told:
        await database.write(adder("who-knows"))
    assert told.value.outcome_unknown
    assert await database.read(count) == stored
    await database.close()


async def test_a_row_that_another_transaction_holds_is_waited_for_and_not_for_ever(database, postgresql_urls):
    await database.write(adder("held"))
    holder = await asyncpg.connect(postgresql_urls.data)
    await holder.execute("BEGIN; UPDATE users SET created_at = 0")
    with pytest.raises(StorageUnavailable, match="busy"):
        await database.write(lambda tx: tx.run(TOUCH))
    await holder.execute("COMMIT")
    await holder.close()
    assert await database.write(lambda tx: tx.run(TOUCH)) == 1


async def test_a_statement_that_takes_too_long_is_ended(database):
    with pytest.raises(StorageUnavailable, match="busy"):
        await database.read(lambda tx: tx.one(SLOW))
    assert await database.read(count) == 0


async def test_through_a_pooler_in_transaction_mode_everything_works(pgbouncer, postgresql, postgresql_urls):
    through = postgresql_urls.data.replace(f":{postgresql.port}", f":{pgbouncer}")
    replicas = [await open_data(through, create=False) for _ in range(3)]
    # More clients than connections to the server, each statement many times: none finds another one's plan.
    for turn in range(5):
        await asyncio.gather(
            *(
                replica.write(adder(f"{turn}-{number}-{n}"))
                for number, replica in enumerate(replicas)
                for n in range(8)
            )
        )
        assert {await replica.read(count) for replica in replicas} == {24 * (turn + 1)}
    backends = await asyncio.gather(*(replica.read(lambda tx: tx.one(BACKEND)) for replica in replicas * 8))
    assert len(set(backends)) <= 2
    for replica in replicas:
        await replica.close()


async def test_who_holds_deliveries_up_gives_way_when_a_process_was_halted_while_it_stored_one(
    database, postgresql_urls, monkeypatch
):
    slower = {who: re.sub(r"\d+", _three_times, begin) for who, begin in driver._WRITE_BESIDE.items()}
    monkeypatch.setattr(driver, "_WRITE_BESIDE", slower)  # one second between the two limits is too near
    halted = await asyncpg.connect(postgresql_urls.data)
    await halted.execute("BEGIN; LOCK TABLE creator_families IN ROW SHARE MODE")
    holding_up = asyncio.create_task(database.write(adder("a"), deliveries="held_up"))
    await until_somebody_waits(halted)

    assert await database.write(adder("b"), deliveries="stored")
    with pytest.raises(StorageUnavailable):
        await holding_up

    await halted.close()
    assert await database.write(adder("c"), deliveries="held_up")
    assert await database.read(count) == 2


def _three_times(number):
    return str(3 * int(number[0]))


async def until_somebody_waits(connection):
    async with asyncio.timeout(20):
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
