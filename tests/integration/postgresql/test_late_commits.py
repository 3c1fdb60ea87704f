"""A number is given out before its row can be seen: nobody who looks meanwhile may miss the row."""

import asyncpg
import pytest

from fankeep.inbox.following import Following
from fankeep.store import event_pulls, events, open_data
from fankeep.store.events import NewEvent

EARLY, LATE = (1).to_bytes(16), (2).to_bytes(16)
INSERT = """
    INSERT INTO events (digest, family, type, secret_name, received_at, state, due_at)
    SELECT $1, 'creator', 'a.b', 's', now, 'pending', now
    FROM (SELECT extract(epoch from clock_timestamp())::float8 AS now) AS clock
"""


@pytest.fixture
async def database(postgresql_urls):
    opened = await open_data(postgresql_urls.data, create=True)
    yield opened
    await opened.close()


@pytest.fixture
async def slow(postgresql_urls):
    """A process that has numbered its event and not committed yet."""
    connection = await asyncpg.connect(postgresql_urls.data)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(INSERT, EARLY)
    yield transaction
    await connection.close()


async def store(database):
    new = NewEvent(LATE, "creator", "a.b", None, "s")
    await database.write(lambda tx: events.insert(tx, [new]))


async def test_who_follows_sees_both(database, slow):
    following = Following(database)
    await following.start()
    await store(database)
    first = await following.next()
    await slow.commit()
    second = await following.next()
    assert [event.digest for event in (*first, *second)] == [LATE, EARLY]
    assert first[0].seq > second[0].seq


async def test_who_fetches_gets_both_and_the_position_hides_none(database, slow):
    async def take(position):
        return await database.write(
            lambda tx: event_pulls.take(
                tx, claim="c", limit=9, lease=lambda _: 60.0, reason="r", position=position
            )
        )

    await store(database)
    first = await take(0.0)
    await slow.commit()
    second = await take(first.position)
    assert [event.digest for event in (*first.events, *second.events)] == [LATE, EARLY]
