"""What a statement does must not depend on the plan that PostgreSQL chooses for it."""

import asyncpg
import pytest

from fankeep.inbox import DatabaseLog
from fankeep.store import open_data
from fankeep.store.events import NewEvent

CREATORS = [f"00000000-0000-4000-8000-00000000000{digit}" for digit in "abc"]


def event(number, creator):
    return NewEvent(number.to_bytes(16), "creator", "a.b", creator, "s")


@pytest.fixture
async def database(postgresql_urls):
    opened = await open_data(postgresql_urls.data, create=False)
    yield opened
    await opened.close()


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_claim_takes_as_many_events_as_it_was_told_when_the_statistics_know_of_one(
    database, postgresql_urls, ordered
):
    log = DatabaseLog(database, ordered=ordered)
    await log.add([event(0, CREATORS[0])], modern=[])
    connection = await asyncpg.connect(postgresql_urls.data)
    await connection.execute("UPDATE events SET state = 'handled'")
    await connection.execute("VACUUM events")
    await connection.execute("ANALYZE events")
    await connection.close()
    for number, creator in enumerate(CREATORS, start=1):
        await log.add([event(number, creator)], modern=[])

    taken = [await log.claim(limit=1, lease=60) for _ in CREATORS]

    assert [[claimed.creator for claimed in batch] for batch in taken] == [[one] for one in CREATORS]
