import base64
import json
import os
import stat

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from fankeep.errors import ConfigurationError, SealError
from fankeep.kms import (
    WrapContext,
    add_to_key_file,
    create_key_file,
    load_key_file,
    remove_from_key_file,
)
from fankeep.secret import Secret

DATA_KEY = Secret(os.urandom(32))
CONTEXT = WrapContext("installation-1", "alice", "dk-1")


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(0o600)
    return path


def load(path, **keys):
    return load_key_file(write(path, {"keys": keys}))


def test_a_new_key_file_holds_one_random_key_that_only_the_owner_reads(path):
    key_id = create_key_file(path)
    content = json.loads(path.read_text())
    assert list(content) == ["keys"]
    assert list(content["keys"]) == [key_id]
    assert len(base64.b64decode(content["keys"][key_id])) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_id_of_a_new_key_names_the_day(path):
    prefix, day, suffix = create_key_file(path).split("-")
    assert prefix == "kek"
    assert len(day) == 8
    assert day.isdigit()
    assert len(bytes.fromhex(suffix)) == 4


def test_a_key_file_is_never_overwritten(path):
    create_key_file(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="already"):
        create_key_file(path)
    assert path.read_bytes() == before


def test_a_key_file_is_not_written_through_a_symbolic_link(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError):
        create_key_file(path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_file_in_a_missing_folder_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        create_key_file(tmp_path / "none" / "keys.json")


def test_what_was_made_is_loaded_with_its_id(path):
    key_id = create_key_file(path)
    assert [(key.id, key.source) for key in load_key_file(path)] == [(key_id, "file")]


async def test_a_wrapped_key_has_the_documented_form(path):
    bytes_of_key = os.urandom(32)
    (key,) = load(path, **{"kek-1": encoded(bytes_of_key)})
    context = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (b"fankeep/v1/data-key", b"installation-1", b"alice", b"dk-1")
    )
    parts = (b"fankeep/v1/wrap", b"kek-1", context)
    bound_to = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    wrapped = await key.wrap(DATA_KEY, CONTEXT)
    assert (wrapped[0], len(wrapped)) == (1, 61)
    assert AESGCMSIV(bytes_of_key).decrypt(wrapped[1:13], wrapped[13:], bound_to) == DATA_KEY.reveal()


async def test_a_wrapping_is_bound_to_the_id_of_its_key(path):
    same = encoded(os.urandom(32))
    (one,) = load(path, **{"kek-1": same})
    (renamed,) = load(path, **{"kek-2": same})
    with pytest.raises(SealError):
        await renamed.unwrap(await one.wrap(DATA_KEY, CONTEXT), CONTEXT)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "null",
        "not json",
        "{}",
        '{"keys": []}',
        '{"keys": {}, "more": 1}',
        '{"keys": {"a": 5}}',
        "[" * 100_000,
        "\ufeff{}",
    ],
    ids=range(10),
)
def test_a_damaged_file_is_refused(path, content):
    with pytest.raises(ConfigurationError, match=r"damaged|longer"):
        load_key_file(write(path, content))


def test_an_empty_file_is_refused(path):
    with pytest.raises(ConfigurationError, match="empty"):
        load_key_file(write(path, ""))


def test_a_file_without_a_key_is_refused(path):
    with pytest.raises(ConfigurationError, match="no key"):
        load_key_file(write(path, {"keys": {}}))


def test_a_file_with_one_id_twice_is_refused(path):
    one, other = encoded(os.urandom(32)), encoded(os.urandom(32))
    with pytest.raises(ConfigurationError, match="one id twice"):
        load_key_file(write(path, f'{{"keys": {{"kek-1": "{one}", "kek-1": "{other}"}}}}'))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "changeme",
        encoded(bytes(32)),
        encoded(b"\x01\x02" * 16),
        encoded(b"correct horse battery staple 123"),
        encoded(os.urandom(31)),
        encoded(os.urandom(33)),
        encoded(os.urandom(32)) + "\n",
        encoded(os.urandom(32))[:-1],
        "é" * 44,
    ],
    ids=[
        "nothing",
        "placeholder",
        "zeros",
        "pattern",
        "password",
        "short",
        "long",
        "line end",
        "cut",
        "not ASCII",
    ],
)
def test_a_key_that_is_not_32_random_bytes_is_refused_and_not_shown(path, key):
    with pytest.raises(ConfigurationError) as refusal:
        load(path, **{"kek-1": key})
    assert not key or key not in str(refusal.value)


@pytest.mark.parametrize("key_id", ["", "KEK", "a b", "a\n", "k" * 65])
def test_a_key_id_of_the_wrong_form_is_refused(path, key_id):
    with pytest.raises(ConfigurationError, match="id"):
        load(path, **{key_id: encoded(os.urandom(32))})


def test_one_key_under_two_ids_is_refused(path):
    key = encoded(os.urandom(32))
    with pytest.raises(ConfigurationError, match="two ids"):
        load(path, **{"kek-1": key, "kek-2": key})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_can_open_is_refused(path, mode):
    create_key_file(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="0600"):
        load_key_file(path)


def test_a_read_only_file_is_accepted(path):
    create_key_file(path)
    path.chmod(0o400)
    assert load_key_file(path)


def test_no_key_shows_in_the_repr(path):
    create_key_file(path)
    (secret,) = json.loads(path.read_text())["keys"].values()
    assert secret not in repr(load_key_file(path))


def test_a_folder_to_which_the_group_can_write_is_refused(path):
    create_key_file(path)
    path.parent.chmod(0o770)
    with pytest.raises(ConfigurationError, match="chmod g-w"):
        load_key_file(path)


def test_adding_makes_a_file_where_there_is_none(path):
    key_id = add_to_key_file(path)
    assert [key.id for key in load_key_file(path)] == [key_id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_adding_keeps_the_keys_that_are_there(path):
    first = add_to_key_file(path)
    before = json.loads(path.read_text())["keys"]
    second = add_to_key_file(path)
    after = json.loads(path.read_text())["keys"]
    assert list(after) == [first, second]
    assert after[first] == before[first]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_adding_to_a_damaged_file_leaves_it_as_it_is(path):
    write(path, "{")
    with pytest.raises(ConfigurationError, match="damaged"):
        add_to_key_file(path)
    assert path.read_text() == "{"


def test_adding_follows_a_link_and_leaves_it_a_link(path, tmp_path):
    target = tmp_path / "target.json"
    add_to_key_file(target)
    path.symlink_to(target)
    add_to_key_file(path)
    assert path.is_symlink()
    assert len(load_key_file(target)) == 2


def test_a_change_that_another_one_is_in_the_middle_of_is_refused(path):
    add_to_key_file(path)
    path.with_name("keys.json.new").touch()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"keys\.json\.new"):
        add_to_key_file(path)
    assert path.read_bytes() == before


def test_a_key_is_removed_and_the_others_stay(path):
    first, second = add_to_key_file(path), add_to_key_file(path)
    remove_from_key_file(path, first)
    assert [key.id for key in load_key_file(path)] == [second]


@pytest.mark.parametrize("key_id", ["kek-other", None])
def test_neither_a_key_that_is_not_there_nor_the_last_one_is_removed(path, key_id):
    only = add_to_key_file(path)
    with pytest.raises(ConfigurationError, match=r"does not hold|no other key"):
        remove_from_key_file(path, key_id or only)
    assert [key.id for key in load_key_file(path)] == [only]
