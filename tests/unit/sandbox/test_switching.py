"""Switches as somebody types them."""

from dataclasses import fields

import pytest

from fankeep.cli.sandbox import command
from fankeep.errors import ConfigurationError
from fankeep.sandbox import GraceAnswer, SandboxSettings, Switches, TokenFormat
from fankeep.sandbox.switching import OPTIONS, read_switches, turned


def test_without_any_they_are_as_they_are():
    assert read_switches([]) == Switches()


def test_each_kind_of_value_is_read():
    given = ["echo_nonce=off", "client_secret_post=on", "token_format=jwt", "grace_repeats=2"]
    assert read_switches([*given, "grace_answer=same_pair"]) == Switches(
        echo_nonce=False,
        client_secret_post=True,
        token_format=TokenFormat.JWT,
        grace_repeats=2,
        grace_answer=GraceAnswer.SAME_PAIR,
    )


@pytest.mark.parametrize("name", [field.name for field in fields(Switches)])
def test_every_switch_can_be_turned(name):
    turned = []
    for value in ("on", "off", "7", *_words(name)):
        try:
            turned.append(getattr(read_switches([f"{name}={value}"]), name))
        except ConfigurationError:
            continue
    assert any(value != getattr(Switches(), name) for value in turned)


def _words(name):
    default = getattr(Switches(), name)
    return [] if isinstance(default, bool) or default is None else [word.value for word in type(default)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grace_anser=same_pair", "no switch grace_anser; is it grace_answer?"),
        ("echo_nonce=maybe", "echo_nonce is on or off"),
        ("echo_nonce", "echo_nonce is on or off"),
        ("token_format=xml", "token_format is one of: opaque, jwt"),
        ("grace_repeats=-1", "grace_repeats is a whole number"),
        ("", "no switch ; the switches are: grace_answer, "),
        ("xyzzy=1", "no switch xyzzy; the switches are: grace_answer, "),
        ("grace=5", "grace is no switch: --grace sets it"),
        ("access_token_lifetime=5", "is no switch: --token-lifetime sets it"),
        ("token_lifetime=5", "is no switch: --token-lifetime sets it"),
        ("rate_limit=5", "is no switch: in a test, SandboxSettings(rate_limit=...) sets it"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, says):
    with pytest.raises(ConfigurationError) as caught:
        read_switches([text])
    assert says in str(caught.value)


def test_only_what_stands_otherwise_than_by_default_counts_as_turned():
    assert turned(Switches()) == {}
    assert turned(read_switches(["echo_nonce=off", "echo_nonce=on", "token_format=jwt"])) == {
        "token_format": "jwt"
    }


def test_the_options_that_set_settings_exist_and_so_do_the_settings():
    assert set(OPTIONS.values()) <= {name for option in command.params for name in option.opts}
    assert set(OPTIONS) <= {field.name for field in fields(SandboxSettings)}
