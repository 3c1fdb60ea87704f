"""What every engine promises behind `Database`."""

import asyncio
import gc
import threading
import time
from typing import NamedTuple

import pytest

from fankeep.errors import StorageError, StorageUnavailable
from fankeep.store import Command, ConstraintViolated, Statement, erasure, open_data, users

ADD_USER = Command("INSERT INTO users (id, created_at) VALUES (:id, {now})")
ADD_SESSION = Command(
    "INSERT INTO sessions (hash, user_id, created_at, last_seen_at, mac) VALUES (:hash, :user, 0, 0, :hash)"
)
TOUCH = Command("UPDATE users SET created_at = created_at + :seconds")
COUNT = Statement("SELECT count(*) FROM users", int)
IDS = Statement("SELECT id FROM users ORDER BY id", str)
FIND = Statement("SELECT id FROM users WHERE id = :id", str)


class Age(NamedTuple):
    id: str
    seconds: float
    erased_at: float | None


AGES = Statement("SELECT id, {now} - created_at, erased_at FROM users ORDER BY id", Age)


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


class Pending:
    """Suspends, as a future of the event loop does."""

    def __await__(self):
        yield


async def count(tx):
    return await tx.one(COUNT)


def adder(user):
    async def add(tx):
        return await tx.run(ADD_USER, id=user)

    return add


async def test_a_write_is_there_for_the_next_read(database):
    assert await database.write(adder("a")) == 1
    assert await database.read(lambda tx: tx.all(IDS)) == ["a"]


async def test_rows_become_the_type_that_the_statement_names(database):
    await database.write(adder("a"))
    (row,) = await database.read(lambda tx: tx.all(AGES))
    assert isinstance(row, Age)
    assert (row.id, row.erased_at) == ("a", None)


async def test_now_is_the_databases_clock_in_seconds_as_a_float(database):
    before = time.time()
    (now,) = await database.read(lambda tx: tx.all(Statement("SELECT {now}", float)))
    assert before - 0.01 <= now <= time.time() + 0.01
    assert now != int(now) or await database.read(lambda tx: tx.one(Statement("SELECT {now}", float))) != now


async def test_no_row_is_none(database):
    assert await database.read(lambda tx: tx.one(FIND, id="nobody")) is None


async def test_one_row_was_meant_and_two_came(database):
    await database.write(lambda tx: tx.many(ADD_USER, [{"id": "a"}, {"id": "b"}]))
    with pytest.raises(ValueError, match="more than one"):
        await database.read(lambda tx: tx.one(IDS))


async def test_run_counts_the_rows_that_it_changed(database):
    await database.write(lambda tx: tx.many(ADD_USER, [{"id": "a"}, {"id": "b"}]))
    assert await database.write(lambda tx: tx.run(TOUCH, seconds=1.0)) == 2


async def test_returning_changes_every_row_that_it_matches(database):
    await database.write(lambda tx: tx.many(ADD_USER, [{"id": "a"}, {"id": "b"}]))
    erase = Statement("UPDATE users SET erased_at = {now} RETURNING id", str)
    assert sorted(await database.write(lambda tx: tx.all(erase))) == ["a", "b"]
    assert all(row.erased_at for row in await database.read(lambda tx: tx.all(AGES)))


async def test_an_exception_takes_back_everything_of_its_transaction(database):
    async def fail(tx):
        await tx.run(ADD_USER, id="a")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await database.write(fail)
    assert await database.read(count) == 0


async def test_a_broken_rule_of_the_schema_has_its_own_error_and_takes_back_everything(database):
    async def twice(tx):
        await tx.run(ADD_USER, id="a-secret-name")
        await tx.run(ADD_USER, id="a-secret-name")

    with pytest.raises(ConstraintViolated) as caught:
        await database.write(twice)
    assert "a-secret-name" not in str(caught.value)
    assert await database.read(count) == 0


async def test_a_row_without_its_user_is_refused(database):
    with pytest.raises(ConstraintViolated):
        await database.write(lambda tx: tx.run(ADD_SESSION, hash=b"h", user="nobody"))


async def test_a_statement_that_does_not_run_is_a_storage_error(database):
    with pytest.raises(StorageError, match="no_such_table"):
        await database.read(lambda tx: tx.one(Statement("SELECT 1 FROM no_such_table", int)))


async def test_a_parameter_that_is_missing_is_a_mistake(database):
    with pytest.raises(KeyError):
        await database.read(lambda tx: tx.one(FIND))


async def test_a_read_cannot_write(database):
    with pytest.raises(StorageUnavailable, match="read-only"):
        await database.read(adder("a"))
    assert await database.read(count) == 0


async def test_a_read_sees_one_snapshot_while_others_write(database, database_urls):
    def write_elsewhere():
        async def main():
            other = await open_data(database_urls.data, create=False)
            await other.write(adder("a"))
            await other.close()

        asyncio.run(main())

    async def look_twice(tx):
        before = await count(tx)
        writing = threading.Thread(target=write_elsewhere)
        writing.start()
        writing.join()
        return before, await count(tx)

    assert await database.read(look_twice) == (0, 0)
    assert await database.read(count) == 1


@pytest.mark.parametrize("foreign", [lambda: asyncio.sleep(0), lambda: asyncio.sleep(0.01), Pending])
async def test_awaiting_anything_else_inside_a_transaction_is_a_type_error_and_rolls_back(database, foreign):
    async def wander_off(tx):
        await tx.run(ADD_USER, id="a")
        await foreign()

    with pytest.raises(TypeError, match="awaited something other than a statement"):
        await database.write(wander_off)
    assert await database.read(count) == 0


async def test_what_a_closed_transaction_does_in_its_finally_reaches_nothing(database):
    async def clean_up_late(tx):
        try:
            await asyncio.sleep(0)
        finally:
            await tx.run(ADD_USER, id="late")

    with pytest.raises((TypeError, RuntimeError)):
        await database.write(clean_up_late)
    assert await database.read(count) == 0


async def test_a_transaction_kept_beyond_its_end_refuses(database):
    async def keep(tx):
        return tx

    kept = await database.write(keep)
    with pytest.raises(RuntimeError, match="has ended"):
        await kept.one(COUNT)


async def until_there(database, *users):
    async with asyncio.timeout(30):
        while await database.read(lambda tx: tx.all(IDS)) != list(users):
            await asyncio.sleep(0.01)


async def test_a_caller_that_leaves_does_not_undo_the_transaction(database):
    loop = asyncio.get_running_loop()

    async def cancelled_inside(tx):
        await tx.run(ADD_USER, id="a")
        loop.call_soon_threadsafe(leaving.cancel)
        await tx.run(ADD_USER, id="b")

    leaving = asyncio.create_task(database.write(cancelled_inside))
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await until_there(database, "a", "b")


async def test_a_caller_that_leaves_before_its_turn_does_not_undo_the_transaction(database):
    others = [asyncio.create_task(database.write(adder(f"{n:02}"))) for n in range(20)]
    leaving = asyncio.create_task(database.write(adder("a")))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await asyncio.gather(*others)
    await until_there(database, *(f"{n:02}" for n in range(20)), "a")


async def test_a_failure_of_a_transaction_whose_caller_has_left_is_not_reported_as_forgotten(
    database, caplog
):
    gc.collect()
    caplog.clear()  # of what earlier tests forgot
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    async def fail(tx):
        try:
            loop.call_soon_threadsafe(leaving.cancel)
            await tx.run(ADD_USER, id=None)
        finally:
            loop.call_soon_threadsafe(ended.set)

    leaving = asyncio.create_task(database.write(fail))
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await ended.wait()
    await database.close()
    gc.collect()
    assert caplog.records == []


@pytest.mark.usefixtures("time_to_wait")
async def test_many_writers_at_once_lose_nothing(database):
    await asyncio.gather(*(database.write(adder(f"{n:03}")) for n in range(200)))
    assert await database.read(count) == 200


async def test_close_finishes_what_was_accepted_and_refuses_what_comes(database):
    writes = [asyncio.create_task(database.write(adder(f"{n:02}"))) for n in range(20)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    assert await asyncio.gather(*writes) == [1] * 20
    await closing
    await database.close()
    for attempt in (database.write, database.read):
        with pytest.raises(StorageUnavailable, match="being closed"):
            await attempt(count)


async def test_a_creator_who_was_erased_and_connects_again_is_new_from_then_on(database):
    await database.write(lambda tx: users.add(tx, "a"))
    await database.write(lambda tx: tx.run(TOUCH, seconds=-1000))
    await database.write(lambda tx: users.add(tx, "a"))
    (again,) = await database.read(lambda tx: tx.all(AGES))
    assert again.seconds > 900

    await database.write(lambda tx: erasure.erase(tx, "a"))
    await database.write(lambda tx: users.add(tx, "a"))

    (anew,) = await database.read(lambda tx: tx.all(AGES))
    assert anew.seconds < 60
    assert anew.erased_at is None
