import json

import pytest

from fankeep.errors import ConfigurationError
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.secret import Secret
from fankeep.secrets import parse_webhook_secrets

ONE = "whsec_0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"
TWO = "e9c7a5f3d1b9e7c5a3f1d0b8a6e4c2f0"
CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
DECEMBER = 1796083200.0  # 2026-12-01T00:00:00Z


def parse(written):
    text = written if isinstance(written, str) else json.dumps(written)
    return parse_webhook_secrets(Secret(text))


def test_a_name_and_a_value_make_a_secret_of_the_app():
    assert parse(f"main={ONE}") == (WebhookSecret("main", Secret(ONE), "app"),)


def test_every_line_is_a_secret_and_comments_and_empty_lines_are_none():
    secrets = parse(f"\n# from the Events tab\nmain={ONE}\r\n\n  # new\n  new = {TWO}  \n")
    assert [(secret.name, secret.value.reveal()) for secret in secrets] == [("main", ONE), ("new", TWO)]


def test_a_name_with_a_creator_speaks_for_that_creator():
    (secret,) = parse(f"zoe@creator:{CREATOR}={ONE}")
    assert (secret.name, secret.scope) == ("zoe", f"creator:{CREATOR}")


def test_a_line_can_say_from_when_until_when_it_counts():
    (secret,) = parse(f"main={ONE} not_before=2026-12-01T00:00:00Z not_after=2026-12-01T02:00:00+01:00")
    assert (secret.not_before, secret.not_after) == (DECEMBER, DECEMBER + 3600)
    assert [secret.active_at(DECEMBER + offset) for offset in (-1, 0, 3599, 3600)] == [
        False,
        True,
        True,
        False,
    ]


def test_padding_belongs_to_the_value():
    assert parse(f"main={ONE}==")[0].value == Secret(ONE + "==")


def test_json_says_the_same_as_lines():
    lines = parse(f"main={ONE}\nzoe@creator:{CREATOR}={TWO} not_after=2026-12-01T00:00:00Z")
    same = {"main": ONE, f"zoe@creator:{CREATOR}": {"value": TWO, "not_after": "2026-12-01T00:00:00Z"}}
    assert parse(same) == parse(json.dumps(same, indent=2)) == lines


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "holds no secret"),
        ("# nothing\n", "holds no secret"),
        ("{}", "holds no secret"),
        (ONE, "line 1: write name=value"),
        (f"main={ONE}\n{TWO}", "line 2: write name=value"),
        (f"main={ONE} {TWO}", "line 1: write name=value"),
        (f"={ONE}", "line 1: a name"),
        (f"my name={ONE}", "line 1: a name"),
        (f"main@creator:{CREATOR.upper()}={ONE}", "line 1: a name"),
        (f"main@creator:x={ONE}", "line 1: a name"),
        (f"main@everybody={ONE}", "line 1: a name"),
        ("main=", "line 1: .*visible"),
        (f"main={ONE[:23]}", "line 1: a secret has at least 24"),
        ("main=your-webhook-secret-goes-here", "line 1: this is a placeholder"),
        (f'main="{ONE}"', "line 1: there are quotation marks"),
        (f"'main={ONE}'", "line 1: there are quotation marks around the line"),
        (f'"main={ONE}"', "line 1: there are quotation marks around the line"),
        (f"main={ONE},new={TWO}", "line 1: there seem to be several"),
        (f"main={ONE}\nmain={TWO}", "one name"),
        (f"main={ONE}\nmain@creator:{CREATOR}={TWO}", "one name"),
        (f"main={ONE}\nnew={ONE}", "one secret twice"),
        (f"main={ONE} until=2026-12-01T00:00:00Z", "line 1: beside the value"),
        (f"main={ONE} value={TWO}", "line 1: beside the value"),
        (f"main={ONE} not_after=tomorrow", "line 1: a time"),
        (f"main={ONE} not_after=2026-12-01T00:00:00", "line 1: a time"),
        (f"main={ONE} not_after=2026-12-01", "line 1: a time"),
        (f"main={ONE} not_after=2026-12-01T00:00:00Z not_after=2026-12-02T00:00:00Z", "line 1: each part"),
        (f"main={ONE} not_before=2026-12-02T00:00:00Z not_after=2026-12-01T00:00:00Z", "not later"),
        ("{", "neither lines"),
        ('{"a":' * 100_000, "neither lines"),
        (f'{{"main": "{ONE}", "main": "{TWO}"}}', "one name"),
        ({"main": 5}, "entry 1: each part"),
        ({"main": [ONE]}, "entry 1: each part"),
        ({"main": None}, "entry 1: each part"),
        ({"main": {}}, "entry 1: .*visible"),
        ({"main": {"value": ONE, "scope": "app"}}, "entry 1: beside the value"),
        ({"main": {"value": ONE, "not_after": 5}}, "entry 1: each part"),
        (f'{{"main": {{"value": "{ONE}", "value": "{TWO}"}}}}', "entry 1: each part"),
        ({"main": ONE, "": TWO}, "entry 2: a name"),
    ],
)
def test_anything_else_is_refused_and_not_shown(written, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as refusal:
        parse(written)
    message = str(refusal.value)
    assert message.startswith("FANKEEP_WEBHOOK_SECRETS")
    assert ONE[:12] not in message
    assert TWO[:8] not in message
    assert refusal.value.__cause__ is None


def test_no_value_shows_in_a_repr():
    assert ONE not in repr(parse(f"main={ONE}"))
