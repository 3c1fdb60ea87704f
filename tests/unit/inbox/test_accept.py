import asyncio

import pytest

from fankeep.errors import HostileInputError, StorageUnavailable, VerificationError
from fankeep.fanvue import verify_webhook
from fankeep.store import Command, Statement, events

ERASED = Command("UPDATE users SET erased_at = {now} WHERE id = :id")
GRANTS = Statement("SELECT count(*) FROM grants", int)


async def test_a_delivery_is_a_row_once_accept_has_returned(room):
    accepted = await room.inbox().accept(room.verified(room.message()))
    (row,) = await room.rows()
    assert not accepted.duplicate
    assert (row["id"], row["type"], row["creator"]) == (
        accepted.event_id,
        "creator.message.received",
        room.creator,
    )
    assert (row["state"], row["secret"], row["payload"], row["fan"]) == ("pending", "events-tab", 1, 1)
    assert "text" in row["dropped"].split()
    assert room.woken == [1]


async def test_an_event_that_nobody_handles_is_a_record_and_wakes_nobody(room):
    inbox = room.inbox(wanted=lambda type_name: type_name != "creator.message.received")
    await inbox.accept(room.verified(room.message()))
    (row,) = await room.rows()
    assert (row["state"], row["reason"], row["payload"]) == ("handled", "no_handler", 1)
    assert room.woken == []


async def test_an_event_of_our_own_that_tries_the_way_in_is_stored_and_handed_to_nobody(room):
    await room.inbox().accept(room.verified(room.message() | {"type": "fankeep.test"}))
    (row,) = await room.rows()
    assert (row["type"], row["state"], row["reason"]) == ("fankeep.test", "handled", "no_handler")
    assert room.woken == []


async def test_a_group_wakes_the_handlers_when_one_of_its_events_is_wanted(room):
    inbox = room.inbox(wanted=lambda type_name: type_name == "message.received")
    await asyncio.gather(
        inbox.accept(room.verified(room.message(creator=room.stranger))),
        inbox.accept(room.verified(room.legacy_message())),
    )
    assert sorted(row["state"] for row in await room.rows()) == ["handled", "pending"]
    assert room.woken == [1]


async def test_a_repeat_is_the_same_event_and_no_second_row(room):
    inbox = room.inbox()
    first = await inbox.accept(room.verified(room.message()))
    second = await inbox.accept(room.verified(room.message()))
    assert (second.event_id, second.duplicate) == (first.event_id, True)
    assert len(await room.rows()) == 1
    assert room.woken == [1]


async def test_a_storm_of_repeats_in_parallel_is_one_row(room):
    inbox, verified = room.inbox(), room.verified(room.message())
    results = await asyncio.gather(*(inbox.accept(verified) for _ in range(200)))
    assert sum(not result.duplicate for result in results) == 1
    assert len({result.event_id for result in results}) == 1
    assert len(await room.rows()) == 1


async def test_no_plaintext_of_a_message_reaches_the_database(room, stored_bytes):
    await room.inbox().accept(room.verified(room.message()))
    await room.inbox().accept(room.verified(room.legacy_message()))
    content = await stored_bytes()
    assert b"canary" not in content
    assert room.fan.encode() not in content


async def test_a_secret_of_one_creator_does_not_speak_for_another(room):
    verified = room.verified(room.message(), scope=f"creator:{room.stranger}")
    with pytest.raises(VerificationError) as caught:
        await room.inbox().accept(verified)
    assert caught.value.reason == "wrong_scope"
    assert await room.rows() == []


async def test_a_secret_of_one_creator_speaks_for_that_creator(room):
    verified = room.verified(room.message(), scope=f"creator:{room.creator}")
    assert not (await room.inbox().accept(verified)).duplicate


async def test_a_body_that_is_not_json_is_refused_and_not_stored(room):
    with pytest.raises(HostileInputError):
        await room.inbox().accept(room.verified(b"{"))
    assert await room.rows() == []


async def test_an_unknown_type_is_stored_under_its_own_name_without_its_data(room):
    body = room.message() | {"type": "creator.story.viewed"}
    await room.inbox().accept(room.verified(body))
    (row,) = await room.rows()
    assert (row["type"], row["family"]) == ("creator.story.viewed", "unknown")
    assert "text" in row["dropped"].split()


@pytest.mark.parametrize("declared", ["message.received", "Weird Type\n", "", 7, "x" * 999])
async def test_a_type_that_is_not_a_plain_new_name_is_stored_as_unknown(room, declared):
    await room.inbox().accept(room.verified(room.message() | {"type": declared}))
    (row,) = await room.rows()
    assert (row["type"], row["family"]) == ("unknown", "unknown")


async def test_the_events_about_one_message_are_stored_with_its_index(room):
    inbox = room.inbox()
    await inbox.accept(room.verified(room.legacy_message()))
    await inbox.accept(room.verified(room.message(uuid=room.legacy_message()["messageUuid"])))
    await inbox.accept(room.verified(room.message("evt_2")))
    legacy, same, other = [row["message"] for row in await room.rows()]
    assert legacy == same != other
    assert len(other) == 16


async def test_a_deleted_message_loses_its_payload_in_both_families_and_the_deletion_keeps_its_ids(room):
    inbox, uuid = room.inbox(), room.legacy_message()["messageUuid"]
    deleted = room.message("evt_3", uuid=uuid) | {"type": "creator.message.deleted"}
    await inbox.accept(room.verified(room.legacy_message()))
    await inbox.accept(room.verified(room.message("evt_1", uuid=uuid)))
    await inbox.accept(room.verified(room.message("evt_2")))
    await inbox.accept(room.verified(deleted))
    await inbox.accept(room.verified(room.tip()))
    rows = await room.rows()
    assert [(row["payload"], row["fan"]) for row in rows] == [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)]
    assert "text" in rows[3]["dropped"].split()


async def test_one_creator_cannot_delete_the_messages_of_another(room):
    inbox = room.inbox()
    await room.connect(room.stranger)
    await inbox.accept(room.verified(room.message()))
    foreign = room.message("evt_2", creator=room.stranger) | {"type": "creator.message.deleted"}
    await inbox.accept(room.verified(foreign, scope=f"creator:{room.stranger}"))
    assert [row["payload"] for row in await room.rows()] == [1, 1]


async def test_an_event_of_a_creator_who_has_disconnected_keeps_its_fields(room):
    assert await room.database.read(lambda tx: tx.one(GRANTS)) == 0
    await room.inbox().accept(room.verified(room.message()))
    (row,) = await room.rows()
    assert (row["creator"], row["payload"], row["fan"]) == (room.creator, 1, 1)


async def test_an_event_of_a_creator_who_never_connected_is_kept_without_personal_fields(room):
    accepted = await room.inbox().accept(room.verified(room.message(creator=room.stranger)))
    (row,) = await room.rows()
    assert (row["id"], row["payload"], row["fan"], row["message"]) == (accepted.event_id, 0, 0, None)


async def test_an_event_sealed_before_an_erase_and_stored_after_it_loses_its_personal_fields(room):
    await room.database.write(lambda tx: tx.run(ERASED, id=room.creator))
    await room.inbox().accept(room.verified(room.message()))
    (row,) = await room.rows()
    assert (row["payload"], row["fan"], row["message"]) == (0, 0, None)


async def test_legacy_events_are_effective_until_the_creator_has_events_of_the_new_family(room):
    inbox = room.inbox()
    await inbox.accept(room.verified(room.tip(price=1)))
    await inbox.accept(room.verified(room.message()))
    await inbox.accept(room.verified(room.tip(price=2)))
    await room.inbox().accept(room.verified(room.tip(price=3)))
    states = [(row["family"], row["state"]) for row in await room.rows()]
    assert states == [
        ("legacy", "pending"),
        ("creator", "pending"),
        ("legacy", "shadow"),
        ("legacy", "shadow"),
    ]


async def test_one_creators_new_family_leaves_anothers_legacy_events_effective(room):
    inbox = room.inbox()
    await inbox.accept(room.verified(room.message(creator=room.stranger)))
    await inbox.accept(room.verified(room.tip()))
    assert [row["state"] for row in await room.rows()] == ["pending", "pending"]


async def test_a_database_that_does_not_answer_is_no_acceptance(room):
    await room.database.close()
    with pytest.raises(StorageUnavailable):
        await room.inbox().accept(room.verified(room.message()))


async def test_a_caller_that_leaves_does_not_take_the_row_with_it(room):
    inbox = room.inbox()
    await inbox.accept(room.verified(room.message("evt_0")))
    leaving = asyncio.create_task(inbox.accept(room.verified(room.message())))
    await asyncio.sleep(0)
    leaving.cancel()
    await inbox.close()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert len(await room.rows()) == 2


async def test_accept_takes_nothing_but_a_verified_webhook(room):
    verified = room.verified(room.message())
    with pytest.raises(VerificationError):
        verify_webhook(verified.body, "t=1,v0=" + "0" * 64, "another", now=1)
    with pytest.raises(AttributeError):
        await room.inbox().accept(verified.body)
    assert await room.rows() == []


async def test_erasing_a_creator_leaves_rows_without_anything_personal(room):
    await room.inbox().accept(room.verified(room.message()))
    assert await room.database.write(lambda tx: events.erase_creator(tx, room.creator)) == 1
    (row,) = await room.rows()
    assert (row["payload"], row["fan"], row["message"], row["dropped"]) == (0, 0, None, "")
