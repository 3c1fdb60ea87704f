"""What is promised when a creator's events go one after the other, over any number of processes."""

import asyncio

import pytest

from fankeep.inbox import DatabaseLog
from fankeep.store import Command, open_data
from fankeep.store.events import NewEvent, Settlement

ANNA, BERT, CLEO = (f"00000000-0000-4000-8000-00000000000{digit}" for digit in "abc")
STALE = Command("UPDATE events SET due_at = {now} - 1 WHERE claim IS NOT NULL")
LONG_AGO = Command("UPDATE events SET due_at = {now} - 100 WHERE creator_id = :creator")


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


@pytest.fixture
def log(database):
    return DatabaseLog(database, ordered=True)


async def store(log, *creators):
    """Store one event for each name, in this order."""
    for creator in creators:
        number = store.number = store.number + 1
        await log.add([NewEvent(number.to_bytes(16), "creator", "a.b", creator, "s")], modern=[])


store.number = 0


async def take(log, limit=32):
    return await log.claim(limit=limit, lease=30.0)


async def settle(log, claimed, state="handled", due_in=0.0):
    await log.settle([Settlement(claimed.seq, claimed.claim, state, None, due_in)])


def creators(batch):
    return [claimed.creator for claimed in batch]


async def test_only_the_first_event_of_each_creator_is_handed_out(log):
    await store(log, ANNA, ANNA, BERT, ANNA, BERT, CLEO)
    batch = await take(log)
    assert creators(batch) == [ANNA, BERT, CLEO]
    assert await take(log) == []


async def test_the_next_one_follows_when_the_first_was_handled(log):
    await store(log, ANNA, ANNA, ANNA)
    seqs = []
    while batch := await take(log):
        (claimed,) = batch
        seqs.append(claimed.seq)
        await settle(log, claimed)
    assert seqs == sorted(seqs)
    assert len(seqs) == 3


async def test_one_that_is_to_be_tried_again_holds_up_its_creator_and_nobody_else(log):
    await store(log, ANNA, ANNA, BERT, BERT)
    anna, bert = await take(log)
    await settle(log, anna, "pending", 60.0)
    await settle(log, bert)
    assert creators(await take(log)) == [BERT]


async def test_one_that_is_tried_again_comes_before_the_later_ones(log):
    await store(log, ANNA, ANNA)
    (first,) = await take(log)
    await settle(log, first, "pending", 0.0)
    (again,) = await take(log)
    assert (again.seq, again.attempts) == (first.seq, 2)


async def test_a_dead_letter_no_longer_holds_up_anybody(log):
    await store(log, ANNA, ANNA)
    (first,) = await take(log)
    await settle(log, first, "dead")
    (second,) = await take(log)
    assert second.seq > first.seq


async def test_one_whose_process_died_is_taken_again_before_the_later_ones(log, database):
    await store(log, ANNA, ANNA)
    (first,) = await take(log)
    await database.write(lambda tx: tx.run(STALE))
    (again,) = await take(log)
    assert again.seq == first.seq


async def test_shadows_hold_up_nobody(log):
    await log.add([NewEvent(b"0" * 16, "legacy", "message.received", ANNA, "s")], modern=[ANNA])
    await store(log, ANNA)
    assert creators(await take(log)) == [ANNA]


async def test_events_without_a_creator_have_no_order(log):
    await store(log, None, None, ANNA, None)
    assert creators(await take(log)) == [None, None, ANNA, None]


async def test_no_more_are_taken_than_asked_for_and_first_what_has_waited_longest(log, database):
    await store(log, ANNA, BERT, CLEO)
    await database.write(lambda tx: tx.run(LONG_AGO, creator=CLEO))
    assert creators(await take(log, limit=1)) == [CLEO]
    assert len(await take(log, limit=1)) == 1


async def test_without_the_option_a_creators_events_come_all_at_once(database):
    log = DatabaseLog(database)
    await store(log, ANNA, ANNA, ANNA)
    assert len(await take(log)) == 3


async def test_many_that_claim_at_once_never_have_two_of_one_creator_in_hand(log):
    names = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(6)]
    await store(log, *(name for _ in range(5) for name in names))
    in_hand, handled = set(), []

    async def work():
        while len(handled) < 30:
            for claimed in await take(log, limit=2):
                assert claimed.creator not in in_hand
                in_hand.add(claimed.creator)
                await asyncio.sleep(0)
                handled.append((claimed.creator, claimed.seq))
                in_hand.discard(claimed.creator)
                await settle(log, claimed)

    await asyncio.gather(*(work() for _ in range(5)))
    assert len(handled) == len(set(handled)) == 30
    for name in names:
        seqs = [seq for creator, seq in handled if creator == name]
        assert seqs == sorted(seqs)
