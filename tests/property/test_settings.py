"""Whatever a setting holds, the answer is settings or one line of ours that shows nothing of it."""

import os
from unittest import mock

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fankeep import ConfigurationError, Settings
from fankeep.keep.environment import variable
from fankeep.keep.fields import Fields

GOOD = {
    "FANKEEP_PUBLIC_URL": "https://app.example.com",
    "FANKEEP_CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
    "FANKEEP_CLIENT_SECRET": "c7f1d2a9b8e3450617283940a5b6c7d8",
    "FANKEEP_WEBHOOK_SECRETS": "main=whsec_1f2e3d4c5b6a79880716253443526170",
    "FANKEEP_DATABASE_URL": "sqlite:////srv/fankeep/fankeep.db",
    "FANKEEP_KEYS": "file:/srv/fankeep/keys.json",
    "FANKEEP_OPERATIONS": "listChats",
    "FANKEEP_TRUSTED_PROXIES": "10.0.0.0/8",
}
NAMES = sorted(variable(field) for field in Fields.model_fields)

# Everything that an environment variable can hold, and much that looks like a value.
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=80)
shaped = st.sampled_from(
    [
        "https://{}",
        "http://{}.example.com",
        "main={}",
        '{{"main": "{}"}}',
        "file:{}",
        "sqlite:///{}",
        "{}/8",
        "{}",
    ]
)
values = st.builds(str.format, shaped, texts)


def settings_or_message(environment):
    with mock.patch.dict(os.environ, environment, clear=True):
        try:
            Settings()
        except ConfigurationError as error:
            return str(error)
    return None


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(NAMES), value=values)
def test_any_value_gives_settings_or_our_error(name, value):
    message = settings_or_message(GOOD | {name: value})

    assert message is None or ("\n" not in message and "FANKEEP_" in message)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(NAMES), shape=shaped, core=st.from_regex(r"\A[a-z0-9]{6}zq[A-Z0-9 /@?#%\[-]{8,40}\Z")
)
def test_no_message_shows_the_value(name, shape, core):
    message = settings_or_message(GOOD | {name: shape.format(core)})
    assume(message is not None)

    assert core not in message
    assert core.strip() not in message


@settings(max_examples=100, deadline=None)
@given(value=st.binary(min_size=1, max_size=60).filter(lambda octets: b"\0" not in octets))
def test_bytes_that_are_no_text_give_our_error_or_settings(value):
    message = settings_or_message(GOOD | {"FANKEEP_CLIENT_SECRET": os.fsdecode(value)})

    assert message is None or message.startswith("FANKEEP_CLIENT_SECRET")
