"""What an operator's looks at stored events promise, on every engine."""

from dataclasses import replace

import pytest

from fankeep.store import Command, event_queries, events, open_data, users
from fankeep.store.event_queries import EventFilter
from fankeep.store.events import NewEvent, Settlement

MIA, LUCA = "5939ae62-3eb5-4433-954f-f78c7b4282f3", "00000000-0000-4000-8000-00000000beef"
AT = Command("UPDATE events SET received_at = 1000 + seq")
CLOCK = Command("UPDATE events SET due_at = {now} - 1")
GONE = Command("UPDATE events SET payload = NULL WHERE seq = 2")


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    """So that a handful of rows is more than one of them."""
    monkeypatch.setattr(event_queries, "_STRETCH", 2)


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    for creator in (MIA, LUCA):
        await opened.write(lambda tx, creator=creator: users.add(tx, creator))
    yield opened
    await opened.close()


def new(number, **more):
    values = {"family": "creator", "type": "creator.tip.received", "creator": MIA, "secret_name": "main"}
    return NewEvent(number.to_bytes(16), **values | {"payload": b"sealed", "occurred_at": 1.5} | more)


@pytest.fixture
async def stored(database):
    """One to seven: of two creators, of several types, in every state."""
    rows = [
        new(1),
        new(2, type="creator.message.received"),
        new(3, creator=LUCA),
        new(4, secret_name="next"),
        new(5, wanted=False, type="creatorxtip.received"),
        new(6),
        new(7, family="legacy", creator=LUCA, type="tip.received"),
    ]
    for row in rows:
        modern = [LUCA] if row.family == "legacy" else []
        await database.write(lambda tx, row=row, modern=modern: events.insert(tx, [row], modern=modern))
    await database.write(lambda tx: tx.run(AT))
    await database.write(lambda tx: tx.run(CLOCK))
    claimed = {
        one.seq: one
        for one in await database.write(lambda tx: events.claim(tx, claim="c", limit=9, lease=60.0))
    }
    ends = [
        Settlement(1, claimed[1].claim, "dead", "handler_failed"),
        Settlement(2, claimed[2].claim, "handled"),
        Settlement(3, claimed[3].claim, "dead", "timed_out"),
        Settlement(4, claimed[4].claim, "pending", "handler_failed", 60.0),
    ]
    await database.write(lambda tx: events.settle(tx, ends))
    await database.write(lambda tx: tx.run(GONE))
    return database


async def seqs(database, wanted, **more):
    page = await database.read(lambda tx: event_queries.page(tx, wanted, **{"limit": 10, **more}))
    return [event.seq for event in page]


CASES = [
    (EventFilter(), [7, 6, 5, 4, 3, 2, 1]),
    (EventFilter(type="creator.tip.received"), [6, 4, 3, 1]),
    (EventFilter(type="creator.*"), [6, 4, 3, 2, 1]),
    (EventFilter(type="*tip.received"), [7, 6, 5, 4, 3, 1]),
    (EventFilter(type="creator_tip.*"), []),
    (EventFilter(type="creator.%"), []),
    (EventFilter(creator=LUCA), [7, 3]),
    (EventFilter(state="pending"), [6, 4]),
    (EventFilter(state="handled"), [5, 2]),
    (EventFilter(state="dead"), [3, 1]),
    (EventFilter(state="shadow"), [7]),
    (EventFilter(since=1003.0, until=1006.0), [5, 4, 3]),
    (EventFilter(reason="handler_failed"), [4, 1]),
    (EventFilter(secret_name="next"), [4]),
    (EventFilter(creator=MIA, state="dead", type="creator.*"), [1]),
]


@pytest.mark.parametrize(("wanted", "expected"), CASES)
async def test_a_filter_finds_what_it_means_newest_first(stored, wanted, expected):
    assert await seqs(stored, wanted) == expected
    counted = await stored.read(lambda tx: event_queries.count(tx, wanted))
    assert counted == (len(expected), expected.count(2))


@pytest.mark.parametrize(("wanted", "expected"), CASES)
async def test_an_event_that_was_read_is_held_against_a_filter_in_the_same_way(stored, wanted, expected):
    everything = await stored.read(lambda tx: event_queries.page(tx, event_queries.ANY, limit=10))
    assert [event.seq for event in everything if wanted.matches(event)] == expected


async def test_pages_go_on_where_the_one_before_ended(stored):
    assert await seqs(stored, EventFilter(), limit=3) == [7, 6, 5]
    assert await seqs(stored, EventFilter(), limit=3, before=5) == [4, 3, 2]
    assert await seqs(stored, EventFilter(state="dead"), limit=1, before=3) == [1]


async def test_an_event_shows_everything_but_its_payload_and_its_claim(stored):
    dead = await stored.read(lambda tx: event_queries.load(tx, new(1).digest))
    busy = await stored.read(lambda tx: event_queries.load(tx, new(6).digest))
    handled = await stored.read(lambda tx: event_queries.load(tx, new(2).digest))
    assert (dead.state, dead.reason, dead.attempts, dead.secret_name) == ("dead", "handler_failed", 1, "main")
    assert (dead.payload, dead.claimed, dead.handled_at) == (1, 0, None)
    assert (busy.state, busy.claimed) == ("pending", 1)
    assert 0 < busy.due_in <= 60
    assert (handled.payload, handled.handled_at > 1.7e9) == (0, True)
    assert await stored.read(lambda tx: event_queries.load(tx, b"?" * 16)) is None


async def replay(database, wanted, **more):
    bounds = {"low": 1, "high": 100, "limit": 10, **more}
    return await database.write(lambda tx: event_queries.replay_some(tx, wanted, **bounds))


async def test_some_of_those_that_are_meant_are_replayed_oldest_first_and_marked(stored):
    dead = EventFilter(state="dead")
    assert await replay(stored, dead, limit=1) == [1]
    assert await replay(stored, dead) == [3]
    assert await replay(stored, dead) == []
    again = await stored.write(lambda tx: events.claim(tx, claim="d", limit=9, lease=60.0))
    assert [(one.seq, one.replays, one.attempts) for one in again] == [(1, 1, 1), (3, 1, 1)]


async def test_a_replay_stays_within_its_stretch_and_its_filter(stored):
    assert await replay(stored, EventFilter(creator=MIA), low=2, high=5) == [2, 4]
    assert await seqs(stored, replace(EventFilter(), state="dead")) == [3, 1]


async def test_a_replay_takes_a_claim_that_stands_away(stored):
    assert await replay(stored, EventFilter(state="pending")) == [4, 6]
    assert not await stored.write(lambda tx: events.mark_handled(tx, seq=6, claim="c"))


async def test_what_follows_comes_in_order_and_what_is_not_there_is_left_out(stored):
    assert await stored.read(event_queries.last_seq) == 7
    after = await stored.read(lambda tx: event_queries.following(tx, 4, limit=2))
    some = await stored.read(lambda tx: event_queries.among(tx, [6, 99, 2]))
    assert [event.seq for event in after] == [5, 6]
    assert [event.seq for event in some] == [2, 6]
