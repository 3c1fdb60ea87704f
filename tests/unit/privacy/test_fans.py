"""What is stored about one fan: handed over whole, and erased whole, on both engines."""

import asyncio

import pytest

from fankeep.errors import ConfigurationError, StorageUnavailable
from fankeep.privacy import fans as room
from fankeep.privacy.fans import BackUps, Fans
from fankeep.privacy.restoring import settle_restored
from fankeep.store import Command, Statement, open_data, trail

DAY = 86_400.0
STRANGER = "00000000-0000-4000-8000-00000000dead"
LEFT = Statement(
    "SELECT type, payload IS NOT NULL, fan_index IS NOT NULL, dropped FROM events ORDER BY seq",
    lambda type_name, payload, fan, dropped: (type_name, bool(payload), bool(fan), dropped),
)
DAMAGE = Command("UPDATE events SET payload = digest WHERE seq = 1")
IN_USE = Command("UPDATE events SET state = 'dead' WHERE seq = 1")


@pytest.fixture
def fans(hall):
    return Fans(hall.data, hall.datakeys, BackUps(data_days=30, keys_days=7))


async def exported(fans, creator, fan):
    return [event async for event in fans.events(creator, fan, actor="operator:root")]


async def lines(hall):
    return await hall.data.read(lambda tx: trail.page(tx, limit=10))


async def test_every_event_about_a_fan_is_opened_and_nothing_of_anybody_else(hall, fans, monkeypatch):
    monkeypatch.setattr(room, "_PAGE", 2)
    await hall.tip()
    await hall.tip(hall.other)
    await hall.message("evt_1")
    await hall.message("evt_2", creator=hall.bob)
    await hall.tip(price=700)
    tip, message, later = await exported(fans, hall.alice, hall.fan)
    assert (tip.type, tip.family, tip.data["price"], later.data["price"]) == ("tip.new", "legacy", 500, 700)
    assert (message.type, message.data["fan"]["uuid"]) == ("creator.message.received", hall.fan)
    assert message.occurred_at == 1_794_694_400.0
    assert (message.dropped, message.state, later.state) == (("text",), "pending", "shadow")
    assert "uuid" not in repr(message)
    assert len(await exported(fans, hall.bob, hall.fan)) == 1
    assert await exported(fans, hall.bob, hall.other) == []


async def test_an_event_that_does_not_open_is_named_and_does_not_stop_the_others(hall, fans):
    await hall.message("evt_1")
    await hall.message("evt_2")
    await hall.data.write(lambda tx: tx.run(DAMAGE))
    damaged, whole = await exported(fans, hall.alice, hall.fan)
    assert damaged.data is None
    assert whole.data["fan"]["uuid"] == hall.fan


async def test_an_erasure_takes_what_is_personal_out_of_all_of_a_fans_events_in_any_state(hall, fans):
    await hall.tip()
    await hall.message("evt_1")
    await hall.message("evt_2", hall.other)
    await hall.message("evt_3", creator=hall.bob)
    await hall.data.write(lambda tx: tx.run(IN_USE))
    receipt = await fans.erase(hall.alice, hall.fan, actor="operator:root")
    assert (receipt.events, receipt.creator) == (2, hall.alice)
    assert await hall.data.read(lambda tx: tx.all(LEFT)) == [
        ("tip.new", False, False, ""),
        ("creator.message.received", False, False, ""),
        ("creator.message.received", True, True, "text"),
        ("creator.message.received", True, True, "text"),
    ]
    assert await exported(fans, hall.alice, hall.fan) == []


@pytest.mark.usefixtures("time_to_wait")
async def test_what_is_being_stored_while_a_fan_is_erased_goes_as_well(hall, fans, database_urls):
    gateway = type(hall)(await open_data(database_urls.data, create=False), hall.datakeys)
    left = 0
    for number in range(40):
        _, receipt = await asyncio.gather(
            gateway.message(f"evt_{number}"), fans.erase(hall.alice, hall.fan, actor="operator:root")
        )
        stayed = await exported(fans, hall.alice, hall.fan)
        left += sum(event.received_at < receipt.erased_at for event in stayed)
    await gateway.data.close()

    assert left == 0


async def test_a_repeat_of_an_erased_event_does_not_bring_it_back(hall, fans):
    await hall.message("evt_1")
    await fans.erase(hall.alice, hall.fan, actor="operator:root")
    assert (await hall.message("evt_1")).duplicate
    assert await exported(fans, hall.alice, hall.fan) == []
    await hall.message("evt_2")
    assert len(await exported(fans, hall.alice, hall.fan)) == 1


async def test_receipt_and_trail_name_the_fan_by_one_keyed_digest(hall, fans, stored_bytes):
    await hall.message("evt_1")
    receipt = await fans.erase(hall.alice, hall.fan, actor="operator:root")
    (line,) = await lines(hall)
    assert (line.actor, line.action, line.outcome) == ("operator:root", "fan_erased", "events=1")
    assert line.object == receipt.subject
    assert abs(line.at - receipt.erased_at) < 5
    assert len(await exported(fans, hall.alice, hall.fan)) == 0
    newest, _ = await lines(hall)
    assert (newest.actor, newest.action, newest.object) == ("operator:root", "fan_exported", receipt.subject)
    assert hall.fan.encode() not in await stored_bytes()
    assert (await fans.erase(hall.bob, hall.fan, actor="operator:root")).subject != receipt.subject


async def test_a_receipt_says_until_when_back_ups_hold_what_was_erased(hall, fans):
    receipt = await fans.erase(hall.alice, hall.fan, actor="operator:root")
    assert receipt.in_data_back_ups_until == receipt.erased_at + 30 * DAY
    assert receipt.in_key_back_ups_until == receipt.erased_at + 7 * DAY
    unsaid = await Fans(hall.data, hall.datakeys).erase(hall.alice, hall.fan, actor="operator:root")
    assert (unsaid.in_data_back_ups_until, unsaid.in_key_back_ups_until) == (None, None)


async def test_a_creator_who_was_never_here_is_refused_and_leaves_no_trace(hall, fans):
    with pytest.raises(ConfigurationError, match="ever connected"):
        await exported(fans, STRANGER, hall.fan)
    with pytest.raises(ConfigurationError, match="ever connected"):
        await fans.erase(STRANGER, hall.fan, actor="operator:root")
    assert await lines(hall) == []


async def test_without_its_entry_in_the_ledger_nothing_is_erased(hall, fans, monkeypatch):
    async def fail(*_):
        raise StorageUnavailable

    await hall.message("evt_1")
    monkeypatch.setattr(hall.datakeys.ledger, "note", fail)
    with pytest.raises(StorageUnavailable):
        await fans.erase(hall.alice, hall.fan, actor="operator:root")
    assert len(await exported(fans, hall.alice, hall.fan)) == 1


async def test_a_restored_back_up_is_erased_again_and_another_creators_fan_is_not(hall, fans):
    # As a back-up from before has it: the erasure is in the ledger, and the event is there.
    await fans.erase(hall.alice, hall.fan, actor="operator:root")
    await hall.message("evt_1")
    await hall.message("evt_2", creator=hall.bob)
    assert (await settle_restored(hall.data, hall.datakeys)).fans_erased == 1
    assert await exported(fans, hall.alice, hall.fan) == []
    assert len(await exported(fans, hall.bob, hall.fan)) == 1
    assert (await settle_restored(hall.data, hall.datakeys)).fans_erased == 0
