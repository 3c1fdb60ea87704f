"""What is filled in without a webhook, on every engine: once, and never beside what a webhook has told."""

import asyncio
from dataclasses import replace

import pytest

from fankeep.datakeys import open_data_keys
from fankeep.fanvue import Event
from fankeep.inbox import DatabaseLog
from fankeep.inbox.filling import Filling
from fankeep.inbox.identity import fan_index, message_index
from fankeep.kms import create_key_file, from_setting
from fankeep.sealing import Mac
from fankeep.store import Statement, events, installation, open_data, open_keys, users
from fankeep.store.events import NewEvent
from fankeep.store.reconciling import RECONCILED

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
ROWS = Statement(
    "SELECT type, secret_name, state, payload IS NOT NULL FROM events ORDER BY seq",
    lambda kind, secret, state, kept: (kind, secret, state, bool(kept)),
)


def found(number):
    """A message that the API tells of."""
    uuid = f"0b6c6f0e-63a7-4b52-8f4f-{number:012x}"
    return Event(
        family="creator",
        type="creator.message.received",
        id=None,
        occurred_at=1_700_000_000.0,
        creator=CREATOR,
        fan=FAN,
        message_uuid=uuid,
        data={"uuid": uuid, "fan": {"uuid": FAN}, "creator": {"uuid": CREATOR}, "text": "hello"},
    )


@pytest.fixture
async def place(database_urls, tmp_path):
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    create_key_file(tmp_path / "keys.json")
    kms = from_setting(f"file:{tmp_path}/keys.json")
    datakeys = await open_data_keys(keys, kms, installation_id="ab" * 16, create=True)
    await data.write(lambda tx: installation.create(tx, "ab" * 16))
    await data.write(lambda tx: users.add(tx, CREATOR))
    await datakeys.ensure(CREATOR)
    yield data, datakeys
    await data.close()
    await keys.close()


def told(datakeys, event, kind="creator.message.received", **more):
    """The row of a webhook about a message."""
    index = message_index(Mac(datakeys.installation.key("message-index")), event)
    values = {"family": kind.split(".")[0], "creator": CREATOR, "secret_name": "main", "message_index": index}
    return NewEvent(index[:15] + bytes([len(kind)]), type=kind, payload=b"p" * 40, **values | more)


async def rows(data):
    return await data.read(lambda tx: tx.all(ROWS))


async def test_what_is_missing_is_stored_as_work_with_its_payload_sealed(place):
    data, datakeys = place
    woken = []
    filling = Filling(data, datakeys, stored=lambda: woken.append(1))

    assert await filling.missing([found(1), found(2)]) == [found(1), found(2)]
    assert await filling.fill([found(1), found(2)]) == 2

    assert await rows(data) == [("creator.message.received", RECONCILED, "pending", True)] * 2
    assert woken == [1]
    assert await filling.missing([found(1), found(3)]) == [found(3)]
    assert await filling.fill([found(1), found(2)]) == 0


@pytest.mark.usefixtures("time_to_wait")
async def test_two_who_fill_at_once_store_each_event_once(place):
    data, datakeys = place
    group = [found(number) for number in range(20)]

    counts = await asyncio.gather(*(Filling(data, datakeys).fill(group) for _ in range(4)))

    assert sum(counts) == 20
    assert len(await rows(data)) == 20


@pytest.mark.parametrize("kind", ["creator.message.received", "message.received", "creator.message.deleted"])
async def test_what_a_webhook_has_told_is_not_missing(place, kind):
    data, datakeys = place
    await data.write(lambda tx: events.insert(tx, [told(datakeys, found(1), kind)]))
    filling = Filling(data, datakeys)

    assert await filling.missing([found(1)]) == []
    assert await filling.fill([found(1)]) == 0


async def test_a_reaction_to_a_message_does_not_tell_of_the_message(place):
    data, datakeys = place
    await data.write(lambda tx: events.insert(tx, [told(datakeys, found(1), "creator.message.reaction")]))

    assert await Filling(data, datakeys).missing([found(1)]) == [found(1)]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("creator.message.received", "shadow"),
        ("message.received", "shadow"),
        ("creator.message.reaction", "pending"),
        ("creator.message.deleted", "pending"),
    ],
)
async def test_what_comes_after_all_is_a_shadow_and_what_else_comes_is_work(place, kind, state):
    data, datakeys = place
    await Filling(data, datakeys).fill([found(1)])

    await data.write(lambda tx: events.insert(tx, [told(datakeys, found(1), kind)]))

    assert (await rows(data))[1:] == [(kind, "main", state, True)]


@pytest.mark.usefixtures("time_to_wait")
@pytest.mark.parametrize("kind", ["creator.message.received", "message.received"])
async def test_a_message_that_is_filled_in_while_its_webhook_comes_has_one_effect(place, database_urls, kind):
    data, datakeys = place
    gateway = await open_data(database_urls.data, create=False)
    for number in range(40):
        event = found(number)
        row = told(datakeys, event, kind)
        await asyncio.gather(
            Filling(data, datakeys).fill([event]), DatabaseLog(gateway).add([row], modern=[])
        )
    await gateway.close()

    assert [state for _, _, state, _ in await rows(data)].count("pending") == 40


async def test_nobody_handles_the_type_so_it_is_a_record(place):
    data, datakeys = place
    await Filling(data, datakeys, wanted=lambda _: False).fill([found(1)])

    assert await rows(data) == [("creator.message.received", RECONCILED, "handled", True)]


async def test_nothing_is_nothing(place):
    data, datakeys = place
    filling = Filling(data, datakeys)

    assert await filling.missing([]) == []
    assert await filling.fill([]) == 0


async def test_what_a_fan_wrote_before_being_erased_does_not_come_back(place):
    data, datakeys = place
    filling = Filling(data, datakeys)
    fan = fan_index(Mac(datakeys.installation.key("fan-index")), found(1))

    await datakeys.ledger.note("fan", fan.hex())

    later = replace(found(2), occurred_at=4_000_000_000.0)
    assert await filling.missing([found(1), later]) == [later]
