import asyncio

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.fanvue.details import Message
from fankeep.inbox import DatabaseLog, Dispatcher
from fankeep.policy import RetrySchedule
from fankeep.store import Command, Statement, events

STALE_CLAIM = Command("UPDATE events SET due_at = {now} - 1")
FAR_OFF = Command("UPDATE events SET due_at = {now} + 1e9")
SPOILED = Command("UPDATE events SET payload = digest")
RELABELLED = Command("UPDATE events SET type = 'creator.tip.received'")
OTHER_FAMILY = Command("UPDATE events SET family = 'legacy'")
ADD = Command("INSERT INTO effects (id) VALUES (:id)")
EFFECTS = Statement("SELECT id FROM effects", str)


class Effects:
    """A two-phase handler: writes the event's id into a table."""

    def __init__(self):
        self.fails = 0

    async def prepare(self, event):
        await asyncio.sleep(0)
        return event.id

    async def apply(self, tx, prepared):
        await tx.run(ADD, id=prepared)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("on purpose")


@pytest.fixture
async def effects(room):
    await room.database.write(lambda tx: tx.run(Command("CREATE TABLE IF NOT EXISTS effects (id TEXT)")))
    return lambda: room.database.read(lambda tx: tx.all(EFFECTS))


async def until(condition, *, seconds=30.0):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.005)


async def run(room, dispatcher, *, until_state=("handled", "dead"), grace=5.0):
    running = asyncio.create_task(dispatcher.run())

    async def settled():
        return all(row["state"] in until_state for row in await room.rows())

    await until(settled)
    await dispatcher.stop(grace=grace)
    await running


async def settled_as(room, reason):
    return all(row["reason"] == reason for row in await room.rows())


async def handled(room):
    return all(row["state"] == "handled" for row in await room.rows())


async def two_of(got):
    return len(got) == 2


async def accept(room, *bodies):
    inbox = room.inbox()
    return [await inbox.accept(room.verified(body)) for body in bodies or [room.message()]]


async def test_a_handler_gets_the_event_with_the_fields_that_were_kept(room):
    (accepted,) = await accept(room)
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("creator.message.received")
    async def remember(event):
        got.append(event)

    await run(room, dispatcher)
    (event,) = got
    assert (event.id, event.type, event.creator) == (
        accepted.event_id,
        "creator.message.received",
        room.creator,
    )
    assert (event.family, event.attempt, event.replayed) == ("creator", 1, False)
    assert event.data["fan"] == {"uuid": room.fan}
    assert "text" not in event.data
    assert event.occurred_at == 1794694400.0
    assert (await room.rows())[0]["state"] == "handled"


async def test_an_event_accepted_while_it_runs_is_handed_over_at_once(room):
    dispatcher = room.dispatcher(poll=60.0)
    got = asyncio.Event()

    @dispatcher.on("*")
    async def remember(event):
        got.set()

    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0.05)
    await accept(room)
    dispatcher.wake()
    await asyncio.wait_for(got.wait(), 30)
    await dispatcher.stop()
    await running


async def test_an_event_without_a_handler_is_done_and_says_so(room):
    await accept(room)
    await run(room, room.dispatcher())
    (row,) = await room.rows()
    assert (row["state"], row["reason"]) == ("handled", "no_handler")


async def test_a_shadowed_event_reaches_no_handler(room):
    await accept(room, room.message(), room.tip())
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append(event.family)

    await run(room, dispatcher, until_state=("handled", "shadow"))
    assert got == ["creator"]


@pytest.mark.parametrize("pattern", ["creator.message.received", "message.received", "*.received", "*"])
@pytest.mark.parametrize("old", [True, False], ids=["legacy", "new"])
async def test_one_handler_gets_the_legacy_and_the_new_name_of_a_fact_and_sees_which_came(room, pattern, old):
    await accept(room, room.legacy_message() if old else room.message())
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on(pattern)
    async def remember(event):
        got.append((event.type, event.as_(Message).fan.uuid))

    await run(room, dispatcher)
    assert got == [("message.received" if old else "creator.message.received", room.fan)]


@pytest.mark.parametrize(
    ("source", "handled_as"),
    [("tip", ["tip.new"]), ("message", ["purchase.new"]), ("renewal", []), (None, [])],
)
async def test_a_payment_reaches_the_handler_of_the_legacy_name_that_it_would_have_had(
    room, source, handled_as
):
    data = {"source": source, "gross": 500, "creator": {"uuid": room.creator}}
    await accept(room, {"id": "evt_1", "type": "creator.payment.succeeded", "data": data})
    dispatcher, got = room.dispatcher(), []
    for name in ("tip.new", "purchase.new", "subscription.new"):

        @dispatcher.on(name)
        async def remember(event, name=name):
            got.append(name)

    await run(room, dispatcher)
    assert got == handled_as
    assert (await room.rows())[0]["reason"] == (None if got else "no_handler")


async def test_both_families_of_one_fact_reach_its_one_handler_once(room):
    await accept(room, room.message(), room.legacy_message())
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("message.received")
    async def remember(event):
        got.append(event.type)

    await run(room, dispatcher, until_state=("handled", "shadow"))
    assert got == ["creator.message.received"]


async def test_one_fact_whose_old_name_comes_first_reaches_its_one_handler_once(room):
    uuid = room.legacy_message()["messageUuid"]
    again, later = ({"timestamp": f"2026-11-14T22:13:{second}.000Z"} for second in (40, 43))
    tip = {"source": "tip", "gross": 500, "message_uuid": uuid, "purchaser": {"uuid": room.fan}}
    payment = {"id": "evt_3", "type": "creator.payment.succeeded", "timestamp": room.tip()["timestamp"]}
    payment["data"] = tip | {"creator": {"uuid": room.creator}}
    await accept(room, room.legacy_message(), room.tip(), room.tip(**again))
    await accept(room, room.message("evt_1", uuid=uuid), room.message("evt_2"), payment)
    await accept(room, payment | again | {"id": "evt_4"}, payment | later | {"id": "evt_5"})
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("message.received")
    @dispatcher.on("creator.payment.*")
    async def remember(event):
        got.append(event.type)

    await run(room, dispatcher, until_state=("handled", "shadow"))
    new = ["creator.message.received", "creator.payment.succeeded"]
    assert sorted(got) == [*new, "message.received", "tip.new", "tip.new"]
    assert [row["state"] for row in await room.rows()].count("shadow") == 3


async def test_a_handler_that_raises_is_tried_again_and_can_succeed(room):
    await accept(room)
    dispatcher, attempts = room.dispatcher(), []

    @dispatcher.on("*")
    async def fail_once(event):
        attempts.append(event.attempt)
        if len(attempts) == 1:
            raise RuntimeError("canary-message")

    await run(room, dispatcher, until_state=("handled",))
    assert attempts == [1, 2]


async def test_a_handler_that_always_raises_ends_as_a_dead_letter_with_its_reason(room, caplog):
    await accept(room)
    dispatcher = room.dispatcher()

    @dispatcher.on("*")
    async def fail(event):
        raise RuntimeError("canary-message")

    await run(room, dispatcher)
    (row,) = await room.rows()
    assert (row["state"], row["reason"], row["attempts"]) == ("dead", "handler_failed", 3)
    assert "event_dead" in caplog.text
    assert "canary" not in caplog.text


async def test_a_handler_that_hangs_is_cut_off_and_tried_again(room):
    await accept(room)
    dispatcher = room.dispatcher(timeout=0.02)

    @dispatcher.on("*")
    async def hang(event):
        await asyncio.sleep(60)

    await run(room, dispatcher)
    (row,) = await room.rows()
    assert (row["state"], row["reason"]) == ("dead", "timed_out")


async def test_a_handler_with_less_time_than_the_others_is_cut_off_by_itself(room):
    await accept(room)
    dispatcher, ended = room.dispatcher(), []

    @dispatcher.on("*")
    async def quick(event):
        await asyncio.sleep(0.03)
        ended.append(event.attempt)

    @dispatcher.on("*", timeout=0.01)
    async def hang(event):
        await asyncio.sleep(60)

    await run(room, dispatcher)
    (row,) = await room.rows()
    assert (row["state"], row["reason"]) == ("dead", "timed_out")
    assert ended == [1, 2, 3]


async def test_a_time_out_of_the_handlers_own_is_a_failure_and_not_ours(room):
    await accept(room)
    dispatcher = room.dispatcher()

    @dispatcher.on("*")
    async def fail(event):
        raise TimeoutError

    await run(room, dispatcher)
    assert (await room.rows())[0]["reason"] == "handler_failed"


async def test_failures_wait_for_their_turn_by_the_schedule(room):
    await accept(room)
    slow = RetrySchedule(first=100.0, factor=1.0, cap=100.0, tries=3)
    dispatcher, attempts = room.dispatcher(retries=slow), []

    @dispatcher.on("*")
    async def fail(event):
        attempts.append(event.attempt)
        raise RuntimeError

    running = asyncio.create_task(dispatcher.run())
    await until(lambda: settled_as(room, "handler_failed"))
    await asyncio.sleep(0.1)
    await dispatcher.stop()
    await running
    assert attempts == [1]


async def test_an_event_whose_process_died_at_every_try_is_not_tried_for_ever(room):
    await accept(room)
    for name in ("a", "b", "c"):
        await room.database.write(lambda tx, name=name: events.claim(tx, claim=name, limit=1, lease=30.0))
        await room.database.write(lambda tx: tx.run(STALE_CLAIM))
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append(event)

    await run(room, dispatcher)
    (row,) = await room.rows()
    assert (row["state"], row["reason"]) == ("dead", "crashed")
    assert got == []


async def test_a_claim_that_stands_is_left_to_its_holder_and_taken_when_it_ends(room):
    await accept(room)
    await room.database.write(lambda tx: events.claim(tx, claim="other", limit=1, lease=30.0))
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append(event.attempt)

    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0.1)
    assert got == []
    await room.database.write(lambda tx: tx.run(STALE_CLAIM))
    await until(lambda: handled(room))
    await dispatcher.stop()
    await running
    assert got == [2]


async def test_an_event_due_absurdly_late_after_the_clock_was_set_back_is_taken_now(room):
    await accept(room)
    await room.database.write(lambda tx: tx.run(FAR_OFF))
    await run(room, room.dispatcher())
    assert (await room.rows())[0]["state"] == "handled"


@pytest.mark.parametrize("change", [SPOILED, RELABELLED, OTHER_FAMILY], ids=["spoiled", "type", "family"])
async def test_a_payload_that_does_not_open_is_a_dead_letter_and_reaches_no_handler(room, change):
    await accept(room)
    await room.database.write(lambda tx: tx.run(change))
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append(event)

    await run(room, dispatcher)
    assert (await room.rows())[0]["reason"] == "unreadable"
    assert got == []


async def test_an_event_of_an_erased_creator_is_handed_over_without_its_data(room):
    await accept(room)
    await room.keys.destroy(room.creator)
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append(event.data)

    await run(room, dispatcher)
    assert got == [{}]


async def test_the_effect_and_the_mark_of_a_two_phase_handler_commit_together(room, effects):
    (accepted,) = await accept(room)
    dispatcher = room.dispatcher()
    dispatcher.on("*")(Effects())
    await run(room, dispatcher)
    assert await effects() == [accepted.event_id]
    assert (await room.rows())[0]["state"] == "handled"


async def test_an_effect_that_fails_halfway_leaves_nothing_and_is_applied_once_at_the_next_try(room, effects):
    (accepted,) = await accept(room)
    dispatcher, handler = room.dispatcher(), Effects()
    handler.fails = 1
    dispatcher.on("*")(handler)
    await run(room, dispatcher, until_state=("handled",))
    assert await effects() == [accepted.event_id]
    assert (await room.rows())[0]["attempts"] == 2


async def test_an_effect_whose_claim_passed_to_another_is_not_applied(room, effects):
    await accept(room)

    class Slow(Effects):
        async def prepare(self, event):
            await room.database.write(lambda tx: tx.run(STALE_CLAIM))
            taken = await room.database.write(lambda tx: events.claim(tx, claim="other", limit=1, lease=30.0))
            assert len(taken) == 1
            done.set()
            return event.id

    dispatcher, done = room.dispatcher(), asyncio.Event()
    dispatcher.on("*")(Slow())
    running = asyncio.create_task(dispatcher.run())
    await asyncio.wait_for(done.wait(), 30)
    await dispatcher.stop()
    await running
    assert await effects() == []
    assert (await room.rows())[0]["state"] == "pending"


async def test_effects_of_several_handlers_are_applied_together_or_not_at_all(room, effects):
    (accepted,) = await accept(room)
    dispatcher, failing = room.dispatcher(), Effects()
    failing.fails = 1
    dispatcher.on("*")(Effects())
    dispatcher.on("creator.*")(failing)
    await run(room, dispatcher, until_state=("handled",))
    assert await effects() == [accepted.event_id] * 2


async def test_no_more_events_are_in_hand_at_once_than_allowed(room):
    await accept(room, *(room.message(f"evt_{number}") for number in range(12)))
    dispatcher, now, most = room.dispatcher(concurrency=3), [], []

    @dispatcher.on("*")
    async def watch(event):
        now.append(event.id)
        most.append(len(now))
        await asyncio.sleep(0.01)
        now.remove(event.id)

    await run(room, dispatcher)
    assert max(most) == 3
    assert len(most) == 12


async def test_two_dispatchers_whose_handlers_fail_keep_each_creators_order(room):
    other = "00000000-0000-4000-8000-00000000b0b0"
    creators = [room.creator, other] * 8
    bodies = [room.message(f"evt_{n}", creator=creator) for n, creator in enumerate(creators)]
    accepted = await accept(room, *bodies)
    order = {one.event_id: number for number, one in enumerate(accepted)}
    log, seen, failed, handled = DatabaseLog(room.database, ordered=True), [], set(), []

    async def handle(event):
        seen.append(order[event.id])
        await asyncio.sleep(0)
        if order[event.id] in (4, 5, 9) and event.id not in failed:
            failed.add(event.id)
            raise RuntimeError
        if order[event.id] == 6:  # at every try
            raise RuntimeError
        handled.append(order[event.id])

    retries = RetrySchedule(first=0.02, factor=1.0, cap=0.02, tries=3)
    dispatchers = [Dispatcher(log, room.keys, retries=retries, poll=0.01) for _ in range(2)]
    for dispatcher in dispatchers:
        dispatcher.on("*")(handle)
    second = asyncio.create_task(dispatchers[1].run())
    await run(room, dispatchers[0])
    await dispatchers[1].stop()
    await second
    assert [number for number in seen if number % 2 == 0] == [0, 2, 4, 4, 6, 6, 6, 8, 10, 12, 14]
    assert [number for number in handled if number % 2] == [1, 3, 5, 7, 9, 11, 13, 15]
    assert [row["state"] for row in await room.rows()].count("dead") == 1


async def test_stop_lets_a_running_handler_finish(room):
    await accept(room)
    dispatcher, started = room.dispatcher(), asyncio.Event()

    @dispatcher.on("*")
    async def slow(event):
        started.set()
        await asyncio.sleep(0.1)

    running = asyncio.create_task(dispatcher.run())
    await started.wait()
    await dispatcher.stop()
    await running
    assert (await room.rows())[0]["state"] == "handled"


async def test_stop_puts_back_what_does_not_finish_in_its_grace(room):
    await accept(room)
    dispatcher, started = room.dispatcher(), asyncio.Event()

    @dispatcher.on("*")
    async def hang(event):
        started.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(dispatcher.run())
    await started.wait()
    await dispatcher.stop(grace=0.05)
    await running
    (row,) = await room.rows()
    assert (row["state"], row["reason"]) == ("pending", "interrupted")
    assert len(await room.database.write(lambda tx: events.claim(tx, claim="n", limit=1, lease=1.0))) == 1


async def test_a_replayed_event_is_handed_over_again_and_says_so(room):
    (accepted,) = await accept(room)
    dispatcher, got = room.dispatcher(), []

    @dispatcher.on("*")
    async def remember(event):
        got.append((event.id, event.attempt, event.replayed))

    running = asyncio.create_task(dispatcher.run())
    await until(lambda: handled(room))
    digest = bytes.fromhex(accepted.event_id)
    assert await room.database.write(lambda tx: events.replay(tx, digest))
    await until(lambda: two_of(got))
    await dispatcher.stop()
    await running
    assert got == [(accepted.event_id, 1, False), (accepted.event_id, 1, True)]


async def test_a_replay_of_nothing_is_told(room):
    assert not await room.database.write(lambda tx: events.replay(tx, b"x" * 16))


async def test_a_database_that_fails_for_a_while_does_not_end_the_dispatcher(room):
    class Shaky(DatabaseLog):
        failures = 3

        async def claim(self, *, limit, lease):
            if self.failures:
                self.failures -= 1
                raise StorageUnavailable
            return await super().claim(limit=limit, lease=lease)

    await accept(room)
    await run(room, Dispatcher(Shaky(room.database), room.keys, poll=0.01))
    assert (await room.rows())[0]["state"] == "handled"


async def test_a_settlement_that_fails_is_tried_again_before_the_claim_ends(room):
    class Shaky(DatabaseLog):
        failures = 1

        async def settle(self, settlements):
            if self.failures:
                self.failures -= 1
                raise StorageUnavailable
            await super().settle(settlements)

    await accept(room)
    await run(room, Dispatcher(Shaky(room.database), room.keys, poll=0.01))
    (row,) = await room.rows()
    assert (row["state"], row["attempts"]) == ("handled", 1)


async def test_events_that_come_in_another_order_are_all_handled_and_keep_their_own_times(room):
    times = [f"2026-11-14T22:13:2{second}.000Z" for second in range(5)]
    inbox, dispatcher, seen = room.inbox(), room.dispatcher(concurrency=1), []

    @dispatcher.on("*")
    async def look(event):
        seen.append((event.id, event.occurred_at))

    accepted = {}
    for second in (3, 0, 4, 2, 1):
        body = room.message(f"evt_{second}") | {"timestamp": times[second]}
        accepted[(await inbox.accept(room.verified(body))).event_id] = second
    await run(room, dispatcher)

    start = min(time for _, time in seen)
    assert {identifier: time - start for identifier, time in seen} == accepted
