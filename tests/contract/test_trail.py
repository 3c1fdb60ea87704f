"""What the trail of an installation promises, on every engine."""

import pytest

from fankeep.store import open_data, trail


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


def noting(action):
    return lambda tx: trail.note(tx, actor="operator:root", action=action, subject="2f1c", outcome="3 events")


async def test_lines_come_the_newest_first_with_the_time_of_the_database(database):
    await database.write(noting("events_replayed"))
    await database.write(noting("fan_erased"))

    newest, before = await database.read(lambda tx: trail.page(tx, limit=10))

    assert (newest.action, before.action) == ("fan_erased", "events_replayed")
    assert newest.at >= before.at > 0
    assert (before.actor, before.object, before.outcome) == ("operator:root", "2f1c", "3 events")


async def test_what_is_rolled_back_leaves_no_line(database):
    async def fail(tx):
        await noting("events_replayed")(tx)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(fail)

    assert await database.read(lambda tx: trail.page(tx, limit=10)) == []


async def test_pages_go_on_where_the_one_before_ended(database):
    for number in range(5):
        await database.write(noting(f"action_{number}"))

    first = await database.read(lambda tx: trail.page(tx, limit=3))
    rest = await database.read(lambda tx: trail.page(tx, limit=3, before=first[-1].seq))

    assert [line.action for line in (*first, *rest)] == [f"action_{n}" for n in (4, 3, 2, 1, 0)]
