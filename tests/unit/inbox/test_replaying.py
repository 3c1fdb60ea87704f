"""Replays: in batches, each with its line on the trail, and safe to be interrupted."""

import asyncio

import pytest

from fankeep.errors import FankeepError
from fankeep.inbox import replaying
from fankeep.inbox.replaying import Replays, described
from fankeep.store import Command, event_queries, events, trail
from fankeep.store.event_queries import EventFilter
from fankeep.store.events import NewEvent

DEAD = EventFilter(state="dead")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(replaying, "_BATCH", 3)
    monkeypatch.setattr(event_queries, "_STRETCH", 4)


@pytest.fixture
def replays(room):
    return Replays(room.database, actor="operator:root")


async def store(room, count, state="dead"):
    rows = [NewEvent(number.to_bytes(16), "creator", "a.b", None, "s") for number in range(1, count + 1)]
    await room.database.write(lambda tx: events.insert(tx, rows))
    change = Command("UPDATE events SET state = :state")
    await room.database.write(lambda tx: tx.run(change, state=state))


async def replayed(room):
    stored = await room.database.read(lambda tx: event_queries.page(tx, event_queries.ANY, limit=100))
    return [event.replays for event in reversed(stored)]


async def outcomes(room):
    lines = await room.database.read(lambda tx: trail.page(tx, limit=100))
    assert {(line.actor, line.action) for line in lines} <= {("operator:root", "events_replayed")}
    return [(line.object, line.outcome) for line in reversed(lines)]


@pytest.mark.parametrize("state", ["dead", "handled", "shadow"])
async def test_all_that_are_meant_are_replayed_once_batch_by_batch(room, replays, state):
    await store(room, 10, state)
    batches = []
    assert await replays.all(EventFilter(state=state), done=batches.append) == 10
    assert await replayed(room) == [1] * 10
    assert sum(batch.count for batch in batches) == 10
    assert max(batch.count for batch in batches) == 3
    assert [batch.through for batch in batches] == sorted({batch.through for batch in batches})
    assert batches[-1].through == 10


async def test_what_an_older_process_had_no_handler_for_is_handed_out_after_a_replay(room, replays):
    await room.inbox(wanted=lambda _: False).accept(room.verified(room.message("evt_1")))
    newer = room.dispatcher()
    heard = []
    newer.on("creator.message.*")(lambda event: hearing(heard, event))

    assert await replays.all(EventFilter(state="handled", reason="no_handler", type="creator.message.*")) == 1
    running = asyncio.create_task(newer.run())
    async with asyncio.timeout(20):
        while not heard:
            await asyncio.sleep(0.01)
    await newer.stop()
    await running

    assert heard == ["creator.message.received"]


async def hearing(heard, event):
    heard.append(event.type)


async def test_every_batch_is_on_the_trail_with_the_filter_and_the_count(room, replays):
    await store(room, 4)
    await replays.all(EventFilter(state="dead", type="a.*", since=5.0))
    assert await outcomes(room) == [
        ("type=a.* state=dead since=5.0", "3 through 3"),
        ("type=a.* state=dead since=5.0", "1 through 4"),
    ]


async def test_an_interrupted_replay_goes_on_behind_its_last_batch(room, replays):
    await store(room, 10, "handled")

    def stop(batch):
        if batch.through >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await replays.all(EventFilter(state="handled"), done=stop)
    done = await replayed(room)
    assert 0 < sum(done) < 10
    await room.database.write(lambda tx: tx.run(Command("UPDATE events SET state = 'handled'")))
    await replays.all(EventFilter(state="handled"), after=done.count(1))
    assert await replayed(room) == [1] * 10


async def test_a_batch_that_was_begun_when_somebody_interrupts_is_told_as_well(room):
    await store(room, 10, "handled")
    begun, batches = asyncio.Event(), []

    class Telling:
        read = room.database.read

        async def write(self, work):
            begun.set()
            return await room.database.write(work)

    replays = Replays(Telling(), actor="operator:root")
    running = asyncio.create_task(replays.all(EventFilter(state="handled"), done=batches.append))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sum(batch.count for batch in batches) == sum(await replayed(room)) == 3


async def test_running_it_again_finds_no_dead_letter_twice(room, replays):
    await store(room, 5)
    assert await replays.all(DEAD) == 5
    assert await replays.all(DEAD) == 0
    assert len(await outcomes(room)) == 2


async def test_one_event_is_replayed_and_its_id_is_on_the_trail(room, replays):
    await store(room, 2)
    digest = (2).to_bytes(16)
    assert await replays.one(digest, shadow=False, dry_run=True) == "replayed"
    assert (await replayed(room), await outcomes(room)) == ([0, 0], [])
    assert await replays.one(digest, shadow=False) == "replayed"
    assert (await replayed(room), await outcomes(room)) == ([0, 1], [(digest.hex(), "1")])


async def test_what_is_unknown_or_a_shadow_is_told_and_left_alone(room, replays):
    await store(room, 1, "shadow")
    digest = (1).to_bytes(16)
    assert await replays.one(b"?" * 16, shadow=True) == "unknown"
    assert await replays.one(digest, shadow=False) == "shadow"
    assert (await replayed(room), await outcomes(room)) == ([0], [])
    assert await replays.one(digest, shadow=True) == "replayed"
    assert await replayed(room) == [1]


async def test_a_replay_whose_line_cannot_be_written_does_not_happen(room, replays):
    await store(room, 1)
    await room.database.write(lambda tx: tx.run(Command("ALTER TABLE trail RENAME TO elsewhere")))
    try:
        for attempt in (replays.all(DEAD), replays.one((1).to_bytes(16), shadow=False)):
            with pytest.raises(FankeepError):
                await attempt
        assert await replayed(room) == [0]
    finally:
        await room.database.write(lambda tx: tx.run(Command("ALTER TABLE elsewhere RENAME TO trail")))


def test_a_filter_is_described_by_what_it_asks_for():
    assert described(EventFilter(state="dead", secret_name="main")) == "state=dead secret_name=main"
