import asyncio
from pathlib import Path

import pytest

from fankeep.datakeys import KeyGone, NoKey
from fankeep.datakeys.keyring import (
    FRESH_SECONDS,
    KEPT_KEYS,
    KEPT_SECONDS,
    KEPT_USES,
    RENEW_AFTER_SECONDS,
)
from fankeep.errors import KeyUnavailable, SealError
from fankeep.kms import add_to_key_file, from_setting
from fankeep.sealing import parse_sealed
from fankeep.store import Statement, data_keys, key_encryption_keys

ALICE = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
KEYS_OF = Statement("SELECT count(*) FROM data_keys WHERE owner = :owner", int)
WRAPPED = Statement("SELECT count(*) FROM data_keys WHERE owner = :owner AND wrapped IS NOT NULL", int)


class CountingKms:
    """A real key file that counts how often it is asked."""

    def __init__(self, real):
        self._real = real
        self.unwrapped = 0
        self.hold = None
        self.down = False

    @property
    def ids(self):
        return self._real.ids

    def has(self, key_id):
        return self._real.has(key_id)

    async def wrap(self, key_id, plaintext, context):
        self._answer()
        return await self._real.wrap(key_id, plaintext, context)

    def _answer(self):
        if self.down:
            raise KeyUnavailable

    async def unwrap(self, key_id, wrapped, context):
        self.unwrapped += 1
        self._answer()
        if self.hold is not None:
            await self.hold.wait()
        return await self._real.unwrap(key_id, wrapped, context)


@pytest.fixture
def counting(kms):
    return CountingKms(kms)


def place(keys, user=ALICE):
    return keys.context(user=user, table="grants", record="1", field="refresh")


async def count(database, statement, owner=ALICE):
    return await database.read(lambda tx: tx.one(statement, owner=owner))


async def test_ensuring_twice_makes_one_key(keys, database):
    await keys.ensure(ALICE)
    await keys.ensure(ALICE)
    assert await count(database, KEYS_OF) == 1


async def test_of_many_callers_in_several_processes_one_makes_the_key_and_all_use_it(open_process, database):
    processes = [await open_process() for _ in range(4)]
    await asyncio.gather(*(keys.ensure(ALICE) for keys in processes for _ in range(5)))
    assert await count(database, KEYS_OF) == 1
    sealed = [await keys.seal(place(keys), b"token") for keys in processes]
    assert len({parse_sealed(value).key_id for value in sealed}) == 1
    for keys in processes:
        assert [await keys.open(place(keys), value) for value in sealed] == [b"token"] * 4


async def test_a_key_in_memory_is_used_without_unwrapping_it_again(open_process, counting, clock):
    keys = await open_process(kms=counting)
    await keys.ensure(ALICE)
    sealed = await keys.seal(place(keys), b"token")
    at_first = counting.unwrapped
    for _ in range(3):
        clock.now += FRESH_SECONDS
        assert await keys.open(place(keys), await keys.seal(place(keys), b"token")) == b"token"
        assert await keys.open(place(keys), sealed) == b"token"
    assert counting.unwrapped == at_first


async def test_a_key_that_was_wrapped_anew_is_unwrapped_anew(open_process, counting, clock, run):
    keys = await open_process(kms=counting)
    await keys.ensure(ALICE)
    await keys.seal(place(keys), b"token")
    clock.now += FRESH_SECONDS
    await run("UPDATE data_keys SET wrapped = :wrapped WHERE owner = :owner", owner=ALICE, wrapped=bytes(61))
    with pytest.raises(SealError):
        await keys.seal(place(keys), b"token")


async def test_a_row_that_was_given_to_another_user_serves_neither(keys, run, clock):
    await keys.ensure(ALICE)
    sealed = await keys.seal(place(keys), b"token")
    assert await keys.open(place(keys), sealed) == b"token"
    clock.now += FRESH_SECONDS
    await run("UPDATE data_keys SET owner = 'bob' WHERE owner = :owner", owner=ALICE)
    with pytest.raises(SealError):
        await keys.open(place(keys), sealed)
    with pytest.raises(SealError):
        await keys.seal(place(keys, "bob"), b"token")


async def test_a_key_is_given_to_its_owner_alone(keys):
    await keys.ensure(ALICE)
    await keys.ensure("bob")
    key_id = parse_sealed(await keys.seal(place(keys), b"token")).key_id
    assert (await keys._ring.by_id(ALICE, key_id)).owner == ALICE
    for forget in (False, True):
        if forget:
            keys._ring._forget(ALICE)
        with pytest.raises(SealError):
            await keys._ring.by_id("bob", key_id)


async def test_the_number_of_keys_in_memory_is_bounded(keys):
    ring = keys._ring
    for number in range(KEPT_KEYS // 64):
        user = f"user-{number}"
        await keys.ensure(user)
        await keys.seal(place(keys, user), b"token")
    key = await ring.active("user-0")
    for number in range(KEPT_KEYS + 10):
        ring._active.put(f"other-{number}", key)
        ring._by_id.put(f"dk-{number}", key)
    assert len(ring._active) == len(ring._by_id) == KEPT_KEYS
    assert await keys.seal(place(keys, "user-1"), b"token")


async def test_a_destroyed_key_opens_and_seals_nothing(keys, database):
    await keys.ensure(ALICE)
    sealed = await keys.seal(place(keys), b"token")
    await keys.destroy(ALICE)
    assert await count(database, WRAPPED) == 0
    with pytest.raises(KeyGone):
        await keys.open(place(keys), sealed)
    with pytest.raises(KeyGone):
        await keys.seal(place(keys), b"token")


async def test_an_erased_user_who_comes_back_gets_a_new_key_that_opens_nothing_of_before(
    keys, open_process, database
):
    await keys.ensure(ALICE)
    old = await keys.seal(place(keys), b"token")
    await keys.destroy(ALICE)
    other = await open_process()
    with pytest.raises(KeyGone):
        await other.seal(place(other), b"late")
    await keys.ensure(ALICE)
    for process in (keys, other):
        assert await process.open(place(keys), await process.seal(place(keys), b"new")) == b"new"
        with pytest.raises(KeyGone):
            await process.open(place(keys), old)
    assert await count(database, KEYS_OF) == 2
    assert await count(database, WRAPPED) == 1


async def test_destroying_twice_or_without_a_key_is_no_error(keys):
    await keys.destroy(ALICE)
    await keys.ensure(ALICE)
    await keys.destroy(ALICE)
    await keys.destroy(ALICE)
    with pytest.raises(KeyGone):
        await keys.seal(place(keys), b"token")


async def test_a_user_who_never_had_a_key_is_told_apart_from_one_whose_key_was_destroyed(keys):
    with pytest.raises(NoKey) as refusal:
        await keys.seal(place(keys), b"token")
    assert not isinstance(refusal.value, KeyGone)


async def test_without_the_key_service_a_key_in_memory_serves_within_the_bound_of_time(
    open_process, counting, clock
):
    keys = await open_process(kms=counting)
    await keys.ensure(ALICE)
    sealed = await keys.seal(place(keys), b"token")
    counting.down = True
    for _ in range(int(KEPT_SECONDS / FRESH_SECONDS) - 1):
        clock.now += FRESH_SECONDS
        assert await keys.open(place(keys), await keys.seal(place(keys), b"more")) == b"more"
    clock.now += FRESH_SECONDS
    for attempt in (keys.seal(place(keys), b"more"), keys.open(place(keys), sealed)):
        with pytest.raises(KeyUnavailable) as refusal:
            await attempt
        assert refusal.value.status == 503
    counting.down = False
    assert await keys.open(place(keys), sealed) == b"token"


async def test_without_the_key_service_a_key_in_memory_serves_within_the_bound_of_use(open_process, counting):
    keys = await open_process(kms=counting)
    await keys.ensure(ALICE)
    sealed = await keys.seal(place(keys), b"token")
    key = await keys._ring.active(ALICE)
    counting.down = True
    key.uses = KEPT_USES - 1
    assert await keys.open(place(keys), sealed) == b"token"
    for attempt in (keys.seal(place(keys), b"more"), keys.open(place(keys), sealed)):
        with pytest.raises(KeyUnavailable):
            await attempt
    counting.down = False
    assert await keys.open(place(keys), sealed) == b"token"


async def test_without_the_key_service_no_key_is_made_and_nothing_is_stored(open_process, counting, database):
    keys = await open_process(kms=counting)
    counting.down = True
    with pytest.raises(KeyUnavailable):
        await keys.ensure(ALICE)
    assert await count(database, KEYS_OF) == 0


async def test_a_key_that_was_made_while_another_key_encryption_key_was_promoted_is_made_again(
    keys, open_process, database, key_file
):
    add_to_key_file(key_file)
    kms = from_setting(f"file:{key_file}")
    old = await database.read(key_encryption_keys.primary)
    (new,) = set(kms.ids) - {old}

    class Promoting(CountingKms):
        async def wrap(self, key_id, plaintext, context):
            wrapped = await super().wrap(key_id, plaintext, context)
            await database.write(lambda tx: key_encryption_keys.promote(tx, new))
            return wrapped

    keys = await open_process(kms=Promoting(kms))
    await keys.ensure(ALICE)
    row = await database.read(lambda tx: data_keys.load_active(tx, ALICE))
    assert row.kek_id == new
    assert await count(database, KEYS_OF) == 1


async def test_a_value_that_names_the_destroyed_key_of_another_user_is_no_sign_of_an_erase(keys):
    await keys.ensure(ALICE)
    await keys.ensure("bob")
    of_alice = await keys.seal(place(keys), b"token")
    await keys.destroy(ALICE)
    with pytest.raises(SealError) as refusal:
        await keys.open(place(keys, "bob"), of_alice)
    assert not isinstance(refusal.value, KeyGone)


async def test_destroying_one_users_key_leaves_the_others(keys):
    await keys.ensure(ALICE)
    await keys.ensure("bob")
    sealed = await keys.seal(place(keys, "bob"), b"token")
    await keys.destroy(ALICE)
    assert await keys.open(place(keys, "bob"), sealed) == b"token"


async def test_another_process_stops_using_a_destroyed_key_within_the_bound(keys, open_process, clock):
    other = await open_process()
    await keys.ensure(ALICE)
    sealed = await other.seal(place(other), b"token")
    assert await other.open(place(other), sealed) == b"token"
    await keys.destroy(ALICE)
    clock.now += FRESH_SECONDS
    with pytest.raises(KeyGone):
        await other.seal(place(other), b"token")
    with pytest.raises(KeyGone):
        await other.open(place(other), sealed)
    assert other._ring._by_id.known(parse_sealed(sealed).key_id) is None


async def test_a_key_that_was_being_loaded_while_it_was_destroyed_does_not_stay_in_memory(
    open_process, counting
):
    keys = await open_process(kms=counting)
    await keys.ensure(ALICE)
    sealed = await (await open_process()).seal(place(keys), b"token")
    before, counting.hold = counting.unwrapped, asyncio.Event()
    loading = [
        asyncio.create_task(keys.open(place(keys), sealed)),
        asyncio.create_task(keys.seal(place(keys), b"late")),
    ]
    while counting.unwrapped < before + 2:  # both wait now
        await asyncio.sleep(0.001)
    await keys.destroy(ALICE)
    counting.hold.set()
    await asyncio.gather(*loading)
    with pytest.raises(KeyGone):
        await keys.open(place(keys), sealed)
    with pytest.raises(KeyGone):
        await keys.seal(place(keys), b"token")


async def test_an_old_key_still_opens_but_a_new_one_seals(keys, run, database):
    await keys.ensure(ALICE)
    old = await keys.seal(place(keys), b"token")
    keys._ring._forget(ALICE)
    await run("UPDATE data_keys SET created_at = created_at - :age", age=RENEW_AFTER_SECONDS)
    new = await keys.seal(place(keys), b"token")
    assert parse_sealed(new).key_id != parse_sealed(old).key_id
    assert await keys.open(place(keys), old) == await keys.open(place(keys), new) == b"token"
    assert await count(database, KEYS_OF) == 2


async def test_several_processes_renew_a_key_once(open_process, run, database):
    processes = [await open_process() for _ in range(4)]
    await processes[0].ensure(ALICE)
    await run("UPDATE data_keys SET created_at = created_at - :age", age=RENEW_AFTER_SECONDS)
    sealed = await asyncio.gather(*(keys.seal(place(keys), b"token") for keys in processes))
    assert len({parse_sealed(value).key_id for value in sealed}) == 1
    assert await count(database, KEYS_OF) == 2


async def test_destroying_reaches_retired_keys_too(keys, run, database):
    await keys.ensure(ALICE)
    old = await keys.seal(place(keys), b"token")
    keys._ring._forget(ALICE)
    await run("UPDATE data_keys SET created_at = created_at - :age", age=RENEW_AFTER_SECONDS)
    await keys.seal(place(keys), b"token")
    await keys.destroy(ALICE)
    assert await count(database, WRAPPED) == 0
    with pytest.raises(KeyGone):
        await keys.open(place(keys), old)


async def test_the_installations_root_is_not_renewed(keys, open_process, run):
    await run("UPDATE data_keys SET created_at = created_at - :age", age=RENEW_AFTER_SECONDS * 9)
    other = await open_process()
    assert other.installation.key("sessions") == keys.installation.key("sessions")


def test_the_documented_bounds_are_those_of_the_code():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "sealing.md").read_text()
    assert f"at most {KEPT_KEYS} of users" in page
    assert f"for up to {FRESH_SECONDS:.0f} seconds" in page
    assert f"after {KEPT_SECONDS / 3600:.0f} hour or {KEPT_USES:,} uses" in page
    assert f"stops sealing when it is {RENEW_AFTER_SECONDS / 86400:.0f} days old" in page
