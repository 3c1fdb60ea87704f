import pytest

from fankeep.datakeys import KeyGone
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import ConfigurationError, KeyUnavailable, SealError
from fankeep.kms import WrapContext, add_to_key_file, create_key_file, from_setting


@pytest.fixture
def wrapping(kms):
    return KeyWrapping(kms, "installation-1")


async def test_a_new_key_opens_and_names_its_owner(wrapping, kms, kek_id):
    row = await wrapping.new("owner", kek_id)
    key = await wrapping.open(row)
    assert (key.id, key.owner, row.kek_id) == (row.id, "owner", kek_id)
    assert len(key.secret.reveal()) == 32


async def test_new_keys_are_random_and_have_random_ids(wrapping, kek_id):
    one, other = await wrapping.new("owner", kek_id), await wrapping.new("owner", kek_id)
    assert one.id != other.id
    assert len(bytes.fromhex(one.id.removeprefix("dk-"))) == 16
    assert (await wrapping.open(one)).secret != (await wrapping.open(other)).secret


async def test_the_key_itself_is_not_in_the_row(wrapping, kek_id):
    row = await wrapping.new("owner", kek_id)
    assert (await wrapping.open(row)).secret.reveal() not in row.wrapped


async def test_a_wrapped_key_is_bound_to_the_documented_context(wrapping, kms, kek_id):
    row = await wrapping.new("owner", kek_id)
    context = WrapContext("installation-1", "owner", row.id)
    assert await kms.unwrap(row.kek_id, row.wrapped, context) == (await wrapping.open(row)).secret


@pytest.mark.parametrize("change", [{"owner": "other"}, {"id": "dk-other"}])
async def test_a_wrapped_key_copied_to_another_row_does_not_open(wrapping, change, kek_id):
    row = await wrapping.new("owner", kek_id)
    with pytest.raises(SealError):
        await wrapping.open(row._replace(**change))


async def test_a_wrapped_key_in_another_installation_does_not_open(wrapping, kms, kek_id):
    row = await wrapping.new("owner", kek_id)
    with pytest.raises(SealError):
        await KeyWrapping(kms, "installation-2").open(row)


async def test_a_destroyed_key_is_gone(wrapping, kek_id):
    row = await wrapping.new("owner", kek_id)
    with pytest.raises(KeyGone):
        await wrapping.open(row._replace(wrapped=None))


async def test_a_missing_key_encryption_key_is_named_and_nothing_that_holds_a_value_gives_up(
    wrapping, kek_id
):
    row = await wrapping.new("owner", kek_id)
    with pytest.raises(KeyUnavailable, match="kek-lost"):
        await wrapping.open(row._replace(kek_id="kek-lost"))


async def test_the_proof_names_a_missing_key_encryption_key(wrapping, kek_id):
    row = await wrapping.new("owner", kek_id)
    with pytest.raises(ConfigurationError, match="kek-lost"):
        await wrapping.prove(row._replace(kek_id="kek-lost"))


async def test_a_key_wrapped_under_another_key_encryption_key_is_the_same_key(tmp_path, key_file):
    add_to_key_file(key_file)
    kms = from_setting(f"file:{key_file}")
    wrapping = KeyWrapping(kms, "installation-1")
    old, new = kms.ids
    row = await wrapping.new("owner", old)
    again = await wrapping.rewrap(row, new)
    assert (again.id, again.old_wrapped) == (row.id, row.wrapped)
    moved = row._replace(kek_id=new, wrapped=again.wrapped)
    assert (await wrapping.open(moved)).secret == (await wrapping.open(row)).secret
    with pytest.raises(SealError):
        await wrapping.open(moved._replace(kek_id=old))


async def test_the_proof_fails_for_another_key_under_the_same_name(wrapping, kms, tmp_path, kek_id):
    create_key_file(tmp_path / "other.json")
    text = (tmp_path / "other.json").read_text()
    other_id = from_setting(f"file:{tmp_path}/other.json").ids[0]
    (tmp_path / "other.json").write_text(text.replace(other_id, kek_id))
    row = await wrapping.new("owner", kek_id)
    await wrapping.prove(row)
    impostor = KeyWrapping(from_setting(f"file:{tmp_path}/other.json"), "installation-1")
    with pytest.raises(ConfigurationError, match=kek_id):
        await impostor.prove(row)
