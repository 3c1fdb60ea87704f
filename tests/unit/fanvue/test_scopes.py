import pytest

from fankeep.errors import ConfigurationError
from fankeep.fanvue import (
    FIXED_SCOPES,
    OPERATIONS,
    SCOPES,
    check_scopes,
    compare_scopes,
    operation,
    required_scopes,
    sentence,
)


def test_the_catalogue_is_what_operations_need_and_the_system_scopes():
    needed = {scope for op in OPERATIONS.values() for scope in op.scopes}
    assert set(SCOPES) == needed | {"openid", "offline_access", "offline"}
    assert len(SCOPES) == 18


def test_system_scopes_are_told_from_app_scopes():
    assert {name for name, scope in SCOPES.items() if scope.kind == "system"} == {
        "openid",
        "offline_access",
        "offline",
    }


@pytest.mark.parametrize("name", SCOPES)
def test_every_scope_has_a_sentence_without_jargon(name):
    words = sentence(name)
    assert words[0].islower()
    assert not words.endswith(".")
    assert not any(
        term in words.lower() for term in ("scope", "token", "oauth", "api", "openid", "uuid", "endpoint")
    )


def test_what_writes_says_that_it_acts_in_the_creators_name():
    assert "in your name" in sentence("write:chat")
    assert "in your name" in sentence("write:post")


def test_fixed_scopes_are_always_requested_and_each_scope_once():
    assert check_scopes([]) == FIXED_SCOPES == ("openid", "offline_access", "offline", "read:self")
    assert check_scopes(["write:chat", "read:chat", "openid", "read:chat"]) == (
        *FIXED_SCOPES,
        "read:chat",
        "write:chat",
    )


@pytest.mark.parametrize(
    "name", ["read:subscribers", "read:earnings", "write:messages", "", "READ:SELF", "read:chat "]
)
def test_a_scope_that_fanvue_does_not_have_is_a_configuration_error(name):
    with pytest.raises(ConfigurationError) as caught:
        check_scopes(["read:chat", name])
    assert "scope 2 " in str(caught.value)
    with pytest.raises(ConfigurationError):
        sentence(name)


def test_the_error_does_not_repeat_the_value():
    with pytest.raises(ConfigurationError) as caught:
        check_scopes(["hunter2"])
    assert "hunter2" not in str(caught.value)


def test_operations_add_up_to_the_scopes_they_need():
    assert required_scopes(["getCurrentUser"]) == ()
    assert required_scopes(["sendMassMessage", operation("listChats")]) == (
        "read:chat",
        "write:chat",
        "read:fan",
    )
    with pytest.raises(ConfigurationError):
        required_scopes(["sendEverything"])


def test_a_comparison_names_what_is_missing_and_what_is_not_needed():
    found = compare_scopes([*FIXED_SCOPES, "write:post", "read:chat"], ["listChats", "sendMessage"])
    assert found.missing == ("write:chat",)
    assert found.superfluous == ("write:post",)
    with pytest.raises(ConfigurationError):
        compare_scopes(["read:everything"], [])
