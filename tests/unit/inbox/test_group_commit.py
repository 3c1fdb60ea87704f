import asyncio

import pytest

from fankeep.errors import HostileInputError, StorageError, StorageUnavailable
from fankeep.inbox import DatabaseLog
from fankeep.inbox.group_commit import GroupCommit
from fankeep.store import ConstraintViolated
from fankeep.store.events import NewEvent


class Watched(DatabaseLog):
    """The real log with a gate before it, a record of the groups, and failures on demand."""

    def __init__(self, database):
        super().__init__(database)
        self.groups = []
        self.news = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = lambda rows: None

    async def add(self, new, *, modern):
        await self.gate.wait()
        self.groups.append([row.digest for row in new])
        if (problem := self.fails(new)) is not None:
            raise problem
        return await super().add(new, modern=modern)


def row(number, **more):
    values = {"family": "creator", "type": "a.b", "creator": None, "secret_name": "s", "payload": b"sealed"}
    return NewEvent(number.to_bytes(16), **values | more)


def commit_groups(log, **options):
    return GroupCommit(log, stored=lambda: log.news.append(len(log.groups)), **options)


@pytest.fixture
def log(room):
    return Watched(room.database)


async def test_what_arrives_during_a_commit_shares_the_next_one(log):
    commits = commit_groups(log)
    log.gate.clear()
    waiting = [commits.add(row(1))]
    await asyncio.sleep(0)
    waiting += [commits.add(row(number)) for number in (5, 3, 4, 2)]
    log.gate.set()
    assert await asyncio.gather(*waiting) == [False] * 5
    assert [len(group) for group in log.groups] == [1, 4]


async def test_a_group_goes_out_in_the_order_of_its_keys(log):
    commits = commit_groups(log)
    await asyncio.gather(*(commits.add(row(number)) for number in (5, 3, 4, 2)))
    assert log.groups == [sorted(log.groups[0])]


async def test_nobody_is_answered_before_the_commit(log):
    commits = commit_groups(log)
    log.gate.clear()
    first, repeat = commits.add(row(1)), commits.join(row(1).digest)
    await asyncio.sleep(0.02)
    assert not first.done()
    assert not repeat.done()
    log.gate.set()
    assert (await first, await repeat) == (False, True)


async def test_a_repeat_of_a_row_on_its_way_adds_no_row(log, room):
    commits = commit_groups(log)
    waiting = [commits.add(row(1)) for _ in range(10)]
    assert sorted(await asyncio.gather(*waiting)) == [False] + [True] * 9
    assert len(await room.rows()) == 1


async def test_there_is_nothing_to_join_once_a_row_is_stored(log):
    commits = commit_groups(log)
    await commits.add(row(1))
    assert commits.join(row(1).digest) is None


async def test_a_full_queue_turns_deliveries_away_and_takes_them_again_later(log):
    commits = commit_groups(log, queue_bytes=2_000)
    log.gate.clear()
    accepted = [commits.add(row(number, payload=b"x" * 400)) for number in (1, 2)]
    with pytest.raises(StorageUnavailable) as caught:
        commits.add(row(3, payload=b"x" * 400))
    assert caught.value.retry_after
    log.gate.set()
    assert await asyncio.gather(*accepted) == [False, False]
    assert await commits.add(row(3, payload=b"x" * 400)) is False


async def test_a_large_queue_goes_out_in_groups_of_bounded_size(log):
    commits = commit_groups(log, group_rows=4)
    await asyncio.gather(*(commits.add(row(number)) for number in range(10)))
    assert [len(group) for group in log.groups] == [4, 4, 2]


async def test_one_row_that_breaks_the_schema_does_not_cost_the_others(log, room):
    commits = commit_groups(log)
    results = await asyncio.gather(
        *(commits.add(row(number, type=None if number == 2 else "a.b")) for number in range(5)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [bool, bool, HostileInputError, bool, bool]
    assert results[2].reason == "not_storable"
    assert len(await room.rows()) == 4


async def test_a_row_that_only_its_payload_spoils_is_stored_without_it(log, room):
    log.fails = lambda rows: ConstraintViolated() if any(row.payload == b"bad" for row in rows) else None
    commits = commit_groups(log)
    results = await asyncio.gather(commits.add(row(1, payload=b"bad")), commits.add(row(2)))
    assert results == [False, False]
    assert len(await room.rows()) == 2


async def test_an_exception_that_nobody_foresaw_is_isolated_the_same_way(log):
    log.fails = lambda rows: RuntimeError("surprise") if any(row.payload == b"bad" for row in rows) else None
    commits = commit_groups(log)
    assert await asyncio.gather(commits.add(row(1, payload=b"bad")), commits.add(row(2))) == [False, False]


@pytest.mark.parametrize("problem", [StorageUnavailable, StorageError])
async def test_a_database_that_fails_fails_the_whole_group_once_and_nothing_is_tried_alone(log, problem):
    log.fails = lambda rows: problem()
    commits = commit_groups(log)
    results = await asyncio.gather(
        commits.add(row(1)), commits.add(row(1)), commits.add(row(2)), return_exceptions=True
    )
    assert [type(result) for result in results] == [problem] * 3
    assert len(log.groups) == 1


@pytest.mark.parametrize("problem", [StorageUnavailable, StorageError])
async def test_a_database_that_fails_while_a_row_is_tried_alone_is_not_the_rows_fault(log, problem):
    log.fails = lambda rows: ConstraintViolated() if len(rows) > 1 else problem()
    commits = commit_groups(log)
    log.gate.clear()
    waiting = [commits.add(row(number)) for number in (1, 2)]
    log.gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [problem] * 2
    assert [len(group) for group in log.groups] == [2, 1, 1]


async def test_after_a_failure_the_same_delivery_is_taken_again(log):
    commits = commit_groups(log)
    log.fails = lambda rows: StorageUnavailable()
    with pytest.raises(StorageUnavailable):
        await commits.add(row(1))
    log.fails = lambda rows: None
    assert await commits.add(row(1)) is False


async def test_close_waits_for_what_is_on_its_way(log, room):
    commits = commit_groups(log)
    for number in range(5):
        commits.add(row(number))
    await commits.close()
    assert len(await room.rows()) == 5


async def test_whoever_handles_events_is_woken_once_a_group_and_not_for_repeats(log):
    commits = commit_groups(log)
    await asyncio.gather(*(commits.add(row(number)) for number in range(5)))
    assert log.news == [1]
    await commits.add(row(1))
    assert log.news == [1]


async def test_when_the_writer_is_cancelled_nobody_is_left_waiting_and_nobody_is_told_stored(log):
    commits = commit_groups(log)
    log.gate.clear()
    waiting = [commits.add(row(number)) for number in range(3)]
    await asyncio.sleep(0)
    waiting.append(commits.add(row(9)))
    commits._writer.cancel()
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
    assert [type(result) for result in results] == [StorageUnavailable] * 4
    log.gate.set()
    assert await commits.add(row(1)) is False
