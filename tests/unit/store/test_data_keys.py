import pytest

from fankeep.store import Command, Statement, data_keys, key_encryption_keys, open_keys
from fankeep.store.data_keys import DataKeyRow, Rewrapped
from fankeep.store.key_encryption_keys import NotPrimary, OutOfUse

AGE = Command("UPDATE data_keys SET created_at = created_at - 100 WHERE id = :id")
STATES = Statement(
    """
    SELECT id, wrapped IS NOT NULL, retired_at IS NOT NULL, destroyed_at IS NOT NULL
    FROM data_keys ORDER BY id
    """,
    lambda *row: row,
)


@pytest.fixture
async def database(database_urls):
    opened = await open_keys(database_urls.keys, create=True)
    await opened.write(lambda tx: key_encryption_keys.promote(tx, "kek-1"))
    yield opened
    await opened.close()


def row(key_id, owner="alice", kek_id="kek-1"):
    return DataKeyRow(key_id, owner, kek_id, b"wrapped " + key_id.encode(), 0.0)


@pytest.fixture
def add(database):
    async def add(*args, **named):
        return await database.write(lambda tx: data_keys.add(tx, row(*args, **named)))

    return add


async def states(database):
    return await database.read(lambda tx: tx.all(STATES))


async def test_a_stored_key_is_found_by_owner_and_by_id(database, add):
    added = await add("dk-1")
    assert added._replace(age=0.0) == row("dk-1")
    assert (await database.read(lambda tx: data_keys.load_active(tx, "alice"))).id == "dk-1"
    assert (await database.read(lambda tx: data_keys.load(tx, "dk-1"))).wrapped == b"wrapped dk-1"
    assert await database.read(lambda tx: data_keys.load_active(tx, "bob")) is None
    assert await database.read(lambda tx: data_keys.load(tx, "dk-2")) is None


async def test_age_is_counted_in_seconds(database, add):
    await add("dk-1")
    await database.write(lambda tx: tx.run(AGE, id="dk-1"))
    found = await database.read(lambda tx: data_keys.load(tx, "dk-1"))
    assert 100 <= found.age < 110


async def test_an_owners_second_key_is_not_stored_and_the_first_is_returned(database, add):
    await add("dk-1")
    assert (await add("dk-2")).id == "dk-1"
    assert await states(database) == [("dk-1", 1, 0, 0)]


async def test_a_key_id_that_is_taken_is_not_overwritten(database, add):
    await add("dk-1")
    assert await add("dk-1", owner="bob") is None
    assert (await database.read(lambda tx: data_keys.load(tx, "dk-1"))).owner == "alice"


async def test_renewing_retires_the_old_key(database, add):
    await add("dk-1")
    standing = await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-2")))
    assert standing.id == "dk-2"
    assert await states(database) == [("dk-1", 1, 1, 0), ("dk-2", 1, 0, 0)]


async def test_the_second_to_renew_gets_the_first_ones_key(database, add):
    await add("dk-1")
    await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-2")))
    standing = await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-3")))
    assert standing.id == "dk-2"
    assert len(await states(database)) == 2


async def test_destroying_overwrites_active_and_retired_keys_of_that_owner_alone(database, add):
    await add("dk-1")
    await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-2")))
    await add("dk-3", owner="bob")
    assert await database.write(lambda tx: data_keys.destroy(tx, "alice")) == 2
    assert await states(database) == [("dk-1", 0, 1, 1), ("dk-2", 0, 0, 1), ("dk-3", 1, 0, 0)]
    assert await database.read(lambda tx: data_keys.was_destroyed(tx, "alice"))
    assert not await database.read(lambda tx: data_keys.was_destroyed(tx, "bob"))


async def test_nothing_is_renewed_after_a_destruction_and_who_comes_back_starts_anew(database, add):
    await add("dk-1")
    await database.write(lambda tx: data_keys.destroy(tx, "alice"))
    assert await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-2"))) is None
    assert await states(database) == [("dk-1", 0, 0, 1)]
    assert (await add("dk-3")).id == "dk-3"
    assert await states(database) == [("dk-1", 0, 0, 1), ("dk-3", 1, 0, 0)]


@pytest.fixture
def promote(database):
    async def promote(key_id, **options):
        await database.write(lambda tx: key_encryption_keys.promote(tx, key_id, **options))

    return promote


async def known(database):
    rows = await database.read(key_encryption_keys.all_known)
    return {each.id: (each.state, each.data_keys) for each in rows}


async def test_one_key_is_given_for_each_key_encryption_key_that_still_wraps_any(database, add, promote):
    await add("dk-1", owner="a", kek_id="kek-1")
    await add("dk-2", owner="b", kek_id="kek-1")
    await promote("kek-2")
    await add("dk-3", owner="c", kek_id="kek-2")
    await promote("kek-3")
    await add("dk-4", owner="d", kek_id="kek-3")
    await database.write(lambda tx: data_keys.destroy(tx, "d"))
    found = await database.read(data_keys.one_per_kek)
    assert sorted((each.id, each.kek_id) for each in found) == [("dk-1", "kek-1"), ("dk-3", "kek-2")]


async def test_nothing_is_stored_under_a_key_that_is_not_primary(database, add, promote):
    await add("dk-1")
    await promote("kek-2")
    with pytest.raises(NotPrimary):
        await add("dk-2", owner="bob")
    with pytest.raises(NotPrimary):
        await database.write(lambda tx: data_keys.renew(tx, "dk-1", row("dk-3")))
    with pytest.raises(NotPrimary):
        await database.write(
            lambda tx: data_keys.rewrap(tx, "kek-1", [Rewrapped("dk-1", b"other", b"wrapped dk-1")])
        )
    assert await states(database) == [("dk-1", 1, 0, 0)]


async def test_one_key_is_primary_and_the_one_before_is_former(database, promote):
    assert await database.read(key_encryption_keys.primary) == "kek-1"
    await promote("kek-2")
    assert await database.read(key_encryption_keys.primary) == "kek-2"
    assert await known(database) == {"kek-1": ("former", 0), "kek-2": ("primary", 0)}
    await promote("kek-1")
    assert await known(database) == {"kek-1": ("primary", 0), "kek-2": ("former", 0)}


@pytest.mark.parametrize("state", ["compromised", "retired"])
async def test_a_key_that_was_taken_out_of_use_is_never_primary_again(database, promote, state):
    await promote("kek-2")
    assert await database.write(lambda tx: key_encryption_keys.finish(tx, "kek-1", state))
    with pytest.raises(OutOfUse):
        await promote("kek-1")
    assert await known(database) == {"kek-1": (state, 0), "kek-2": ("primary", 0)}


async def test_the_primary_key_is_not_taken_out_of_use(database):
    assert not await database.write(lambda tx: key_encryption_keys.finish(tx, "kek-1", "retired"))
    assert await known(database) == {"kek-1": ("primary", 0)}


async def test_a_compromised_key_steps_down_as_such(database, promote):
    await promote("kek-2", former="compromised")
    assert await known(database) == {"kek-1": ("compromised", 0), "kek-2": ("primary", 0)}


async def test_what_is_not_under_a_key_is_listed_in_portions_and_counted(database, add, promote):
    for number in range(5):
        await add(f"dk-{number}", owner=f"user-{number}")
    await database.write(lambda tx: data_keys.destroy(tx, "user-3"))
    await promote("kek-2")
    await add("dk-9", owner="user-9", kek_id="kek-2")
    assert await database.read(lambda tx: data_keys.count_not_under(tx, "kek-2")) == 4
    first = await database.read(lambda tx: data_keys.not_under(tx, "kek-2", after="", limit=2))
    assert [each.id for each in first] == ["dk-0", "dk-1"]
    rest = await database.read(lambda tx: data_keys.not_under(tx, "kek-2", after="dk-1", limit=9))
    assert [each.id for each in rest] == ["dk-2", "dk-4"]


async def test_a_key_that_changed_since_it_was_read_is_not_rewrapped(database, add, promote):
    await add("dk-1")
    await add("dk-2", owner="bob")
    await promote("kek-2")
    again = [Rewrapped("dk-1", b"new 1", b"wrapped dk-1"), Rewrapped("dk-2", b"new 2", b"wrapped dk-2")]
    await database.write(lambda tx: data_keys.destroy(tx, "bob"))
    await database.write(lambda tx: data_keys.rewrap(tx, "kek-2", again))
    moved = await database.read(lambda tx: data_keys.load(tx, "dk-1"))
    assert (moved.kek_id, moved.wrapped) == ("kek-2", b"new 1")
    assert (await database.read(lambda tx: data_keys.load(tx, "dk-2"))).wrapped is None
    assert await database.read(lambda tx: data_keys.count_not_under(tx, "kek-2")) == 0
