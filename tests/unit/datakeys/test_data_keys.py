from dataclasses import fields, replace

import pytest

from fankeep.datakeys import KeyGone, open_data_keys
from fankeep.errors import SealError
from fankeep.sealing import Context, parse_sealed
from fankeep.store import open_keys

ALICE = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
BOB = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"


@pytest.fixture
def place(keys):
    return keys.context(user=ALICE, table="grants", record="1", field="refresh", generation=3)


async def test_the_context_names_the_installation(keys, place):
    assert place == Context(keys.installation.id, ALICE, "grants", "1", "refresh", 3)


async def test_what_was_sealed_opens_here_and_in_another_process(keys, place, open_process):
    await keys.ensure(ALICE)
    sealed = await keys.seal(place, b"token")
    assert b"token" not in sealed
    assert await keys.open(place, sealed) == b"token"
    assert await (await open_process()).open(place, sealed) == b"token"


async def test_sealing_twice_gives_different_bytes(keys, place):
    await keys.ensure(ALICE)
    assert await keys.seal(place, b"token") != await keys.seal(place, b"token")


@pytest.mark.parametrize("name", [field.name for field in fields(Context)])
async def test_a_value_moved_elsewhere_does_not_open(keys, place, name):
    await keys.ensure(ALICE)
    await keys.ensure(BOB)
    sealed = await keys.seal(place, b"token")
    change = {"generation": 4, "user": BOB, "table": "events", "installation": "f" * 32}.get(name, "other")
    with pytest.raises(SealError):
        await keys.open(replace(place, **{name: change}), sealed)


async def test_users_have_different_keys(keys, place):
    await keys.ensure(ALICE)
    await keys.ensure(BOB)
    of_alice = parse_sealed(await keys.seal(place, b"token"))
    of_bob = parse_sealed(await keys.seal(replace(place, user=BOB), b"token"))
    assert of_alice.key_id != of_bob.key_id


@pytest.mark.parametrize("stored", [b"", b"plaintext token", bytes(80)])
async def test_bytes_that_are_not_sealed_do_not_open(keys, place, stored):
    await keys.ensure(ALICE)
    with pytest.raises(SealError):
        await keys.open(place, stored)


async def test_nothing_is_sealed_for_a_user_without_a_key_and_none_is_made(keys, place):
    with pytest.raises(SealError) as refusal:
        await keys.seal(place, b"token")
    assert not isinstance(refusal.value, KeyGone)
    with pytest.raises(SealError):
        await keys.seal(place, b"token")


async def test_a_context_of_another_installation_does_not_seal(keys, place):
    await keys.ensure(ALICE)
    with pytest.raises(ValueError, match="another installation"):
        await keys.seal(replace(place, installation="f" * 32), b"token")


async def test_a_value_from_the_key_database_of_another_installation_does_not_open(
    keys, place, kms, tmp_path
):
    database = await open_keys(f"sqlite:///{tmp_path}/other.db", create=True)
    other = await open_data_keys(database, kms, installation_id="f" * 32)
    await keys.ensure(ALICE)
    await other.ensure(ALICE)
    with pytest.raises(SealError):
        await other.open(replace(place, installation="f" * 32), await keys.seal(place, b"token"))
    await database.close()
