import asyncio

import pytest

from fankeep.errors import StorageError
from fankeep.secret import Secret
from fankeep.sessions import SessionLimits
from fankeep.store import Command, Statement
from fankeep.store import sessions as rows
from fankeep.telemetry import metrics
from fankeep.types import UserId

ROWS = Statement("SELECT hash, user_id, last_seen_at FROM sessions", lambda *row: row)


def alarms():
    return metrics.REGISTRY.get_sample_value("fankeep_alarms_total", {"alarm": "mac_mismatch"}) or 0


async def change(database, sql, **params):
    assert await database.write(lambda tx: tx.run(Command(sql), **params)) == 1


@pytest.fixture
def start_earlier(make_sessions, user):
    """Starts sessions that began a hundred seconds ago, so that no test depends on how fast it runs."""
    clock = rows.clock

    async def earlier(tx):
        return await clock(tx) - 100

    async def start():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "clock", earlier)
            return await make_sessions().start(user)

    return start


async def test_a_started_session_is_found_by_its_id(sessions, user):
    session = await sessions.lookup(await sessions.start(user))
    assert session.user == user
    # The start is kept in whole milliseconds.
    assert 7 * 86_400 - 60 < session.left <= 7 * 86_400 + 0.001


async def test_the_id_has_256_bits_and_is_not_in_the_database(sessions, user, database, stored_bytes):
    session_id = await sessions.start(user)
    assert len(session_id.reveal()) == 43
    await database.close()
    stored = await stored_bytes()
    assert user.encode() in stored
    assert session_id.reveal().encode() not in stored


@pytest.mark.parametrize(
    "wrong", ["", "x" * 43, "x" * 42, "x" * 4000, "a b", "é" * 43, "'; DROP TABLE sessions; --"]
)
async def test_an_unknown_or_malformed_id_finds_nothing(sessions, user, wrong):
    await sessions.start(user)
    assert await sessions.lookup(Secret(wrong)) is None


async def test_a_new_sign_in_ends_the_session_that_the_browser_came_with(sessions, user, other):
    first = await sessions.start(user)
    second = await sessions.start(other, replaces=first)
    assert second != first
    assert await sessions.lookup(first) is None
    assert (await sessions.lookup(second)).user == other


async def test_an_ended_session_is_found_nowhere_at_once(make_sessions, user):
    one_process, another = make_sessions(), make_sessions()
    session_id = await one_process.start(user)
    await another.end(await another.lookup(session_id))
    assert await one_process.lookup(session_id) is None


async def test_all_sessions_of_one_user_end_and_no_other_s(sessions, user, other):
    mine = [await sessions.start(user) for _ in range(3)]
    theirs = await sessions.start(other)
    assert await sessions.end_all(user) == 3
    assert [await sessions.lookup(one) for one in mine] == [None] * 3
    assert await sessions.lookup(theirs) is not None


async def test_a_session_that_is_not_seen_ends_after_the_idle_limit(make_sessions, start_earlier):
    session_id = await start_earlier()
    assert await make_sessions(SessionLimits(idle=200.0, touch_every=3600.0)).lookup(session_id) is not None
    assert await make_sessions(SessionLimits(idle=50.0, touch_every=3600.0)).lookup(session_id) is None


async def test_being_seen_moves_the_idle_limit_but_not_the_absolute_one(make_sessions, start_earlier):
    session_id = await start_earlier()
    assert await make_sessions(SessionLimits(touch_every=0.0)).lookup(session_id) is not None
    assert await make_sessions(SessionLimits(idle=50.0)).lookup(session_id) is not None
    assert await make_sessions(SessionLimits(absolute=50.0)).lookup(session_id) is None


async def test_being_seen_is_not_written_every_time(sessions, user, database):
    session_id = await sessions.start(user)
    before = await database.read(lambda tx: tx.all(ROWS))
    await asyncio.sleep(0.01)
    await sessions.lookup(session_id)
    assert await database.read(lambda tx: tx.all(ROWS)) == before


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE sessions SET user_id = '00000000-0000-4000-8000-000000000002'",
        "UPDATE sessions SET created_at = created_at + 1000",
        "UPDATE sessions SET last_seen_at = last_seen_at + 1000",
        "UPDATE sessions SET mac = hash",
    ],
)
async def test_a_row_that_somebody_changed_is_absent_and_alarms(sessions, user, database, tampering):
    session_id = await sessions.start(user)
    await change(database, tampering)
    before = alarms()
    assert await sessions.lookup(session_id) is None
    assert alarms() == before + 1


async def test_a_row_of_another_session_cannot_be_put_in_its_place(sessions, user, other, database):
    mine, theirs = await sessions.start(user), await sessions.start(other)
    found = await sessions.lookup(mine)
    victim = await sessions.lookup(theirs)
    await sessions.end(found)
    await change(
        database, "UPDATE sessions SET hash = :mine WHERE hash = :theirs", mine=found.hash, theirs=victim.hash
    )
    assert await sessions.lookup(mine) is None


async def test_a_row_of_another_installation_is_absent(make_sessions, make_keys, user):
    session_id = await make_sessions().start(user)
    assert await make_sessions(keys=make_keys(material=b"z" * 32)).lookup(session_id) is None


async def test_a_session_needs_a_user_that_is_known(sessions):
    with pytest.raises(StorageError):
        await sessions.start(UserId("00000000-0000-4000-8000-00000000ffff"))


async def test_a_state_can_be_used_once(sessions):
    assert await sessions.use_state(Secret("s" * 43)) is True
    assert await sessions.use_state(Secret("s" * 43)) is False
    assert await sessions.use_state(Secret("t" * 43)) is True


async def test_of_many_callbacks_at_once_one_uses_the_state(make_sessions):
    processes = [make_sessions() for _ in range(8)]
    results = await asyncio.gather(*(one.use_state(Secret("s" * 43)) for one in processes))
    assert sorted(results) == [False] * 7 + [True]


async def test_pruning_deletes_what_is_over_and_nothing_else(make_sessions, user, database, start_earlier):
    brief = make_sessions(SessionLimits(idle=50.0))
    await start_earlier()
    await brief.use_state(Secret("s" * 43))
    kept = await brief.start(user)
    assert await brief.prune() == 1
    assert len(await database.read(lambda tx: tx.all(ROWS))) == 1
    assert await brief.use_state(Secret("s" * 43)) is False
    assert await make_sessions().lookup(kept) is not None


async def test_used_states_go_when_their_sign_in_is_long_over(sessions, database):
    await sessions.use_state(Secret("s" * 43))
    await change(database, "UPDATE used_states SET used_at = used_at - 7200")
    await sessions.prune()
    assert await sessions.use_state(Secret("s" * 43)) is True


@pytest.mark.parametrize("column", ["created_at", "last_seen_at"])
@pytest.mark.parametrize("time", [float("inf"), float("-inf"), 1e308, -1e308, 1e300, 1e18, 0.0, -1.0])
async def test_a_session_whose_times_were_changed_to_anything_is_absent_and_alarms(
    sessions, user, other, database, column, time
):
    changed, untouched = await sessions.start(user), await sessions.start(other)
    before = alarms()
    await change(
        database, f"UPDATE sessions SET {column} = :time WHERE user_id = :user", time=time, user=user
    )
    assert await sessions.lookup(changed) is None
    assert alarms() == before + 1
    assert (await sessions.lookup(untouched)).user == other
