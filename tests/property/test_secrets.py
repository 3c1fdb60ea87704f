"""Reading secrets is total: a usable value or our error, whatever stands in a setting or a file."""

import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.secrets import parse_client_secrets, parse_webhook_secrets, read_secret_file, why_unusable

VALUES = st.text("0123456789abcdef", min_size=32, max_size=64).filter(
    lambda value: why_unusable(value, at_least=32) is None
)
NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")
PIECES = st.sampled_from(
    [
        "main",
        "=",
        " ",
        "\n",
        "#",
        "@creator:",
        "not_after=",
        "2026-12-01T00:00:00Z",
        "0f2c4e6a8b0d1f3a5c7e9b1d",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def usable(secrets):
    return all(why_unusable(secret.value.reveal(), at_least=24) is None for secret in secrets)


@given(st.text() | st.lists(PIECES).map("".join) | JSON.map(json.dumps))
@example('{"a": "\\ud800"}')
@example('{"a": {"value": "0f2c4e6a8b0d1f3a5c7e9b1d", "not_after": "\\ud800"}}')
@example("a=0f2c4e6a8b0d1f3a5c7e9b1d not_after=0001-01-01T00:00:00+23:59")
@example('{"a": ' + "9" * 5000 + "}")
@settings(max_examples=300)
def test_any_text_gives_usable_webhook_secrets_or_our_error(text):
    try:
        secrets = parse_webhook_secrets(Secret(text))
    except ConfigurationError:
        return
    assert secrets
    assert usable(secrets)


@given(st.text() | st.lists(PIECES).map("".join))
@settings(max_examples=300)
def test_any_text_gives_usable_client_secrets_or_our_error(text):
    try:
        secrets = parse_client_secrets(Secret(text))
    except ConfigurationError:
        return
    assert 1 <= len(secrets.candidates()) <= 2
    assert usable(secrets.candidates())


@given(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=4).filter(lambda d: len(set(d.values())) == len(d))
)
def test_lines_and_json_give_back_what_was_written(written):
    lines = "\n".join(f"{name}={value}" for name, value in written.items())
    for text in (lines, json.dumps(written)):
        secrets = parse_webhook_secrets(Secret(text))
        assert {secret.name: secret.value.reveal() for secret in secrets} == written


@given(content=st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_any_file_gives_its_text_or_our_error(content, tmp_path_factory):
    path = Path(tmp_path_factory.getbasetemp()) / "any-secret"
    path.touch(mode=0o600)
    path.write_bytes(content)
    try:
        text = read_secret_file(path).reveal()
    except ConfigurationError:
        return
    assert content in {(text + end).encode() for end in ("", "\n", "\r\n", "\r")}
    assert text == text.strip()


@given(st.text(max_size=60))
def test_the_reason_against_a_value_never_holds_the_value(value):
    reason = why_unusable(value, at_least=24)
    assert reason is None or len(value) < 12 or value not in reason
