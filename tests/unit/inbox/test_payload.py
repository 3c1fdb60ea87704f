import pytest

from fankeep.datakeys import KeyGone
from fankeep.errors import SealError
from fankeep.fanvue import EVENT_TYPES, parse_event
from fankeep.fanvue.opt_ins import opted_in
from fankeep.inbox.opening import received
from fankeep.inbox.payload import KeepLists, keep_payload, open_payload
from fankeep.policy import KeepList, minimise
from fankeep.store import Command

RECORD = "0" * 32


def told(event):
    """What the row says about the event."""
    return {"family": event.family, "type_name": event.type}


async def test_ids_times_and_states_are_kept_and_texts_and_names_are_dropped_by_name(room):
    event = parse_event(room.verified(room.message()))
    kept = await keep_payload(room.keys, event, RECORD, event.type)
    opened = await open_payload(room.keys, room.creator, RECORD, kept.sealed, **told(event))
    assert opened["uuid"] == event.message_uuid
    assert opened["fan"] == {"uuid": room.fan}
    assert {"text", "fan.handle"} <= set(kept.dropped)
    assert b"canary" not in kept.sealed


async def test_a_personal_field_is_kept_once_it_was_opted_in_and_no_other_is(room):
    event = parse_event(room.verified(room.message()))
    keep = KeepLists(opted_in(["creator.message.received:text"]))
    kept = await keep_payload(room.keys, event, RECORD, event.type, keep=keep)
    opened = await open_payload(room.keys, room.creator, RECORD, kept.sealed, **told(event))
    assert opened["text"] == "canary-text"
    assert kept.dropped == ("fan.handle",)


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_every_personal_field_of_the_catalogue_can_be_opted_in(kind):
    words = [f"{kind.name}:{path.replace('[]', '').replace('{}', '')}" for path in kind.fields]
    lists = KeepLists(opted_in(words))
    for path in kind.fields:
        value = {"anything": "x"} if path.endswith("{}") else "x"
        for name in reversed(path.replace("[]", "").replace("{}", "").split(".")):
            value = {name: value}
        assert minimise(value, lists.of(kind.name)).kept == value
        assert minimise(value, KeepLists().of(kind.name)).kept == (value if kind.fields[path].kept else {})


def body_of(room, numbers):
    ids = b",".join([b"1e15"] * numbers)
    data = b'{"uuid":"11111111-1111-4111-8111-111111111111","creator":{"uuid":"%b"},"media_uuids":[%b]}'
    head = b'{"id":"e1","type":"creator.message.deleted","timestamp":"2026-11-14T22:13:20.000Z","data":'
    return head + data % (room.creator.encode(), ids) + b"}"


async def test_fields_that_grow_past_what_can_be_sealed_cost_the_event_its_fields_and_alarm(room, caplog):
    await room.inbox().accept(room.verified(room.message()))
    body = body_of(room, 70_000)
    assert len(body) < 1 << 20
    await room.inbox().accept(room.verified(body))
    message, deletion = await room.rows()
    await room.log.claim(limit=1, lease=60)
    (claimed,) = await room.log.claim(limit=1, lease=60)
    assert (claimed.type, (await received(room.keys, claimed)).data) == ("creator.message.deleted", {})
    assert deletion["dropped"] == "creator media_uuids uuid"
    assert '"alarm":"payload_too_large"' in caplog.text
    assert deletion["message"] == message["message"]
    assert not message["payload"]  # what it says about the message counts all the same


async def test_fields_are_kept_up_to_64_kib(room, caplog):
    one = len(b"1000000000000000.0,")
    free = 65_536 - len(
        b'{"uuid":"11111111-1111-4111-8111-111111111111","creator":{"uuid":""},"media_uuids":[]}' + b"x" * 36
    )
    most = (free + 1) // one
    for numbers, whole in ((most, True), (most + 1, False)):
        event = parse_event(room.verified(body_of(room, numbers)))
        kept = await keep_payload(room.keys, event, RECORD, event.type)
        opened = await open_payload(room.keys, room.creator, RECORD, kept.sealed, **told(event))
        assert opened == (event.data if whole else {})
        assert ("payload_too_large" in caplog.text) is not whole


async def test_large_fields_of_a_creator_who_never_connected_are_no_alarm(room, caplog):
    event = parse_event(
        room.verified(body_of(room, 10_000).replace(room.creator.encode(), room.stranger.encode()))
    )
    assert (await keep_payload(room.keys, event, RECORD, event.type)).sealed is None
    assert "alarm" not in caplog.text


async def test_a_key_of_an_opted_in_map_costs_no_payload_and_stands_neither_in_the_row_nor_in_the_log(
    room, caplog
):
    metadata = {"Jane Roe \x1b[2J": {"a": 1}, "nul\x00": [[1]], "plain": "kept"}
    data = {"creator": {"uuid": room.creator}, "metadata": metadata}
    body = {"id": "e1", "type": "checkout_link.payment.succeeded", "data": data}
    caplog.set_level("INFO")
    await room.inbox(keep=KeepLists(opted_in(["*:metadata"]))).accept(room.verified(body))
    (row,) = await room.rows()
    assert (row["payload"], row["dropped"]) == (True, "metadata.?")
    assert '"field":"metadata.?"' in caplog.text
    assert "Jane" not in caplog.text


async def test_nothing_is_kept_for_a_creator_who_never_connected(room):
    event = parse_event(room.verified(room.message(creator=room.stranger)))
    assert (await keep_payload(room.keys, event, RECORD, event.type)).sealed is None


async def test_nothing_is_kept_of_an_event_that_names_no_creator(room):
    event = parse_event(room.verified({"id": "evt_1", "type": "payout.paid", "data": {}}))
    assert (await keep_payload(room.keys, event, RECORD, event.type)).sealed is None


async def test_nothing_is_kept_once_the_creators_key_is_destroyed(room):
    event = parse_event(room.verified(room.message()))
    kept = await keep_payload(room.keys, event, RECORD, event.type)
    await room.keys.destroy(room.creator)
    assert (await keep_payload(room.keys, event, RECORD, event.type)).sealed is None
    with pytest.raises(KeyGone):
        await open_payload(room.keys, room.creator, RECORD, kept.sealed, **told(event))


async def test_an_event_whose_creator_has_a_damaged_key_is_kept_without_its_data_and_alarms(room, caplog):
    event = parse_event(room.verified(room.message()))
    spoil = Command("UPDATE data_keys SET wrapped = :bytes WHERE owner = :owner")
    database = room.keys._ring._database
    await database.write(lambda tx: tx.run(spoil, owner=room.creator, bytes=bytes(61)))
    room.keys._ring._forget(room.creator)
    kept = await keep_payload(room.keys, event, RECORD, event.type)
    assert kept.sealed is None
    assert '"alarm":"seal_failure"' in caplog.text


async def test_a_creator_without_a_key_is_no_alarm(room, caplog):
    event = parse_event(room.verified(room.message(creator=room.stranger)))
    assert (await keep_payload(room.keys, event, RECORD, event.type)).sealed is None
    assert "alarm" not in caplog.text


async def test_a_payload_moved_to_another_event_does_not_open(room):
    event = parse_event(room.verified(room.message()))
    kept = await keep_payload(room.keys, event, RECORD, event.type)
    with pytest.raises(SealError):
        await open_payload(room.keys, room.creator, "1" * 32, kept.sealed, **told(event))


@pytest.mark.parametrize(
    ("family", "type_name"),
    [("creator", "creator.tip.received"), ("legacy", "creator.message.received"), ("creator", "")],
)
async def test_a_payload_whose_row_was_relabelled_does_not_open(room, family, type_name):
    event = parse_event(room.verified(room.message()))
    kept = await keep_payload(room.keys, event, RECORD, event.type)
    with pytest.raises(SealError):
        await open_payload(room.keys, room.creator, RECORD, kept.sealed, family=family, type_name=type_name)


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_the_manifest_of_every_type_can_be_used(name):
    kept = minimise({"uuid": "u", "text": "t", "recipientUuid": "r"}, KeepList(EVENT_TYPES[name].kept)).kept
    assert "text" not in kept
