"""How events grow old, on both engines."""

import asyncio

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.inbox import DatabaseLog
from fankeep.privacy.retention import Expired, Retention
from fankeep.store import Command, Statement, deletions, open_data, trail, users
from fankeep.store import retention as statements
from fankeep.store.events import NewEvent, Settlement
from fankeep.telemetry.metrics import REGISTRY

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
DAY = 86_400.0
AGED = Command("UPDATE events SET received_at = received_at - :seconds WHERE seq = :seq")
FORGOTTEN = Statement("SELECT count(*) FROM deleted_messages", int)
EMPTIED = Command("UPDATE events SET payload = NULL WHERE seq < 8")
BESIDE = Command("UPDATE events SET payload = digest WHERE payload IS NULL")
DELETED_LONG_AGO = Command("UPDATE deleted_messages SET deleted_at = deleted_at - :seconds")
LEFT = Statement(
    "SELECT seq, payload IS NOT NULL, fan_index IS NOT NULL FROM events ORDER BY seq",
    lambda seq, payload, fan: (seq, bool(payload), bool(fan)),
)


@pytest.fixture
async def data(database_urls):
    opened = await open_data(database_urls.data, create=True)
    await opened.write(lambda tx: users.add(tx, CREATOR))
    yield opened
    await opened.close()


def retention(data, **more):
    return Retention(data, payloads_days=7, events_days=30, **more)


def event(number, **more):
    values = {"family": "creator", "type": "a.b", "creator": CREATOR, "secret_name": "s"}
    kept = {"payload": b"sealed", "fan_index": b"f" * 16, "message_index": bytes([number]) * 16}
    return NewEvent(number.to_bytes(16), **values | kept | more)


async def store(data, *days):
    """Store one event for each number of days that it is old."""
    await DatabaseLog(data).add([event(number) for number, _ in enumerate(days)], modern=[])
    for seq, age in enumerate(days, start=1):
        await data.write(lambda tx, seq=seq, age=age: tx.run(AGED, seq=seq, seconds=age * DAY))


async def left(data):
    return await data.read(lambda tx: tx.all(LEFT))


async def lines(data):
    return await data.read(lambda tx: trail.page(tx, limit=10))


def counted(what):
    return REGISTRY.get_sample_value("fankeep_events_expired_total", {"what": what}) or 0.0


async def test_what_is_personal_goes_first_and_the_rest_much_later(data):
    await store(data, 31, 29, 8, 6, 0)
    assert await retention(data).run() == Expired(3, 0, 1, 1, 0)
    assert await left(data) == [(2, False, False), (3, False, False), (4, True, True), (5, True, True)]


async def test_rows_of_a_clock_that_once_ran_ahead_do_not_keep_those_behind_them(data, monkeypatch):
    monkeypatch.setattr(statements, "_LOOKED_THROUGH", 3)
    await store(data, *[-400] * 7, 40, 31, 29)
    assert await retention(data, batch=2).run() == Expired(10, 0, 9, 9, 0)
    assert await left(data) == [(10, False, False)]


async def test_what_came_from_the_future_is_as_old_as_what_came_after_it_and_no_older(data):
    await store(data, 40, -400, -400, 8, -400)
    await retention(data).run()
    assert await left(data) == [(2, False, False), (3, False, False), (4, False, False), (5, True, True)]
    assert await retention(data).run() == Expired(0, 0, 0, 0, 0)


async def test_what_came_from_the_future_and_has_no_payload_does_not_stop_the_others(data, monkeypatch):
    monkeypatch.setattr(statements, "_LOOKED_THROUGH", 3)
    await store(data, *[-400] * 7, 40)
    await data.write(lambda tx: tx.run(EMPTIED))
    assert (await retention(data).run()).removed == 1
    assert [seq for seq, *_ in await left(data)] == [1, 2, 3, 4, 5, 6, 7]


async def test_a_repeat_is_known_until_the_event_is_gone(data):
    await store(data, 29)
    await retention(data).run()
    assert await DatabaseLog(data).add([event(0)], modern=[]) == {event(0).digest}
    await data.write(lambda tx: tx.run(AGED, seq=1, seconds=2 * DAY))
    await retention(data).run()
    assert await DatabaseLog(data).add([event(0)], modern=[]) == frozenset()


async def test_batches_go_on_until_nothing_is_left_to_do(data):
    await store(data, *[31] * 7, *[8] * 7)
    assert await retention(data, batch=3).run() == Expired(14, 0, 7, 7, 0)


async def test_a_run_that_has_done_something_leaves_a_line_and_numbers_and_another_run_nothing(data):
    await store(data, 31, 31, 31, 8)
    log = DatabaseLog(data)
    handled, dead, *_ = await log.claim(limit=2, lease=30.0)
    await log.settle(
        [Settlement(handled.seq, handled.claim, "handled"), Settlement(dead.seq, dead.claim, "dead", "why")]
    )
    kinds = ("payload", "event", "event_pending", "event_dead")
    before = [counted(what) for what in kinds]
    await retention(data).run()
    assert [counted(what) - was for what, was in zip(kinds, before, strict=True)] == [4, 1, 1, 1]
    (line,) = await lines(data)
    assert (line.actor, line.action) == ("system", "events_expired")
    assert line.outcome == "emptied=4 removed=3 pending=1 dead=1"
    assert await retention(data).run() == Expired(0, 0, 0, 0, 0)
    assert len(await lines(data)) == 1


async def test_several_at_once_do_it_once(data):
    await store(data, *[31] * 30, *[8] * 30)
    runs = await asyncio.gather(*(retention(data, batch=7).run() for _ in range(4)))
    assert sum(run.removed for run in runs) == 30
    assert sum(run.emptied for run in runs) <= 60
    assert await left(data) == [(seq, False, False) for seq in range(31, 61)]


async def test_what_was_stored_while_its_message_was_deleted_is_emptied_and_the_deletion_forgotten_in_time(
    data,
):
    gone = event(0, type="a.deleted", deletes=True)
    await DatabaseLog(data).add([gone, event(1, message_index=gone.message_index)], modern=[])
    await data.write(lambda tx: tx.run(BESIDE))
    assert await retention(data).run() == Expired(0, 1, 0, 0, 0)
    assert await left(data) == [(1, True, True), (2, False, False)]
    assert await data.read(lambda tx: tx.one(FORGOTTEN)) == 1
    await data.write(lambda tx: tx.run(DELETED_LONG_AGO, seconds=31 * DAY))
    await retention(data).run()
    assert await data.read(lambda tx: tx.one(FORGOTTEN)) == 0


async def test_every_recent_deletion_is_gone_through_batch_by_batch(data):
    gone = [event(number, type="a.deleted", deletes=True) for number in range(5)]
    beside = [event(10 + number, message_index=event(number).message_index) for number in range(5)]
    await DatabaseLog(data).add(gone + beside, modern=[])
    await data.write(lambda tx: tx.run(BESIDE))
    assert (await retention(data, batch=2).run()).emptied_of_deleted == 5
    await data.write(lambda tx: tx.run(BESIDE))
    await data.write(lambda tx: tx.run(DELETED_LONG_AGO, seconds=2 * DAY))
    assert (await retention(data, batch=2).run()).emptied_of_deleted == 0


async def test_a_run_that_is_cut_off_records_what_it_has_done(data, monkeypatch):
    async def fail(*_, **__):
        raise StorageUnavailable

    await store(data, 8)
    monkeypatch.setattr(deletions, "since", fail)
    with pytest.raises(StorageUnavailable):
        await retention(data).run()
    assert [line.outcome for line in await lines(data)] == ["emptied=1"]
