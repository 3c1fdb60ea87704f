import base64
from enum import IntEnum, StrEnum
from urllib.parse import quote

import pytest

from fankeep.policy import REDACTED, Redactor
from fankeep.secret import Secret

REDACTOR = Redactor()


def test_ordinary_events_are_left_as_they_are():
    event = {
        "event": "webhook_accepted",
        "event_id": "5939ae62-3eb5-4433-954f-f78c7b4282f3",
        "code": "invalid_grant",
        "state": "live",
        "status": 200,
        "seconds": 0.25,
        "duplicate": False,
        "reason": None,
        "route": "GET /api/fanvue/creators/{user}/chats",
        "frame": "fankeep/vault/refresh.py:120:claim",
        "address_of_listener": "127.0.0.1:8000",
    }
    assert REDACTOR.redact(event) == event


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "accessToken", "Authorization", "client-secret", "X-Fanvue-Signature",
     "Set-Cookie", "_password", "code_verifier", "email", "displayName", "body", "headers",
     "WEBHOOK_SECRETS", "apiKey"],
)  # fmt: skip
def test_the_value_of_a_telling_name_is_withheld(name):
    assert list(REDACTOR.redact({name: "short"}).values()) == [REDACTED]
    assert list(REDACTOR.redact({name: ["short", {"deep": 1}]}).values()) == [REDACTED]


def test_a_code_is_shown_only_if_it_is_a_word():
    shown = REDACTOR.redact({"code": "invalid_grant", "state": "Xy7-abc", "auth_code": "abc123"})
    assert shown == {"code": "invalid_grant", "state": REDACTED, "auth_code": REDACTED}
    assert REDACTOR.redact({"code": 404}) == {"code": 404}
    assert REDACTOR.redact({"code": ["invalid_grant"]}) == {"code": REDACTED}


@pytest.mark.parametrize("flag", [True, False, None])
def test_a_flag_under_a_telling_name_is_shown(flag):
    assert REDACTOR.redact({"has_refresh_token": flag}) == {"has_refresh_token": flag}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("authorization: Bearer abc", "authorization: [redacted]"),
        ("sent Basic dXNlcjpwYXNz today", "sent Basic [redacted] today"),
        (
            "GET /auth/callback?code=abc&state=x&tab=1",
            "GET /auth/callback?code=[redacted]&state=[redacted]&tab=1",
        ),
        ("to https://user:pw@h.example/a?b=c#d", "to https://h.example/a?[redacted]"),
        ("mail to jane.doe@example.com now", "mail to [redacted] now"),
        ("cookie: a=b; c=d", "cookie: [redacted]"),
        ("path /a/b is fine", "path /a/b is fine"),
    ],
)
def test_a_shape_is_replaced_and_the_rest_stays(text, expected):
    assert REDACTOR.text(text) == expected


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\u202eb", "a\ud800b", "a\x85b"]
)
def test_a_text_cannot_forge_a_line_or_colour_the_screen(text):
    shown = REDACTOR.text(text)
    assert shown.startswith(("a\\u00", "a\\u2", "a\\ud"))
    assert shown.isprintable()


def test_control_characters_in_a_name_are_encoded_too():
    assert list(REDACTOR.redact({"a\nb": 1})) == ["a\\u000ab"]


def test_a_long_text_is_left_out_and_not_cut():
    assert REDACTOR.text("x" * 1025) == "<text of 1025>"


def test_known_secrets_are_found_by_value_in_every_spelling():
    secret = "correct horse/battery"
    redactor = Redactor([Secret(secret), Secret("abc")])
    for spelling in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")):
        assert redactor.text(f"it is {spelling}!") == f"it is {REDACTED}!"
    assert redactor.text("abc") == "abc"


def test_known_secrets_are_not_shown_by_the_redactor_itself():
    assert "hunter22" not in repr(Redactor([Secret("hunter22")]))


class Loud:
    def __repr__(self):
        return "hunter2"

    __str__ = __repr__


def test_an_object_becomes_the_name_of_its_type():
    shown = REDACTOR.redact(
        {"a": Loud(), "b": ValueError("hunter2"), "c": [Loud()], "d": Secret("x"), "e": b"x"}
    )
    assert shown == {"a": "<Loud>", "b": "<ValueError>", "c": ["<Loud>"], "d": REDACTED, "e": REDACTED}


def test_enums_of_text_and_numbers_become_plain_values():
    class Colour(StrEnum):
        RED = "red"

    class Level(IntEnum):
        HIGH = 3

    shown = REDACTOR.redact({"colour": Colour.RED, "level": Level.HIGH})
    assert shown == {"colour": "red", "level": 3}
    assert type(shown["colour"]) is str
    assert type(shown["level"]) is int


@pytest.mark.parametrize(
    ("value", "shown"), [(1 << 80, "<int>"), (float("nan"), "<float>"), (float("inf"), "<float>")]
)
def test_numbers_that_json_cannot_hold_are_named(value, shown):
    assert REDACTOR.redact({"n": value}) == {"n": shown}


def test_deep_and_endless_structures_are_bounded():
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"inner": deep}
    assert "<dict>" in str(REDACTOR.redact(deep))
    wide = REDACTOR.redact({f"f{number}": list(range(100)) for number in range(100)})
    assert wide["truncated"] is True
    assert len(str(wide)) < 10_000


def test_a_name_that_is_no_text_does_not_break_the_line():
    assert REDACTOR.redact({1: "a", "x" * 65: "b"}) == {"<int>": "a", "<name of 65>": "b"}
