"""Which secret counts at the address of a subscription, and for how long."""

import asyncio

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.store import Command, erasure, sealed_values, subscriptions
from fankeep.telemetry import metrics

NAMED = Command("UPDATE subscriptions SET name = :name WHERE id = :id")
OWNED = Command("UPDATE subscriptions SET user_id = :user WHERE id = :id")
UNREADABLE = Command("UPDATE subscriptions SET sealed_secret = :sealed WHERE id = :id")


async def names(house, address):
    return [secret.name for secret in await house.secrets.of(address)]


def alarms(name):
    return metrics.REGISTRY.get_sample_value("fankeep_alarms_total", {"alarm": name}) or 0


async def test_the_secret_of_an_address_speaks_for_its_creator_alone(house, alice, shown_secret):
    address = await house.subscribe()
    (secret,) = await house.secrets.of(address)
    assert (secret.name, secret.scope) == (address, f"creator:{alice}")
    assert secret.value.reveal() == shown_secret


async def test_an_address_has_its_own_secret_and_no_other(house, bob):
    first = await house.subscribe(1)
    second = await house.subscribe(2, bob, "whsec_" + "fedcba9876543210" * 4)
    assert await names(house, first) == [first]
    assert await names(house, second) == [second]


async def test_an_address_that_we_never_gave_out_is_refused_without_a_look(house):
    await house.data.close()
    for address in ("", "x", "a" * 36, "../../webhooks", "%00"):
        assert await house.secrets.of(address) == ()


async def test_what_another_process_subscribed_counts_after_a_second_at_the_latest(house):
    address = house.name(1)
    assert await names(house, address) == []
    await house.subscribe()
    assert await names(house, address) == []
    house.now += 1
    assert await names(house, address) == [address]


async def test_what_another_process_ended_counts_for_ten_seconds_at_the_most(house):
    address = await house.subscribe()
    assert await names(house, address) == [address]
    await house.end(seconds_ago=4_000)
    house.now += 9.9
    assert await names(house, address) == [address]
    house.now += 0.1
    assert await names(house, address) == []


async def test_within_ten_seconds_the_database_is_asked_once(house):
    address = await house.subscribe()
    together = await asyncio.gather(*(house.secrets.of(address) for _ in range(20)))
    assert {len(secrets) for secrets in together} == {1}
    await house.data.close()
    assert await names(house, address) == [address]


async def test_the_secret_of_a_removed_subscription_counts_for_the_overlap_and_is_then_forgotten(house):
    address = await house.subscribe()
    await house.end(seconds_ago=3_890)
    assert await house.secrets.forget() == 0
    assert await names(house, address) == [address]
    await house.end(seconds_ago=20)

    assert await house.another_process().of(address) == ()
    assert await house.secrets.forget() == 1
    assert await house.data.read(lambda tx: subscriptions.load(tx, "sub-1")) is None


async def test_the_secrets_of_a_disconnected_creator_count_no_more_until_the_creator_is_back(house):
    address = await house.subscribe()
    for state, reason in (
        ("ending", "disconnected"),
        ("dead", "disconnected"),
        ("dead", "revoked_at_fanvue"),
    ):
        await house.grant_is(state, reason)
        house.now += 10
        assert await names(house, address) == []
    await house.grant_is("live", "disconnected")
    house.now += 10
    assert await names(house, address) == [address]


async def test_a_grant_that_was_lost_is_no_end_of_the_creators_subscriptions(house):
    address = await house.subscribe()
    for reason in ("answer_lost", "back_up_too_old"):
        await house.grant_is("dead", reason)
        assert len(await house.another_process().of(address)) == 1


async def test_an_erased_creator_has_no_subscription_and_gets_none(house, alice):
    address = await house.subscribe()
    await house.data.write(lambda tx: erasure.erase(tx, alice))
    assert await house.another_process().of(address) == ()
    late = await house.row(2)
    assert not await house.data.write(lambda tx: subscriptions.insert(tx, late))
    assert await house.data.read(subscriptions.every) == []


async def test_a_row_that_was_moved_to_another_address_or_creator_is_refused_and_alarms(house, bob):
    address = await house.subscribe()
    moved = house.name(9)
    for command, params, where in (
        (NAMED, {"name": moved}, moved),
        (NAMED, {"name": address}, address),
        (OWNED, {"user": bob}, address),
    ):
        before = alarms("mac_mismatch")
        await house.data.write(lambda tx, c=command, p=params: tx.run(c, id="sub-1", **p))
        genuine = command is NAMED and where == address
        assert (await house.another_process().of(where) != ()) == genuine
        assert alarms("mac_mismatch") == before + (not genuine)


async def test_a_secret_that_does_not_open_is_none_and_alarms(house):
    address = await house.subscribe()
    other = await house.row(2)
    before = alarms("seal_failure")
    swapped = {"sealed": other.sealed_secret, "id": "sub-1"}
    await house.data.write(lambda tx: tx.run(UNREADABLE, **swapped))
    assert await house.secrets.of(address) == ()
    assert alarms("seal_failure") == before + 1


async def test_a_secret_that_was_sealed_anew_still_counts(house, alice):
    address = await house.subscribe()
    (column,) = [one for one in sealed_values.COLUMNS if one.table == "subscriptions"]
    read = house.data.read(lambda tx: sealed_values.page(tx, column, after=column.first, limit=2))
    (value,) = await read
    context = house.datakeys.context(
        user=alice, table="subscriptions", record=str(value.record), field=value.field
    )
    sealed = await house.datakeys.reseal(context, value.sealed)
    assert sealed != value.sealed
    assert await house.data.write(lambda tx: sealed_values.replace(tx, column, value, sealed))
    assert await names(house, address) == [address]


async def test_a_failed_look_is_tried_again_by_the_next_delivery(house):
    address = await house.subscribe()
    looking = house.another_process()
    read, house.data.read = house.data.read, fail
    with pytest.raises(StorageUnavailable):
        await looking.of(address)
    house.data.read = read
    assert len(await looking.of(address)) == 1


async def fail(work):
    raise StorageUnavailable


async def test_the_secret_lies_sealed(house, stored_bytes, shown_secret):
    await house.subscribe()
    assert shown_secret.encode() not in await stored_bytes()
