"""What every place where events are kept promises to those who accept and dispatch."""

import asyncio

import pytest

from fankeep.errors import StorageError
from fankeep.inbox import DatabaseLog
from fankeep.inbox.group_commit import GroupCommit
from fankeep.store import Command, Statement, deletions, erasure, events, open_data, users
from fankeep.store.events import NewEvent, Settlement

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
LONG_AGO = Command("UPDATE events SET received_at = received_at - 300000")
OTHER = "00000000-0000-4000-8000-00000000beef"
STALE = Command("UPDATE events SET due_at = {now} - 1")
NOTE = Command("UPDATE users SET erased_at = 1 WHERE id = :id")
NOTED = Statement("SELECT count(*) FROM users WHERE erased_at = 1", int)
RECORDED = Statement("SELECT reason FROM events WHERE handled_at IS NOT NULL", str)
SPOIL = Command("UPDATE events SET attempts = 9223372036854775807 WHERE seq = 1")
KEPT = Statement(
    "SELECT payload IS NOT NULL, fan_index IS NOT NULL, dropped <> '' FROM events ORDER BY seq",
    lambda *kept: tuple(bool(column) for column in kept),
)
WITH_PAYLOAD = Statement("SELECT type FROM events WHERE payload IS NOT NULL", str)
BESIDE = Command("UPDATE events SET payload = digest WHERE payload IS NULL")
STATES = Statement("SELECT state FROM events ORDER BY seq", str)


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    await opened.write(lambda tx: users.add(tx, CREATOR))
    yield opened
    await opened.close()


@pytest.fixture
def log(database):
    return DatabaseLog(database)


def new(number, **more):
    values = {"family": "creator", "type": "a.b", "creator": CREATOR, "secret_name": "s", "occurred_at": 1.5}
    kept = {"payload": bytes([number]) * 40, "fan_index": b"f" * 16, "dropped": "text fan.handle"}
    return NewEvent(number.to_bytes(16), **values | kept | more)


async def states(database):
    return await database.read(lambda tx: tx.all(STATES))


async def test_what_was_added_comes_back_as_it_was(log):
    assert await log.add([new(1)], modern=[]) == frozenset()
    (claimed,) = await log.claim(limit=10, lease=30.0)
    assert (claimed.digest, claimed.family, claimed.type, claimed.creator) == (
        new(1).digest,
        "creator",
        "a.b",
        CREATOR,
    )
    assert (claimed.payload, claimed.occurred_at) == (new(1).payload, 1.5)
    assert (claimed.attempts, claimed.replays) == (1, 0)
    assert claimed.received_at > 1.7e9


@pytest.mark.parametrize("missing", ["creator", "occurred_at", "payload", "fan_index"])
async def test_what_is_not_known_may_be_missing(log, missing):
    await log.add([new(1, **{missing: None})], modern=[])
    (claimed,) = await log.claim(limit=10, lease=30.0)
    if missing != "fan_index":
        assert getattr(claimed, missing) is None


async def test_what_nobody_wants_is_stored_as_handled_and_never_handed_out(log, database):
    await log.add([new(1, wanted=False), new(2)], modern=[])
    assert await states(database) == ["handled", "pending"]
    assert [claimed.digest for claimed in await log.claim(limit=10, lease=30.0)] == [new(2).digest]
    assert await database.read(lambda tx: tx.all(RECORDED)) == ["no_handler"]


async def test_what_nobody_wants_is_shadow_first(log, database):
    await log.add([new(1, wanted=False, family="legacy")], modern=[CREATOR])
    assert await states(database) == ["shadow"]


async def test_what_was_there_before_is_told_and_not_added_twice(log, database):
    await log.add([new(1), new(2)], modern=[])
    assert await log.add([new(1), new(3)], modern=[]) == {new(1).digest}
    assert len(await states(database)) == 3


async def test_a_group_with_a_row_that_breaks_the_rules_is_refused_whole(log, database):
    with pytest.raises(StorageError):
        await log.add([new(1), new(2, type=None)], modern=[])
    assert await states(database) == []


async def test_a_claimed_event_is_nobody_elses_until_its_lease_ends(log, database):
    await log.add([new(1)], modern=[])
    assert len(await log.claim(limit=10, lease=30.0)) == 1
    assert await log.claim(limit=10, lease=30.0) == []
    await database.write(lambda tx: tx.run(STALE))
    (again,) = await log.claim(limit=10, lease=30.0)
    assert again.attempts == 2


async def test_claims_at_the_same_time_never_share_an_event(log):
    await log.add([new(number) for number in range(40)], modern=[])
    batches = await asyncio.gather(*(log.claim(limit=7, lease=30.0) for _ in range(8)))
    taken = [claimed.seq for batch in batches for claimed in batch]
    assert len(taken) == len(set(taken)) == 40
    assert max(len(batch) for batch in batches) == 7


async def test_a_settled_event_is_not_claimed_again(log, database):
    await log.add([new(1), new(2)], modern=[])
    done, dead = await log.claim(limit=2, lease=30.0)
    await log.settle(
        [Settlement(done.seq, done.claim, "handled"), Settlement(dead.seq, dead.claim, "dead", "why")]
    )
    await database.write(lambda tx: tx.run(STALE))
    assert await log.claim(limit=2, lease=30.0) == []
    assert await states(database) == ["handled", "dead"]


async def test_a_postponed_event_comes_when_it_is_due(log):
    await log.add([new(1), new(2)], modern=[])
    now, later = await log.claim(limit=2, lease=30.0)
    await log.settle(
        [
            Settlement(now.seq, now.claim, "pending", "why", 0.0),
            Settlement(later.seq, later.claim, "pending", "why", 60.0),
        ]
    )
    assert [claimed.seq for claimed in await log.claim(limit=2, lease=30.0)] == [now.seq]


async def test_a_settlement_of_a_lost_claim_changes_nothing(log, database):
    await log.add([new(1)], modern=[])
    (lost,) = await log.claim(limit=1, lease=30.0)
    await database.write(lambda tx: tx.run(STALE))
    await log.claim(limit=1, lease=30.0)
    await log.settle([Settlement(lost.seq, lost.claim, "handled")])
    assert await states(database) == ["pending"]


async def note(tx):
    await tx.run(NOTE, id=CREATOR)


async def test_an_effect_and_its_mark_are_both_there(log, database):
    await log.add([new(1)], modern=[])
    (claimed,) = await log.claim(limit=1, lease=30.0)
    assert await log.complete(claimed, note)
    assert await states(database) == ["handled"]
    assert await database.read(lambda tx: tx.one(NOTED)) == 1


async def test_an_effect_of_a_lost_claim_leaves_nothing(log, database):
    await log.add([new(1)], modern=[])
    (lost,) = await log.claim(limit=1, lease=30.0)
    await database.write(lambda tx: tx.run(STALE))
    await log.claim(limit=1, lease=30.0)
    assert not await log.complete(lost, note)
    assert await database.read(lambda tx: tx.one(NOTED)) == 0


async def test_an_effect_that_raises_leaves_neither_mark_nor_trace(log, database):
    async def fail(tx):
        await note(tx)
        raise LookupError

    await log.add([new(1)], modern=[])
    (claimed,) = await log.claim(limit=1, lease=30.0)
    with pytest.raises(LookupError):
        await log.complete(claimed, fail)
    assert await states(database) == ["pending"]
    assert await database.read(lambda tx: tx.one(NOTED)) == 0


async def test_an_event_takes_effect_once_however_often_it_is_completed(log):
    await log.add([new(1)], modern=[])
    (claimed,) = await log.claim(limit=1, lease=30.0)
    assert [await log.complete(claimed, note) for _ in range(3)] == [True, False, False]


async def test_legacy_events_of_a_modern_creator_are_kept_and_never_handed_out(log, database):
    await log.add([new(1, family="legacy")], modern=[])
    await log.add([new(2, family="legacy"), new(3)], modern=[CREATOR])
    await log.add([new(4, family="legacy")], modern=[])
    assert await states(database) == ["pending", "shadow", "pending", "shadow"]
    assert len(await log.claim(limit=10, lease=30.0)) == 2


def message(number, family, index=b"m" * 16, **more):
    kind = "message.received" if family == "legacy" else "creator.message.received"
    return new(number, family=family, type=kind, message_index=index, **more)


async def test_a_message_that_the_legacy_family_told_of_first_has_no_second_effect(log, database):
    await log.add([message(1, "legacy"), message(2, "legacy", b"n" * 16)], modern=[])
    await log.add([message(3, "creator", b"n" * 16), message(4, "creator", b"o" * 16)], modern=[CREATOR])
    await log.add([message(5, "creator")], modern=[CREATOR])
    assert await database.read(lambda tx: tx.all(STATES)) == [
        "pending",
        "pending",
        "shadow",
        "pending",
        "shadow",
    ]


@pytest.mark.usefixtures("time_to_wait")
async def test_a_first_message_that_two_gateways_are_told_of_by_both_names_has_one_effect(
    log, database, database_urls
):
    other = await open_data(database_urls.data, create=False)
    for number in range(60):
        creator = f"creator-{number}"
        await database.write(lambda tx, creator=creator: users.add(tx, creator))
        old = message(2 * number, "legacy", index=bytes([number]) * 16, creator=creator)
        now = message(2 * number + 1, "creator", index=bytes([number]) * 16, creator=creator)
        await asyncio.gather(
            log.add([old], modern=[]),
            DatabaseLog(other).add([now], modern=[creator]),
        )
    await other.close()

    handed_out = await states(database)
    assert (handed_out.count("pending"), handed_out.count("shadow")) == (60, 60)


@pytest.mark.usefixtures("time_to_wait")
async def test_many_groups_of_several_processes_that_hold_each_other_up_all_come_through(
    database, database_urls
):
    others = [await open_data(database_urls.data, create=False) for _ in range(3)]
    logs = [DatabaseLog(opened) for opened in (database, *others)]

    async def process(place, log):
        for turn in range(12):
            await asyncio.gather(*(store(log, (turn * 5 + part * 3 + place) % 40) for part in range(4)))

    async def store(log, start):
        # Overlapping: the same events, creators and deleted messages as other groups of this moment.
        numbers = sorted({(start + step) % 40 for step in range(10)})
        group = [
            message(
                number,
                "legacy" if number % 2 else "creator",
                index=bytes([number // 4]) * 16,
                creator=f"creator-{number // 2}",
                deletes=number % 8 == 0,
            )
            for number in numbers
        ]
        modern = sorted({event.creator for event in group if event.family == "creator"})
        await log.add(group, modern=modern)

    await asyncio.gather(*(process(place, log) for place, log in enumerate(logs)))
    for opened in others:
        await opened.close()

    assert len(await states(database)) == 40


async def test_a_creator_who_was_erased_and_connects_again_is_told_of_by_one_family(database):
    gateway = GroupCommit(DatabaseLog(database), stored=lambda: None)
    await gateway.add(message(1, "creator"))
    await database.write(lambda tx: erasure.erase(tx, CREATOR))
    await database.write(lambda tx: users.add(tx, CREATOR))

    await gateway.add(message(2, "creator", b"n" * 16))
    await gateway.add(message(3, "legacy", b"n" * 16))

    assert await states(database) == ["pending", "shadow"]


async def test_a_message_whose_legacy_event_nobody_handled_takes_effect_in_the_other_family(log, database):
    await log.add([message(1, "legacy", wanted=False)], modern=[])
    await log.add([message(2, "creator")], modern=[CREATOR])
    assert await database.read(lambda tx: tx.all(STATES)) == ["handled", "pending"]


async def test_what_the_legacy_family_told_of_long_ago_is_not_looked_through(log, database):
    await log.add([message(1, "legacy")], modern=[])
    await database.write(lambda tx: tx.run(LONG_AGO))
    await log.add([message(2, "creator")], modern=[CREATOR])
    assert await database.read(lambda tx: tx.all(STATES)) == ["pending", "pending"]


async def test_one_creators_legacy_message_does_not_take_anothers_effect(log, database):
    await log.add([message(1, "legacy", creator=OTHER)], modern=[])
    await log.add([message(2, "creator", b"n" * 16)], modern=[CREATOR])
    assert await database.read(lambda tx: tx.all(STATES)) == ["pending", "pending"]


async def test_the_backlog_is_counted_with_the_age_of_its_oldest(log, database):
    assert await database.read(events.backlog) == (0, 0, None, None)
    await log.add([new(1), new(2)], modern=[])
    assert 0 <= (await database.read(events.backlog)).overdue < 60
    first, _ = await log.claim(limit=2, lease=30.0)
    await log.settle([Settlement(first.seq, first.claim, "dead", "why")])
    pending, dead, age, overdue = await database.read(events.backlog)
    assert (pending, dead, overdue) == (1, 1, None)
    assert 0 <= age < 60


async def test_a_replayed_event_is_waiting_and_not_the_oldest(log, database):
    await log.add([new(1)], modern=[])
    await database.write(lambda tx: events.replay(tx, new(1).digest))
    pending, _, age, overdue = await database.read(events.backlog)
    assert (pending, age) == (1, None)
    assert overdue >= 0


async def test_a_row_with_an_impossible_count_does_not_stop_the_others(log, database):
    await log.add([new(1), new(2)], modern=[])
    await database.write(lambda tx: tx.run(SPOIL))
    claimed = await log.claim(limit=10, lease=30.0)
    assert [event.digest for event in claimed] == [new(1).digest, new(2).digest]
    assert claimed[0].attempts > 1000


FULL = (True, True, True)
EMPTY = (False, False, False)
MESSAGE = b"m" * 16


def about(number, message=MESSAGE, **more):
    return new(number, **{"type": "message.received", "message_index": message} | more)


def deletion(number, message=MESSAGE, **more):
    return about(number, message, type="message.deleted", deletes=True, **more)


async def look_again(tx):
    return await deletions.empty(tx, await deletions.since(tx, age=60.0, after=b"", limit=500))


async def kept(database):
    return await database.read(lambda tx: tx.all(KEPT))


async def test_a_deletion_empties_every_event_about_its_message_and_keeps_its_own_payload(log, database):
    await log.add([about(1), about(2, family="legacy", type="a.tip"), about(3, b"o" * 16), new(4)], modern=[])
    handled, dead, *_ = await log.claim(limit=2, lease=30.0)
    await log.settle(
        [Settlement(handled.seq, handled.claim, "handled"), Settlement(dead.seq, dead.claim, "dead")]
    )
    await log.add([deletion(5)], modern=[])
    assert await kept(database) == [EMPTY, EMPTY, FULL, FULL, FULL]
    assert await states(database) == ["handled", "dead", "pending", "pending", "pending"]


async def test_a_deletion_and_its_message_in_one_group_leave_only_the_deletion_s_payload(log, database):
    await log.add([about(1), deletion(2), about(3)], modern=[])
    assert await kept(database) == [EMPTY, FULL, EMPTY]


async def test_what_comes_after_the_deletion_of_its_message_is_stored_empty(log, database):
    await log.add([deletion(1)], modern=[])
    await log.add([about(2), about(3, b"o" * 16), about(4, None)], modern=[])
    assert await kept(database) == [FULL, EMPTY, FULL, FULL]
    assert len(await log.claim(limit=9, lease=30.0)) == 4


async def test_two_deletions_of_one_message_both_keep_their_payload(log, database):
    await log.add([deletion(1)], modern=[])
    await log.add([deletion(2)], modern=[])
    assert await log.add([deletion(1)], modern=[]) == {deletion(1).digest}
    assert await kept(database) == [FULL, FULL]


async def test_a_deletion_whose_message_is_not_known_by_an_index_empties_nothing(log, database):
    await log.add([about(1), new(2)], modern=[])
    await log.add([deletion(3, None)], modern=[])
    assert await kept(database) == [FULL, FULL, FULL]


async def test_a_deletion_that_is_rolled_back_with_its_group_empties_nothing(log, database):
    await log.add([about(1)], modern=[])
    with pytest.raises(StorageError):
        await log.add([deletion(2), new(3, type=None)], modern=[])
    await log.add([about(4)], modern=[])
    assert await kept(database) == [FULL, FULL]


async def test_what_was_stored_beside_a_deletion_is_emptied_by_the_next_look(log, database):
    await log.add([deletion(1), about(2), about(3, b"o" * 16)], modern=[])
    await database.write(lambda tx: tx.run(BESIDE))
    assert await kept(database) == [FULL, (True, False, False), FULL]
    assert await database.write(look_again) == 1
    assert await database.write(look_again) == 0
    assert await kept(database) == [FULL, EMPTY, FULL]


@pytest.mark.usefixtures("time_to_wait")
async def test_a_message_and_its_deletion_at_the_same_moment_end_without_its_payload(log, database):
    messages = [bytes([number]) * 16 for number in range(40)]
    await asyncio.gather(
        *(log.add([about(number, message)], modern=[]) for number, message in enumerate(messages)),
        *(log.add([deletion(100 + number, message)], modern=[]) for number, message in enumerate(messages)),
    )
    await database.write(look_again)
    left = await database.read(lambda tx: tx.all(WITH_PAYLOAD))
    assert left == ["message.deleted"] * len(messages)
