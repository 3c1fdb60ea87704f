import pytest

from fankeep.datakeys import open_data_keys
from fankeep.errors import ConfigurationError, SealError
from fankeep.kms import create_key_file, from_setting
from fankeep.sealing import Context, mac, open_sealed, parse_sealed, seal
from fankeep.store import Statement, installation, open_keys

DUMP = Statement(
    "SELECT id, owner, kek_id, wrapped, created_at, retired_at, destroyed_at FROM data_keys ORDER BY id",
    lambda *row: row,
)
NONCE = bytes(12)


async def rows(database):
    return await database.read(lambda tx: tx.all(DUMP))


async def test_a_new_key_database_is_bound_to_the_installation(keys, database):
    assert keys.installation.id == "00112233445566778899aabbccddeeff"
    assert await database.read(installation.load) == keys.installation.id
    assert [owner for _, owner, *_ in await rows(database)] == ["installation"]


async def test_the_installations_keys_are_the_same_in_every_process(keys, open_process):
    other = (await open_process()).installation
    assert other.key("sessions") == keys.installation.key("sessions")
    context = Context(other.id, "", "login-cookies", "a", "login")
    sealed = seal(keys.installation.sealing_key("login-cookies"), context, b"login", nonce=NONCE)
    stored = parse_sealed(sealed.data)
    assert open_sealed(other.sealing_key("login-cookies"), context, stored) == b"login"


async def test_each_purpose_has_its_own_key(keys):
    one, other = keys.installation.key("sessions"), keys.installation.key("grants")
    assert len(one.reveal()) == 32
    assert one != other
    assert mac(one, "a") != mac(other, "a")


async def test_a_key_is_derived_once(keys):
    assert keys.installation.key("sessions") is keys.installation.key("sessions")
    assert keys.installation.sealing_key("logins") is keys.installation.sealing_key("logins")


async def test_two_installations_have_different_keys(keys, kms, tmp_path):
    database = await open_keys(f"sqlite:///{tmp_path}/other.db", create=True)
    other = await open_data_keys(database, kms, installation_id="f" * 32)
    assert other.installation.key("sessions") != keys.installation.key("sessions")
    await database.close()


async def test_the_key_database_of_another_installation_is_refused_and_not_changed(
    keys, open_process, database
):
    before = await rows(database)
    with pytest.raises(ConfigurationError, match=r"another installation.*FANKEEP_KEYS_DATABASE_URL"):
        await open_process(installation_id="f" * 32)
    assert await rows(database) == before
    assert await database.read(installation.load) == keys.installation.id


async def test_an_empty_key_database_is_refused_where_the_data_is_not_new(open_process, database):
    with pytest.raises(ConfigurationError, match=r"empty.*FANKEEP_KEYS_DATABASE_URL"):
        await open_process(create=False)
    assert await rows(database) == []
    assert await database.read(installation.load) is None


async def test_a_key_database_of_ours_opens_where_the_data_is_not_new(keys, open_process):
    assert (await open_process(create=False)).installation.key("mac") == keys.installation.key("mac")


async def test_a_missing_key_encryption_key_is_named_at_start(keys, open_process, database, kms, tmp_path):
    create_key_file(tmp_path / "other.json")
    before = await rows(database)
    with pytest.raises(ConfigurationError, match=kms.ids[0]):
        await open_process(kms=from_setting(f"file:{tmp_path}/other.json"))
    assert await rows(database) == before


async def test_another_key_under_the_name_in_use_is_named_at_start_and_nothing_is_rewritten(
    keys, open_process, database, kms, tmp_path
):
    path = tmp_path / "other.json"
    other_id = create_key_file(path)
    path.write_text(path.read_text().replace(other_id, kms.ids[0]))
    before = await rows(database)
    with pytest.raises(ConfigurationError, match=f"{kms.ids[0]} does not open"):
        await open_process(kms=from_setting(f"file:{path}"))
    assert await rows(database) == before


async def test_every_key_encryption_key_in_use_is_proved_not_only_the_active_one(
    keys, open_process, run, kms
):
    await keys.ensure("user-1")
    await run("UPDATE data_keys SET kek_id = 'kek-lost' WHERE owner = 'user-1'")
    with pytest.raises(ConfigurationError, match="kek-lost"):
        await open_process()


async def test_a_key_encryption_key_that_only_destroyed_keys_used_may_be_gone(keys, open_process, run):
    await keys.ensure("user-1")
    await keys.destroy("user-1")
    await run("UPDATE data_keys SET kek_id = 'kek-lost' WHERE owner = 'user-1'")
    assert (await open_process()).installation.key("sessions") == keys.installation.key("sessions")


async def test_keys_that_belong_to_no_installation_are_refused(keys, open_process, run):
    await run("DELETE FROM installation")
    with pytest.raises(ConfigurationError, match="keys of nobody"):
        await open_process()


async def test_a_lost_root_is_not_replaced_by_a_new_one(keys, open_process, run, database):
    await run("DELETE FROM data_keys WHERE owner = 'installation'")
    with pytest.raises(ConfigurationError, match="lost"):
        await open_process()
    assert await rows(database) == []


async def test_nobody_seals_as_the_installation_through_a_users_name(keys):
    context = keys.context(user="installation", table="events", record="1", field="payload")
    for attempt in (keys.ensure("installation"), keys.seal(context, b"x"), keys.destroy("installation")):
        with pytest.raises(SealError):
            await attempt


async def test_a_value_sealed_under_the_root_does_not_open_as_a_users(keys):
    context = keys.context(user="installation", table="events", record="1", field="payload")
    sealed = seal(keys.installation.sealing_key("events"), context, b"x", nonce=NONCE)
    with pytest.raises(SealError):
        await keys.open(context, sealed.data)
