"""Fetching events: what comes, to whom, and when it comes again."""

import asyncio
import base64
import struct
from dataclasses import replace

import pytest

from fankeep.errors import HostileInputError
from fankeep.inbox import Puller
from fankeep.policy import RetrySchedule
from fankeep.store import Command, event_queries
from fankeep.telemetry import metrics

STALE = Command("UPDATE events SET due_at = {now} - 1 WHERE state = 'pending'")
LONG_AGO = Command("UPDATE events SET due_at = seq WHERE state = 'pending'")
TIMELESS = Command("UPDATE events SET occurred_at = NULL, received_at = 1e15 WHERE seq = 1")
SPOILED = Command("UPDATE events SET payload = digest WHERE seq = 1")
QUICK = RetrySchedule(first=0.01, factor=1.0, cap=0.01, tries=3)


@pytest.fixture
def puller(room):
    return Puller(room.database, room.keys, retries=QUICK)


async def accept(room, *names, **more):
    inbox = room.inbox()
    return [(await inbox.accept(room.verified(room.message(name, **more)))).event_id for name in names]


async def pull(puller, **more):
    return await puller.pull(**{"cursor": "", "limit": 10, "lease": 60.0, "wait": 0.0, **more})


async def ids(puller, **more):
    return [event["id"] for event in (await pull(puller, **more)).events]


def receipts(page):
    return [(event["id"], event["receipt"]) for event in page.events]


async def state(room, identifier):
    event = await room.database.read(lambda tx: event_queries.load(tx, bytes.fromhex(identifier)))
    return event.state, event.reason


async def test_an_event_comes_in_the_form_in_which_it_is_forwarded_with_a_receipt(room, puller):
    (identifier,) = await accept(room, "evt_1")
    (event,) = (await pull(puller)).events
    receipt = event.pop("receipt")
    data = event.pop("data")
    assert event == {
        "id": identifier,
        "type": "creator.message.received",
        "timestamp": "2026-11-14T22:13:20Z",
        "family": "creator",
        "creator": room.creator,
        "replayed": False,
        "attempt": 1,
    }
    assert data["uuid"] == "11111111-1111-4111-8111-111111111111"
    assert len(bytes.fromhex(receipt)) == 16


async def test_what_was_acknowledged_is_handled_and_what_was_not_comes_again(room, puller):
    first, second = await accept(room, "evt_1", "evt_2")
    page = await pull(puller)
    done = await puller.acknowledge(receipts(page)[:1])
    assert (done.acknowledged, done.lost) == ([first], [])
    assert await state(room, first) == ("handled", None)
    assert await ids(puller) == []
    await room.database.write(lambda tx: tx.run(STALE))
    assert await ids(puller) == [second]


async def test_a_receipt_of_a_lease_that_ended_and_went_to_another_is_told_as_lost(room, puller):
    (identifier,) = await accept(room, "evt_1")
    before = await pull(puller)
    await room.database.write(lambda tx: tx.run(STALE))
    after = await pull(puller)
    assert (await puller.acknowledge(receipts(before))).lost == [identifier]
    assert await state(room, identifier) == ("pending", None)
    assert (await puller.acknowledge(receipts(after))).acknowledged == [identifier]


async def test_what_is_never_acknowledged_is_a_dead_letter_at_the_end_of_its_tries(room, puller):
    def dead():
        labels = {"reason": "not_acknowledged"}
        return metrics.REGISTRY.get_sample_value("fankeep_dead_letters_total", labels) or 0

    before = dead()
    (identifier,) = await accept(room, "evt_1")
    for _ in range(3):
        assert await ids(puller) == [identifier]
        await room.database.write(lambda tx: tx.run(STALE))
    assert await ids(puller) == []
    assert await state(room, identifier) == ("dead", "not_acknowledged")
    assert dead() == before + 1


async def test_each_further_lease_is_longer_so_that_a_day_of_failures_buries_nothing(room):
    slow = Puller(room.database, room.keys, retries=replace(QUICK, first=400.0, cap=800.0))
    await accept(room, "evt_1")
    await pull(slow, lease=5.0)
    await room.database.write(lambda tx: tx.run(STALE))
    await pull(slow, lease=5.0)
    (event,) = await room.database.read(lambda tx: event_queries.page(tx, event_queries.ANY, limit=1))
    assert event.due_in > 190


async def test_an_event_that_does_not_open_is_a_dead_letter_and_the_others_come(room, puller):
    spoiled, good = await accept(room, "evt_1", "evt_2")
    await room.database.write(lambda tx: tx.run(SPOILED))
    assert await ids(puller) == [good]
    assert await state(room, spoiled) == ("dead", "unreadable")


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
async def test_an_event_with_an_extreme_time_comes_with_the_others(room, puller, time):
    body = room.message("evt_2") | {"timestamp": time}
    stored = await accept(room, "evt_1")
    stored.append((await room.inbox().accept(room.verified(body))).event_id)
    assert await ids(puller) == stored


async def test_an_event_of_which_nothing_can_be_made_costs_its_own_tries_and_not_those_of_others(
    room, puller
):
    spoiled, good = await accept(room, "evt_1", "evt_2")
    await room.database.write(lambda tx: tx.run(TIMELESS))
    for _ in range(3):
        assert await ids(puller) == [good]
        await room.database.write(lambda tx: tx.run(STALE))
        assert await state(room, good) == ("pending", None)
    assert await state(room, spoiled) == ("dead", "unreadable")


async def test_an_event_whose_time_was_written_over_has_the_time_at_which_it_came(room, puller):
    (identifier,) = await accept(room, "evt_1")
    extreme = Command("UPDATE events SET occurred_at = -1e15")
    await room.database.write(lambda tx: tx.run(extreme))
    (event,) = (await pull(puller)).events
    assert (event["id"], event["timestamp"][:2]) == (identifier, "20")


async def test_only_events_of_the_given_creators_come(room, puller):
    await accept(room, "evt_1", creator={"uuid": room.stranger})
    (mine,) = await accept(room, "evt_2")
    assert await ids(puller, only=frozenset({room.creator})) == [mine]


async def test_pages_go_on_behind_the_cursor(room, puller):
    stored = await accept(room, "evt_1", "evt_2", "evt_3")
    await room.database.write(lambda tx: tx.run(LONG_AGO))
    first = await pull(puller, limit=2)
    assert [event["id"] for event in first.events] == stored[:2]
    assert await ids(puller, cursor=first.cursor) == stored[2:]


async def test_a_cursor_hides_nothing_that_became_visible_behind_it(room, puller):
    early, late = await accept(room, "evt_1", "evt_2")
    await room.database.write(lambda tx: tx.run(LONG_AGO))
    later = Command("UPDATE events SET state = CASE WHEN seq = 1 THEN 'shadow' ELSE state END")
    await room.database.write(lambda tx: tx.run(later))
    page = await pull(puller)
    assert [event["id"] for event in page.events] == [late]
    visible = Command("UPDATE events SET state = 'pending' WHERE seq = 1")
    await room.database.write(lambda tx: tx.run(visible))
    assert await ids(puller, cursor=page.cursor) == [early]


async def test_a_cursor_of_a_look_at_other_creators_hides_nothing(room, puller):
    (old,) = await accept(room, "evt_1", creator={"uuid": room.stranger})
    await room.database.write(lambda tx: tx.run(LONG_AGO))
    (mine,) = await accept(room, "evt_2")
    page = await pull(puller, only=frozenset({room.creator}))
    assert [event["id"] for event in page.events] == [mine]
    (later,) = await accept(room, "evt_3")
    assert await ids(puller, cursor=page.cursor) == [old, later]


@pytest.mark.parametrize("only", [None, frozenset({"a"}), frozenset({"a", "b"})])
async def test_a_cursor_names_none_of_the_creators_and_tells_their_sets_apart(puller, only):
    page = await pull(puller, only=only)
    others = [None, frozenset(), frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})]
    same = [other for other in others if (await pull(puller, only=other)).cursor == page.cursor]
    assert same == [only]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1",
        "....",
        "a" * 400,
        "ü",
        base64.urlsafe_b64encode(struct.pack(">d8s", float("nan"), bytes(8))).decode()[:-2],
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(puller, cursor):
    with pytest.raises(HostileInputError):
        await pull(puller, cursor=cursor)


async def test_a_caller_who_waits_gets_an_event_when_it_is_stored(room, puller):
    waiting = asyncio.create_task(ids(puller, wait=20.0))
    await asyncio.sleep(0)
    (identifier,) = await accept(room, "evt_1")
    puller.wake()
    assert await waiting == [identifier]


async def test_a_caller_who_waits_in_vain_gets_an_empty_page(puller):
    assert await ids(puller, wait=0.05) == []


async def test_callers_who_wait_are_answered_when_the_process_ends(puller):
    async with asyncio.timeout(30):
        waiting = asyncio.create_task(ids(puller, wait=20.0))
        await asyncio.sleep(0.05)
        puller.close()
        assert await waiting == []


async def test_several_callers_share_what_is_there(room, puller):
    stored = await accept(room, *(f"evt_{number}" for number in range(40)))
    pages = await asyncio.gather(*(ids(puller, limit=7) for _ in range(8)))
    given = [identifier for page in pages for identifier in page]
    assert sorted(given) == sorted(stored)
