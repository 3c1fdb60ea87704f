import asyncio

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.instances import LIVING_SECONDS, Instances, Loaded, instances
from fankeep.store import Command, open_data

OLD = Loaded(frozenset({"kek-a"}), frozenset({"client-secret"}))
NEW = Loaded(frozenset({"kek-a", "kek-b"}), frozenset({"old", "new"}))
SET_SEEN = Command("UPDATE instances SET seen_at = {now} + :shift")


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


@pytest.fixture
async def start(database):
    started = []

    async def begin(loaded):
        instance = Instances(database)
        started.append(instance)
        await instance.start(loaded if callable(loaded) else lambda: loaded)
        return instance

    yield begin
    for instance in started:
        await instance.close()


async def test_nobody_lives_on_a_new_database(database):
    assert await Instances(database).living() == []
    assert await Instances(database).lacking("kek-a") == []


async def test_a_started_replica_is_seen_with_what_it_holds(database, start):
    await start(NEW)
    (seen,) = await Instances(database).living()
    assert seen.loaded == NEW
    # PostgreSQL reads its clock for each column, and between two of them the process may have to wait.
    assert 0 <= seen.unseen_for <= seen.age + 1
    assert seen.age < LIVING_SECONDS
    assert seen.place.rpartition("/")[2].isdigit()


async def test_those_that_lack_a_key_are_named(database, start):
    await start(OLD)
    await start(NEW)
    asking = Instances(database)
    assert await asking.lacking("kek-a") == []
    assert [instance.loaded for instance in await asking.lacking("kek-b")] == [OLD]
    assert len(await asking.lacking("kek-c")) == 2


async def test_what_is_loaded_later_is_seen_with_the_next_sign_of_life(database, start, monkeypatch):
    monkeypatch.setattr(instances, "_SIGN_OF_LIFE", 0.01)
    held = [OLD]
    await start(lambda: held[0])
    assert len(await Instances(database).lacking("kek-b")) == 1
    held[0] = NEW
    async with asyncio.timeout(30):
        while await Instances(database).lacking("kek-b"):
            await asyncio.sleep(0.01)


async def test_a_replica_that_stops_is_gone_at_once(database, start):
    stopping = await start(OLD)
    await start(NEW)
    await stopping.close()
    await stopping.close()
    assert [instance.loaded for instance in await Instances(database).living()] == [NEW]


@pytest.mark.parametrize("shift", [-LIVING_SECONDS - 1, LIVING_SECONDS + 1])
async def test_one_that_was_not_seen_for_long_or_in_another_time_does_not_live(database, start, shift):
    await start(OLD)
    await database.write(lambda tx: tx.run(SET_SEEN, shift=shift))
    assert await Instances(database).living() == []


async def test_the_forgotten_one_comes_back_with_its_next_sign_of_life(database, start, monkeypatch):
    monkeypatch.setattr(instances, "_SIGN_OF_LIFE", 0.2)
    await start(OLD)
    await database.write(lambda tx: tx.run(SET_SEEN, shift=-2 * LIVING_SECONDS))
    await start(NEW)
    async with asyncio.timeout(30):
        while len(await Instances(database).living()) < 2:
            await asyncio.sleep(0.01)


async def test_a_database_that_fails_for_a_while_ends_no_heartbeat(database, start, monkeypatch):
    monkeypatch.setattr(instances, "_SIGN_OF_LIFE", 0.01)
    failing = asyncio.Event()

    class Failing:
        async def write(self, work):
            if not failing.is_set():
                failing.set()
                raise StorageUnavailable
            return await database.write(work)

    instance = await start(OLD)
    instance._database = Failing()
    await database.write(lambda tx: tx.run(SET_SEEN, shift=-2 * LIVING_SECONDS))
    async with asyncio.timeout(30):
        await failing.wait()
        while not await Instances(database).living():
            await asyncio.sleep(0.01)


async def test_a_replica_is_started_once(start):
    instance = await start(OLD)
    with pytest.raises(TypeError, match="started before"):
        await instance.start(lambda: OLD)
