"""What fetching events promises to those who share them, on every engine."""

import asyncio

import pytest

from fankeep.store import Command, Statement, event_pulls, events, open_data, users
from fankeep.store.event_pulls import Ack
from fankeep.store.events import NewEvent

MIA, LUCA = "5939ae62-3eb5-4433-954f-f78c7b4282f3", "00000000-0000-4000-8000-00000000beef"
STALE = Command("UPDATE events SET due_at = {now} - 1 WHERE state = 'pending'")
OLD = Command("UPDATE events SET due_at = 1000 + seq")
LATE = Command("UPDATE events SET due_at = 500 WHERE seq = 1")
FAR_OFF = Command("UPDATE events SET due_at = {now} + 1e9")
STATES = Statement("SELECT state, reason FROM events ORDER BY seq", lambda *row: row)


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    await opened.write(lambda tx: users.add(tx, MIA))
    await opened.write(lambda tx: users.add(tx, LUCA))
    yield opened
    await opened.close()


async def add(database, *numbers, **more):
    values = {"family": "creator", "type": "a.b", "creator": MIA, "secret_name": "s", "payload": b"sealed"}
    rows = [NewEvent(number.to_bytes(16), **values | more) for number in numbers]
    await database.write(lambda tx: events.insert(tx, rows))


async def take(database, *, lease=lambda _: 60.0, **more):
    given = {"claim": "c", "limit": 10, "lease": lease, "reason": "given_up", **more}
    return await database.write(lambda tx: event_pulls.take(tx, **given))


def seqs(taken):
    return [event.seq for event in taken.events]


async def test_a_page_has_what_was_stored_in_the_order_in_which_it_came(database):
    await add(database, 1, 2, 3)
    taken = await take(database, limit=2)
    assert seqs(taken) == [1, 2]
    first = taken.events[0]
    assert (first.digest, first.type, first.creator) == ((1).to_bytes(16), "a.b", MIA)
    assert (first.payload, first.claim, first.attempts, first.replays) == (b"sealed", "c", 1, 0)
    assert seqs(await take(database)) == [3]
    assert seqs(await take(database)) == []


async def test_what_is_not_acknowledged_comes_again_when_its_lease_ends(database):
    await add(database, 1)
    await take(database)
    await database.write(lambda tx: tx.run(STALE))
    (again,) = (await take(database, claim="d")).events
    assert (again.claim, again.attempts) == ("d", 2)


async def test_the_lease_is_as_long_as_the_number_of_times_asks_for(database):
    await add(database, 1)
    await take(database, lease={0: -1.0}.get)
    assert seqs(await take(database, lease={1: 60.0}.get)) == [1]
    assert seqs(await take(database)) == []


async def test_what_was_handed_out_too_often_becomes_a_dead_letter_and_the_others_go_on(database):
    await add(database, 1)
    await take(database, lease=lambda _: -1.0)
    await add(database, 2)
    taken = await take(database, lease=lambda attempts: None if attempts else 60.0)
    assert (seqs(taken), taken.given_up) == ([2], 1)
    assert await database.read(lambda tx: tx.all(STATES)) == [("dead", "given_up"), ("pending", None)]


async def test_looks_at_the_same_time_never_share_an_event(database):
    await add(database, *range(1, 41))
    taken = await asyncio.gather(*(take(database, claim=f"c{n}", limit=7) for n in range(8)))
    given = [seq for one in taken for seq in seqs(one)]
    assert len(given) == len(set(given)) == 40


async def test_a_look_goes_on_behind_the_position_of_the_last_one(database):
    await add(database, 1, 2, 3)
    await database.write(lambda tx: tx.run(OLD))
    first = await take(database, limit=2)
    assert first.position == 1002.0
    await database.write(lambda tx: tx.run(LATE))
    assert seqs(await take(database, position=first.position)) == [3]
    assert seqs(await take(database)) == [1]


async def test_a_position_is_never_so_near_to_now_that_a_late_commit_lies_behind_it(database):
    await add(database, 1)
    before = (await take(database)).events[0].received_at
    await add(database, 2)
    taken = await take(database)
    assert taken.position <= before - 55
    assert (await take(database, position=7.0)).position == 7.0


async def test_only_what_is_about_one_of_the_given_creators_is_taken(database):
    await add(database, 1)
    await add(database, 2, creator=LUCA)
    await add(database, 3, creator=None)
    assert seqs(await take(database, creators=[LUCA])) == [2]
    assert seqs(await take(database, creators=[])) == []
    assert seqs(await take(database)) == [1, 3]


async def test_what_waits_longer_than_anything_may_is_taken(database):
    await add(database, 1)
    await database.write(lambda tx: tx.run(FAR_OFF))
    assert seqs(await take(database)) == [1]


async def acknowledge(database, *acks):
    done = await database.write(lambda tx: event_pulls.acknowledge(tx, acks))
    return {int.from_bytes(digest) for digest in done}


def ack(number, claim="c"):
    return Ack(number.to_bytes(16), claim)


async def test_an_acknowledged_event_is_handled_and_does_not_come_again(database):
    await add(database, 1, 2)
    await take(database)
    assert await acknowledge(database, ack(1)) == {1}
    await database.write(lambda tx: tx.run(STALE))
    assert seqs(await take(database)) == [2]
    assert await database.read(lambda tx: tx.all(STATES)) == [("handled", None), ("pending", None)]


async def test_an_acknowledgement_can_be_repeated(database):
    await add(database, 1)
    await take(database)
    assert await acknowledge(database, ack(1)) == {1}
    assert await acknowledge(database, ack(1)) == {1}


async def test_an_acknowledgement_of_a_lost_claim_or_another_event_changes_nothing(database):
    await add(database, 1)
    await take(database)
    await database.write(lambda tx: tx.run(STALE))
    await take(database, claim="d")
    assert await acknowledge(database, ack(1), ack(2), ack(1, "x")) == set()
    assert await database.read(lambda tx: tx.all(STATES)) == [("pending", None)]
    assert await acknowledge(database, ack(1, "d"), ack(2)) == {1}
    assert await acknowledge(database, ack(1)) == set()


async def test_a_replayed_event_comes_again_under_a_new_claim(database):
    await add(database, 1)
    await take(database)
    await acknowledge(database, ack(1))
    await database.write(lambda tx: events.replay(tx, (1).to_bytes(16)))
    assert await acknowledge(database, ack(1)) == set()
    (again,) = (await take(database, claim="d")).events
    assert (again.replays, again.attempts) == (1, 1)
