"""Key-encryption keys come into use and go out of it; nothing that was sealed is lost on the way."""

import re
from hashlib import sha256

import pytest

from fankeep.datakeys import Rotation
from fankeep.datakeys.keyring import FRESH_SECONDS
from fankeep.datakeys.pace import Pace
from fankeep.datakeys.rewrapping import rewrap_all
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import ConfigurationError, KeyUnavailable
from fankeep.fanvue.events import Event
from fankeep.inbox.payload import keep_payload, open_payload
from fankeep.kms import KeyEncryption, add_to_key_file, from_setting
from fankeep.sealing import parse_sealed
from fankeep.secret import Secret
from fankeep.store import (
    Command,
    data_keys,
    events,
    grants,
    key_encryption_keys,
    open_data,
    revocations,
    sealed_values,
)
from fankeep.store.events import NewEvent
from fankeep.store.migrations import load_schema
from fankeep.store.sealed_values import COLUMNS
from fankeep.types import UserId
from fankeep.vault.logins import Logins
from fankeep.vault.records import GrantRecords, TokenPair
from fankeep.vault.revocations import Revocations
from fankeep.vault.timing import Timing

USERS = [UserId(f"user-{number}") for number in range(7)]
INSTALLATION_ID = "00112233445566778899aabbccddeeff"


class Alone:
    """Nobody else runs, unless a test says so."""

    def __init__(self, living=(), lacking=()):
        self._living = list(living)
        self._lacking = list(lacking)

    async def living(self):
        return self._living

    async def lacking(self, key_id):
        return self._lacking


class Seen:
    """Progress that remembers."""

    def __init__(self):
        self.steps = {}
        self.done = {}

    def step(self, name, total):
        self.steps[name] = total

        def done(count):
            self.done[name] = self.done.get(name, 0) + count

        return done


@pytest.fixture
async def data(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


@pytest.fixture
async def sealed(keys):
    """A value of each user, sealed before anything else happens."""
    values = {}
    for user in USERS:
        await keys.ensure(user)
        values[user] = await keys.seal(place(keys, user), user.encode())
    return values


@pytest.fixture
def both(key_file, kms, keys):
    """The first key and a second one that was added."""
    add_to_key_file(key_file)
    return from_setting(f"file:{key_file}")


@pytest.fixture
def old(kms):
    return kms.ids[0]


@pytest.fixture
def new(both, old):
    (key_id,) = set(both.ids) - {old}
    return key_id


@pytest.fixture
async def rotation(database, data, both, open_process):
    return await rotation_with(database, data, both, open_process)


async def rotation_with(database, data, kms, open_process, replicas=None):
    return Rotation(
        keys=database,
        data=data,
        kms=kms,
        datakeys=await open_process(kms=kms),
        replicas=replicas or Alone(),
    )


def place(keys, user):
    return keys.context(user=user, table="grants", record="1", field="refresh", generation=3)


async def under(database):
    rows = await database.read(key_encryption_keys.all_known)
    return {row.id: (row.state, row.data_keys) for row in rows}


async def all_open(keys, sealed):
    return [await keys.open(place(keys, user), value) for user, value in sealed.items()] == [
        user.encode() for user in sealed
    ]


async def test_a_key_that_was_added_is_new_and_wraps_nothing(rotation, sealed, old, new):
    status = {key.id: key for key in await rotation.status()}
    assert (status[old].state, status[old].data_keys, status[old].source) == ("primary", 8, "file")
    assert (status[new].state, status[new].data_keys, status[new].age) == ("new", 0, None)


async def test_after_a_promotion_new_data_keys_are_under_the_new_key_and_old_values_open(
    rotation, sealed, database, keys, both, open_process, old, new
):
    assert await rotation.promote(new) == []
    replica = await open_process(kms=both)
    await replica.ensure("user-new")
    assert await under(database) == {old: ("former", 8), new: ("primary", 1)}
    assert await all_open(replica, sealed)


async def test_a_key_that_a_living_replica_lacks_is_not_promoted(
    database, data, both, open_process, old, new
):
    lacking = Alone(living=["host/1", "host/2"], lacking=["host/2"])
    rotation = await rotation_with(database, data, both, open_process, lacking)
    with pytest.raises(ConfigurationError, match=r"1 living replicas lack .* \(host/2\)"):
        await rotation.promote(new)
    assert await under(database) == {old: ("primary", 1)}


async def test_a_key_that_is_not_at_hand_is_not_promoted(rotation, database, old):
    with pytest.raises(ConfigurationError, match="kek-other is not in FANKEEP_KEYS"):
        await rotation.promote("kek-other")
    assert await under(database) == {old: ("primary", 1)}


@pytest.mark.parametrize("fault", ["forgets", "garbles"])
async def test_a_key_that_does_not_do_its_work_is_not_promoted(
    keys, database, data, kms, open_process, old, fault
):
    class Faulty:
        id = "kek-faulty"
        source = "file"
        kept = None

        async def wrap(self, plaintext, context):
            self.kept = plaintext
            return b"anything"

        async def unwrap(self, wrapped, context):
            if fault == "garbles":
                return type(self.kept)(bytes(32))
            return self.kept  # whatever the context

    faulty = KeyEncryption([Faulty(), *kms._keys.values()])
    rotation = await rotation_with(database, data, faulty, open_process)
    with pytest.raises(ConfigurationError, match="kek-faulty"):
        await rotation.promote("kek-faulty")
    assert await under(database) == {old: ("primary", 1)}


async def test_rewrapping_puts_everything_under_the_primary_key_and_proves_it(
    rotation, sealed, database, keys, open_process, both, old, new
):
    await rotation.promote(new)
    seen = Seen()
    done = await rotation.rewrap(seen)
    assert (done.primary, done.rewrapped, done.left, done.damaged) == (new, 8, 0, ())
    assert seen.steps == seen.done == {"wrap data keys anew": 8}
    assert await under(database) == {old: ("former", 0), new: ("primary", 8)}
    only_new = KeyEncryption(key for key in both._keys.values() if key.id == new)
    assert await all_open(await open_process(kms=only_new), sealed)


async def test_rewrapping_again_has_nothing_to_do(rotation, sealed, new):
    await rotation.promote(new)
    await rotation.rewrap(Seen())
    again = await rotation.rewrap(Seen())
    assert (again.rewrapped, again.left) == (0, 0)


async def test_a_replica_that_holds_both_keys_goes_on_while_everything_is_rewrapped(
    rotation, sealed, both, open_process, clock, new
):
    replica = await open_process(kms=both)
    assert await all_open(replica, sealed)
    await rotation.promote(new)
    await rotation.rewrap(Seen())
    for _ in range(2):
        clock.now += 31
        assert await all_open(replica, sealed)
        assert await replica.seal(place(replica, USERS[0]), b"more")


async def test_a_data_key_that_does_not_open_stays_as_it_is_and_is_reported(
    rotation, sealed, database, run, keys, old, new
):
    key_id = parse_sealed(sealed[USERS[3]]).key_id
    await run("UPDATE data_keys SET wrapped = :wrapped WHERE id = :id", id=key_id, wrapped=bytes(61))
    await rotation.promote(new)
    done = await rotation.rewrap(Seen())
    assert (done.rewrapped, done.left, done.damaged) == (7, 1, (key_id,))
    row = await database.read(lambda tx: data_keys.load(tx, key_id))
    assert (row.kek_id, row.wrapped) == (old, bytes(61))


async def test_a_data_key_that_is_destroyed_while_it_is_rewrapped_stays_destroyed(
    sealed, database, keys, both, new
):
    await database.write(lambda tx: key_encryption_keys.promote(tx, new))

    class Destroying(KeyWrapping):
        async def rewrap(self, row, kek_id):
            again = await super().rewrap(row, kek_id)
            await keys.destroy(USERS[2])
            return again

    wrapping = Destroying(both, INSTALLATION_ID)
    done = await rewrap_all(database, wrapping, pace=Pace(None), done=lambda _: None)
    assert done.left == 0
    row = await database.read(lambda tx: data_keys.load(tx, parse_sealed(sealed[USERS[2]]).key_id))
    assert row.wrapped is None


async def test_rewrapping_that_loses_the_key_service_keeps_what_it_did_and_goes_on_later(
    rotation, sealed, database, both, old, new
):
    await rotation.promote(new)

    class Failing(KeyWrapping):
        calls = 0

        async def rewrap(self, row, kek_id):
            self.calls += 1
            if self.calls > 5:
                raise KeyUnavailable
            return await super().rewrap(row, kek_id)

    with pytest.raises(KeyUnavailable):
        await rewrap_all(database, Failing(both, INSTALLATION_ID), pace=Pace(20.0), done=lambda _: None)
    assert (await under(database))[old] == ("former", 4)  # portions of two
    done = await rotation.rewrap(Seen())
    assert (done.rewrapped, done.left) == (4, 0)


async def test_a_key_is_retired_only_when_nothing_needs_it(rotation, sealed, database, old, new):
    with pytest.raises(ConfigurationError, match="is the primary one"):
        await rotation.retire(old)
    await rotation.promote(new)
    with pytest.raises(ConfigurationError, match="still wraps 8 data keys"):
        await rotation.retire(old)
    with pytest.raises(ConfigurationError, match="never in use"):
        await rotation.retire("kek-other")
    await rotation.rewrap(Seen())
    await rotation.retire(old)
    await rotation.retire(old)
    assert await under(database) == {old: ("retired", 0), new: ("primary", 8)}
    with pytest.raises(ConfigurationError, match="out of use for good"):
        await rotation.promote(old)


@pytest.fixture
async def stored(keys, data):
    """A value in every sealed column, put there by the rooms that own them."""
    vault = Revocations(data, keys, endpoint=None, timing=Timing())
    logins = Logins(data, keys, GrantRecords(keys), vault)
    for user in USERS:
        await logins.store(user, pair("first"))
        await logins.store(user, pair("second"))  # leaves the first one to be revoked
        digest = sha256(user.encode()).digest()[:16]
        event = Event("creator", "creator.message.received", "evt_1", None, user, None, None, {"uuid": user})
        kept = await keep_payload(keys, event, digest.hex(), event.type)
        row = NewEvent(digest, event.family, event.type, user, "main", payload=kept.sealed)
        await data.write(lambda tx, row=row: events.insert(tx, [row]))


def pair(name):
    return TokenPair(Secret(f"{name}-access"), Secret(f"{name}-refresh"), 3600.0, 3600.0, ("openid",))


async def values(data):
    return {
        (column.table, column.column, value.at): value
        for column in COLUMNS
        for value in await data.read(
            lambda tx, column=column: sealed_values.page(tx, column, after=column.first, limit=999)
        )
    }


async def opened_everywhere(keys, data):
    """Open every value the way its own room does."""
    vault = Revocations(data, keys, endpoint=None, timing=Timing())
    found = []
    for user in USERS:
        grant = await data.read(lambda tx, user=user: grants.by_user(tx, user))
        found.append((await GrantRecords(keys).open_access(grant)).reveal())
        found.append((await GrantRecords(keys).open_refresh(grant)).reveal())
    for row in await data.read(lambda tx: revocations.due(tx, most=99)):
        found.append((await vault._open(row)).reveal())
    for (_, column, _), value in (await values(data)).items():
        if column == "payload":
            kept = await open_payload(
                keys, value.user, value.record.hex(), value.sealed,
                family="creator", type_name="creator.message.received",
            )  # fmt: skip
            found.append(kept["uuid"])
    return sorted(found)


EVERYTHING = sorted([*USERS, *(["second-access", "second-refresh", "first-refresh"] * len(USERS))])


def test_the_list_of_sealed_columns_is_that_of_the_schema():
    schema = "".join(load_schema("data", "sqlite").steps)
    tables = re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", schema, re.DOTALL)
    sealed = {
        (table, column)
        for table, body in tables
        for column in re.findall(r"^\s+(sealed_\w+|payload)\s+BLOB", body, re.MULTILINE)
    }
    assert {(column.table, column.column) for column in COLUMNS} == sealed


async def test_after_a_compromise_nothing_is_sealed_under_a_data_key_that_the_key_has_wrapped(
    rotation, stored, keys, data, database, both, open_process, old, new
):
    before = await values(data)
    assert await opened_everywhere(keys, data) == EVERYTHING
    seen = Seen()
    done = await rotation.compromise(old, to=None, progress=seen)
    assert (done.rewrap.left, done.renewed, done.reseal.resealed, done.reseal.left) == (0, 7, 28, 0)
    assert done.reseal.damaged == ()
    assert seen.steps == seen.done
    after = await values(data)
    assert before.keys() == after.keys()
    keys_before = {parse_sealed(value.sealed).key_id for value in before.values()}
    keys_after = {parse_sealed(value.sealed).key_id for value in after.values()}
    assert not keys_before & keys_after
    only_new = KeyEncryption(key for key in both._keys.values() if key.id == new)
    assert await opened_everywhere(await open_process(kms=only_new), data) == EVERYTHING
    states = await under(database)
    assert (states[old], states[new][0]) == (("compromised", 0), "primary")


async def test_a_compromise_that_was_interrupted_goes_on(
    rotation, stored, database, data, both, open_process, old
):
    class Interrupted(Exception):
        pass

    class Stopping(Seen):
        def __init__(self, stop_at):
            super().__init__()
            self.stop_at = stop_at

        def step(self, name, total):
            if name == self.stop_at:
                raise Interrupted
            return super().step(name, total)

    for stop_at in ("wrap data keys anew", "renew data keys", "seal values again"):
        with pytest.raises(Interrupted):
            await rotation.compromise(old, to=None, progress=Stopping(stop_at))
    done = await rotation.compromise(old, to=None, progress=Seen())
    assert (done.renewed, done.reseal.resealed, done.reseal.left) == (0, 28, 0)
    again = await rotation.compromise(old, to=None, progress=Seen())
    assert (again.renewed, again.reseal.resealed, again.reseal.left) == (0, 0, 0)


async def test_a_compromised_key_is_never_primary_again_and_cannot_take_its_own_place(
    rotation, stored, old, new
):
    with pytest.raises(ConfigurationError, match="its own place"):
        await rotation.compromise(old, to=old, progress=Seen())
    await rotation.compromise(old, to=new, progress=Seen())
    with pytest.raises(ConfigurationError, match="out of use for good"):
        await rotation.promote(old)


async def test_without_another_key_nothing_is_done_about_a_compromise(database, data, kms, open_process, old):
    rotation = await rotation_with(database, data, kms, open_process)
    with pytest.raises(ConfigurationError, match="fankeep keys add"):
        await rotation.compromise(old, to=None, progress=Seen())
    assert await under(database) == {old: ("primary", 1)}


async def test_of_several_keys_the_one_that_takes_the_place_has_to_be_named(
    key_file, both, database, data, open_process, keys, old
):
    add_to_key_file(key_file)
    three = from_setting(f"file:{key_file}")
    rotation = await rotation_with(database, data, three, open_process)
    with pytest.raises(ConfigurationError, match="--to"):
        await rotation.compromise(old, to=None, progress=Seen())


async def test_a_key_that_was_retired_can_still_turn_out_to_be_compromised(rotation, stored, old, new):
    await rotation.promote(new)
    await rotation.rewrap(Seen())
    await rotation.retire(old)
    done = await rotation.compromise(old, to=None, progress=Seen())
    assert (done.renewed, done.reseal.resealed, done.reseal.left) == (7, 28, 0)


async def test_a_value_that_does_not_open_is_reported_and_the_others_are_sealed_again(
    rotation, stored, keys, data, old
):
    mine = await data.read(lambda tx: grants.by_user(tx, USERS[0]))
    spoil = Command("UPDATE grants SET sealed_access = sealed_refresh WHERE id = :id")
    await data.write(lambda tx: tx.run(spoil, id=mine.id))
    done = await rotation.compromise(old, to=None, progress=Seen())
    assert (done.reseal.resealed, done.reseal.left) == (27, 1)
    assert done.reseal.damaged == (f"grants.sealed_access {mine.id}",)


async def test_a_value_that_changes_while_it_is_sealed_again_is_left_to_whoever_changed_it(
    rotation, stored, keys, data, old, open_process, both
):
    other = await open_process(kms=both)
    logins = Logins(data, other, GrantRecords(other), Revocations(data, other, None, Timing()))
    resealing, once = rotation._datakeys.reseal, []

    async def reseal(context, sealed):
        if not once:
            once.append(context)
            other._ring._forget(USERS[0])
            await logins.store(USERS[0], pair("third"))
        return await resealing(context, sealed)

    rotation._datakeys.reseal = reseal
    done = await rotation.compromise(old, to=None, progress=Seen())
    assert done.reseal.left == 0
    grant = await data.read(lambda tx: grants.by_user(tx, USERS[0]))
    assert (await GrantRecords(other).open_refresh(grant)).reveal() == "third-refresh"


async def test_with_replicas_alive_the_bound_of_their_memory_is_waited_for(
    database, data, both, open_process, stored, old
):
    rotation = Rotation(
        keys=database, data=data, kms=both, datakeys=await open_process(kms=both),
        replicas=Alone(living=["host/1"]), settle=1.0,
    )  # fmt: skip
    seen = Seen()
    await rotation.compromise(old, to=None, progress=seen)
    assert seen.done["wait for the replicas"] == 1
    assert list(seen.steps).index("wait for the replicas") == 2


async def test_the_wait_for_replicas_is_longer_than_they_use_a_key_without_looking(rotation):
    assert rotation._settle > FRESH_SECONDS
