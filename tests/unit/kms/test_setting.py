import subprocess
import sys

import pytest

from fankeep.errors import ConfigurationError
from fankeep.kms import create_key_file, from_setting


@pytest.mark.parametrize("prefix", ["file:", "file://"])
def test_a_key_file_is_named_by_its_absolute_path(tmp_path, prefix):
    key_id = create_key_file(tmp_path / "keys.json")
    assert from_setting(f"{prefix}{tmp_path}/keys.json").ids == (key_id,)


@pytest.mark.parametrize("value", ["", "keys.json", "/keys.json", "awskms:alias/x", "FILE:/keys.json"])
def test_an_unknown_scheme_is_refused_with_the_list_of_known_ones(value):
    with pytest.raises(ConfigurationError, match="file:"):
        from_setting(value)


@pytest.mark.parametrize("value", ["file:", "file:keys.json", "file://host/keys.json", "file:////keys.json"])
def test_a_path_that_is_not_absolute_is_refused(value):
    with pytest.raises(ConfigurationError, match="absolute"):
        from_setting(value)


@pytest.mark.parametrize("value", ["c2VjcmV0IGtleQ==", "base64:c2VjcmV0IGtleQ==", "file:c2VjcmV0IGtleQ=="])
def test_a_key_given_in_place_of_an_address_is_not_repeated(value):
    with pytest.raises(ConfigurationError) as refusal:
        from_setting(value)
    assert "c2Vj" not in str(refusal.value)


@pytest.mark.parametrize("between", [" ", "\n", ",", " , \n"])
def test_several_places_are_opened_whatever_their_order(tmp_path, between, monkeypatch):
    one, other = create_key_file(tmp_path / "one.json"), create_key_file(tmp_path / "other.json")
    create_key_file(tmp_path / "third.json")
    monkeypatch.setenv("THE_THIRD", (tmp_path / "third.json").read_text())
    places = [f"file:{tmp_path}/one.json", f"file:{tmp_path}/other.json", "env:THE_THIRD"]
    there, back = from_setting(between.join(places)), from_setting(between.join(reversed(places)))
    assert there.ids == back.ids
    assert {one, other} < set(there.ids)
    assert len(there.ids) == 3


def test_the_path_of_a_file_may_have_spaces_in_it(tmp_path):
    (tmp_path / "my keys").mkdir(mode=0o700)
    key_id = create_key_file(tmp_path / "my keys" / "keys.json")
    other = create_key_file(tmp_path / "more.json")
    both = from_setting(f"file:{tmp_path}/my keys/keys.json file:{tmp_path}/more.json")
    assert set(both.ids) == {key_id, other}


def test_one_key_from_two_places_is_refused_by_its_id(tmp_path):
    key_id = create_key_file(tmp_path / "keys.json")
    with pytest.raises(ConfigurationError, match=f"{key_id} twice"):
        from_setting(f"file:{tmp_path}/keys.json file:{tmp_path}/keys.json")


@pytest.mark.parametrize("name", ["", "lower", "FANKEEP_KEK", "A B", "A=B", "1A"])
def test_a_variable_that_cannot_be_is_refused(name):
    with pytest.raises(ConfigurationError, match="env:NAME"):
        from_setting(f"env:{name}")


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_variable_that_is_not_set_is_named(monkeypatch, value):
    monkeypatch.delenv("THE_KEYS", raising=False)
    if value is not None:
        monkeypatch.setenv("THE_KEYS", value)
    with pytest.raises(ConfigurationError, match="THE_KEYS, which is not set"):
        from_setting("env:THE_KEYS")


def test_a_variable_with_something_else_in_it_is_not_repeated(monkeypatch):
    monkeypatch.setenv("THE_KEYS", "c2VjcmV0IGtleQ==")
    with pytest.raises(ConfigurationError, match="variable THE_KEYS is damaged") as refusal:
        from_setting("env:THE_KEYS")
    assert "c2Vj" not in str(refusal.value)


@pytest.mark.parametrize(
    ("place", "library", "extra"),
    [
        ("aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234", "boto3", "aws"),
        ("vault:https://vault.example.com:8200/transit/fankeep", "hvac", "vault"),
    ],
)
def test_a_service_whose_library_is_not_installed_says_what_to_install(place, library, extra):
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from fankeep.kms import from_setting\n"
        f"try: from_setting({place!r})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigurationError ")
    assert f"pip install 'fankeep[{extra}]'" in done.stdout
    assert done.stdout.count("\n") == 1


def test_no_library_of_a_service_is_imported_for_a_key_file():
    program = "import sys, fankeep.kms; print({'boto3', 'hvac', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
