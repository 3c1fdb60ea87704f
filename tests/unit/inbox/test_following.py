"""Following new events: each once, and none missed that was committed late."""

import pytest

from fankeep.inbox.following import Following
from fankeep.store import Command, events
from fankeep.store.events import NewEvent


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def following(room, clock):
    await add(room, 1)
    made = Following(room.database, clock=clock)
    await made.start()
    return made


async def add(room, *numbers):
    rows = [NewEvent(number.to_bytes(16), "creator", "a.b", None, "s") for number in numbers]
    await room.database.write(lambda tx: events.insert(tx, rows))


async def move(room, number, seq):
    """As if this event had been given its number then, and became visible only now."""
    change = Command("UPDATE events SET seq = :seq WHERE digest = :digest")
    if room.database.engine == "postgresql":
        change = Command(
            """
            INSERT INTO events (seq, digest, family, type, secret_name, received_at, state, due_at)
            OVERRIDING SYSTEM VALUE
            VALUES (:seq, :digest, 'creator', 'a.b', 's', {now}, 'pending', {now})
            """
        )
        gone = Command("DELETE FROM events WHERE digest = :digest")
        await room.database.write(lambda tx: tx.run(gone, digest=number.to_bytes(16)))
    await room.database.write(lambda tx: tx.run(change, seq=seq, digest=number.to_bytes(16)))


async def numbers(following):
    return [int.from_bytes(event.digest) for event in await following.next()]


async def test_what_was_there_before_is_not_shown_and_what_comes_is_shown_once(room, following):
    assert await numbers(following) == []
    await add(room, 2, 3)
    assert await numbers(following) == [2, 3]
    assert await numbers(following) == []


async def test_a_number_that_becomes_visible_after_a_higher_one_is_not_missed(room, following, clock):
    await add(room, 2)
    await move(room, 2, 9)
    assert await numbers(following) == [2]
    clock.now += 20
    await add(room, 3)
    await move(room, 3, 5)
    assert await numbers(following) == [3]
    assert await numbers(following) == []


async def test_a_number_that_was_missing_at_the_start_is_looked_for(room, clock):
    await add(room, 1)
    await move(room, 1, 7)
    following = Following(room.database, clock=clock)
    await following.start()
    await add(room, 2)
    await move(room, 2, 3)
    assert await numbers(following) == [2]


async def test_a_number_that_stays_out_for_long_is_given_up(room, following, clock):
    await add(room, 2)
    await move(room, 2, 9)
    await numbers(following)
    clock.now += 31
    await numbers(following)
    await add(room, 3)
    await move(room, 3, 5)
    assert await numbers(following) == []


async def test_more_than_one_look_takes_is_shown_look_by_look(room, following):
    await add(room, *range(2, 702))
    first, second = await numbers(following), await numbers(following)
    assert (len(first), sorted(first + second)) == (500, list(range(2, 702)))
