import pytest

from fankeep.inbox.first_facts import FirstFacts
from fankeep.store import Command, Statement, events
from fankeep.store.events import NewEvent

STATES = Statement("SELECT state FROM events ORDER BY seq", str)
LONG_AGO = Command("UPDATE events SET received_at = received_at - 200")
FOLLOW = {"secret_name": "s", "fan_index": b"f" * 16, "payload": b"p", "occurred_at": 1_800_000_000.0}


@pytest.fixture
def told(room):
    """Store events as the log does, by a clock of the test."""
    now = [1000.0]
    facts = FirstFacts(lambda: now[0])

    async def store(number, type_name, *, modern=False, later=0.0, **more):
        now[0] += later
        family = "creator" if type_name.startswith("creator.") else "legacy"
        values = {"creator": room.creator, **FOLLOW, **more}
        event = NewEvent(digest=number.to_bytes(16), family=family, type=type_name, **values)
        creators = [room.creator] if modern else []

        async def work(tx):
            await events.insert(tx, [event], modern=creators)
            if facts.concern(creators):
                await facts.tell_once(tx, [event], creators)
            return (await tx.all(STATES))[-1]

        return await room.database.write(work)

    store.facts = facts
    return store


async def test_a_fact_that_was_told_by_its_old_name_is_not_told_by_its_new_one(told):
    assert await told(1, "follow.new") == "pending"
    assert await told(2, "creator.follow.created", modern=True) == "shadow"


async def test_a_second_fact_is_compared_as_well_though_its_creator_is_no_longer_new(told):
    await told(1, "follow.new")
    await told(2, "follow.new", fan_index=b"g" * 16)
    assert await told(3, "creator.follow.created", modern=True) == "shadow"
    assert await told(4, "creator.follow.created", fan_index=b"g" * 16, later=30.0) == "shadow"


@pytest.mark.parametrize(
    "other",
    [
        {"fan_index": b"g" * 16},
        {"fan_index": None},
        {"message_index": b"m" * 16},
        {"occurred_at": FOLLOW["occurred_at"] + 1.5},
        {"occurred_at": None},
    ],
    ids=["fan", "no fan", "message", "time", "no time"],
)
async def test_what_may_be_another_fact_is_told(told, other):
    await told(1, "follow.new")
    assert await told(2, "creator.follow.created", modern=True, **other) == "pending"


async def test_what_nobody_has_heard_of_by_its_old_name_is_told(told):
    await told(1, "follow.new", wanted=False)
    assert await told(2, "creator.follow.created", modern=True) == "pending"


async def test_another_kind_of_fact_is_told(told):
    await told(1, "follow.new")
    assert await told(2, "creator.subscription.activated", modern=True) == "pending"


async def test_what_was_told_long_ago_is_no_reason(told, room):
    await told(1, "follow.new")
    await room.database.write(lambda tx: tx.run(LONG_AGO))
    assert await told(2, "creator.follow.created", modern=True) == "pending"


async def test_after_a_minute_nothing_is_compared_any_more(told):
    await told(1, "follow.new")
    await told(2, "creator.follow.created", modern=True)
    assert told.facts.concern([])
    await told(3, "creator.message.sent", later=61.0)
    assert not told.facts.concern([])


async def test_a_creator_of_whom_the_old_family_has_not_come_is_no_concern(told):
    assert await told(1, "creator.follow.created", modern=True) == "pending"
    assert not told.facts.concern([])
