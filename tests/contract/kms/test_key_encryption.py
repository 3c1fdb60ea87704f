"""What every key-encryption key promises, wherever it lies."""

import os

import pytest

from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import KeyUnavailable, SealError
from fankeep.kms import WrapContext, from_setting
from fankeep.secret import Secret

DATA_KEY = Secret(os.urandom(32))
CONTEXT = WrapContext("installation-1", "5939ae62-3eb5-4433-954f-f78c7b4282f3", "dk-1")


async def test_what_was_wrapped_unwraps_in_another_process_as_well(kms, place):
    (key_id,) = kms.ids
    wrapped = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    assert DATA_KEY.reveal() not in wrapped
    assert await kms.unwrap(key_id, wrapped, CONTEXT) == DATA_KEY
    assert await from_setting(place).unwrap(key_id, wrapped, CONTEXT) == DATA_KEY


async def test_wrapping_twice_gives_different_bytes(kms):
    (key_id,) = kms.ids
    assert await kms.wrap(key_id, DATA_KEY, CONTEXT) != await kms.wrap(key_id, DATA_KEY, CONTEXT)


@pytest.mark.parametrize("part", WrapContext._fields)
async def test_a_wrapped_key_is_bound_to_installation_owner_and_key(kms, part):
    (key_id,) = kms.ids
    wrapped = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    with pytest.raises(SealError):
        await kms.unwrap(key_id, wrapped, CONTEXT._replace(**{part: "other"}))


async def test_bytes_that_were_changed_do_not_unwrap(kms):
    (key_id,) = kms.ids
    wrapped = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    half = len(wrapped) // 2
    spoilt = wrapped[:half] + (b"A" if wrapped[half : half + 1] != b"A" else b"B") + wrapped[half + 1 :]
    for other in (spoilt, wrapped[:-1], wrapped[: len(wrapped) // 4], b"\xff" * len(wrapped)):
        with pytest.raises(SealError):
            await kms.unwrap(key_id, other, CONTEXT)


async def test_another_key_does_not_unwrap(kms, make_place):
    (key_id,) = kms.ids
    other = from_setting(make_place())
    wrapped = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    # moto says that access is denied where AWS says that it is the wrong key; neither unwraps.
    with pytest.raises((SealError, KeyUnavailable)):
        await other.unwrap(other.ids[0], wrapped, CONTEXT)


async def test_several_keys_are_at_hand_at_once_whatever_their_order(place, make_place):
    places = [place, make_place()]
    there, back = from_setting(" ".join(places)), from_setting(" ".join(reversed(places)))
    assert there.ids == back.ids
    assert len(there.ids) == 2
    for key_id in there.ids:
        assert await back.unwrap(key_id, await there.wrap(key_id, DATA_KEY, CONTEXT), CONTEXT) == DATA_KEY


async def test_it_passes_the_proof_that_comes_before_a_promotion(kms):
    await KeyWrapping(kms, "installation-1").prove_usable(kms.ids[0])


async def test_it_says_where_it_came_from_and_shows_nothing_secret(kms, place):
    (key_id,) = kms.ids
    assert kms.source(key_id) == place.partition(":")[0]
    assert kms.source("another") is None
    assert DATA_KEY.reveal().hex() not in repr(kms)


async def test_only_a_data_key_is_wrapped(kms):
    with pytest.raises(ValueError, match="32 bytes"):
        await kms.wrap(kms.ids[0], Secret(b"short"), CONTEXT)
