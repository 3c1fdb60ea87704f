"""Reading a key file is total, and a wrapped key is bound to all that it was wrapped with."""

import asyncio
import base64
import json
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fankeep.errors import ConfigurationError, SealError
from fankeep.kms import KeyEncryption, WrapContext, load_key_file
from fankeep.secret import Secret

IDS = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,20}\Z")
CONTEXT = WrapContext("installation", "owner", "dk-1")
CONTEXTS = st.builds(WrapContext, *(st.text(max_size=4, alphabet="ab/") for _ in range(3)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["keys", "a"]) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.touch(mode=0o600)

    def load(content: bytes) -> KeyEncryption:
        path.write_bytes(content)
        return KeyEncryption(load_key_file(path))

    return load


@given(content=st.binary(max_size=120) | JSON.map(lambda value: json.dumps(value).encode()))
@example(content=b'{"keys": {"\xff": ""}}')
@example(content=b'{"keys": {"a": "\\ud800"}}')
def test_any_file_is_a_key_file_or_refused(load, content):
    with pytest.raises(ConfigurationError):
        load(content)


@given(keys=st.lists(IDS, min_size=1, max_size=4, unique=True))
def test_every_key_of_a_file_is_at_hand_and_unwraps_what_it_wrapped(load, keys):
    encoded = {key_id: base64.b64encode(os.urandom(32)).decode() for key_id in keys}
    file = load(json.dumps({"keys": encoded}).encode())
    data_key = Secret(os.urandom(32))
    assert file.ids == tuple(sorted(keys))
    for key_id in keys:
        wrapped = asyncio.run(file.wrap(key_id, data_key, CONTEXT))
        assert asyncio.run(file.unwrap(key_id, wrapped, CONTEXT)) == data_key


@given(context=CONTEXTS, other=CONTEXTS, junk=st.binary(max_size=70))
def test_nothing_but_the_wrapped_bytes_in_their_context_unwraps(load, context, other, junk):
    file = load(json.dumps({"keys": {"a": base64.b64encode(os.urandom(32)).decode()}}).encode())
    wrapped = asyncio.run(file.wrap("a", Secret(os.urandom(32)), context))
    if context != other:
        with pytest.raises(SealError):
            asyncio.run(file.unwrap("a", wrapped, other))
    with pytest.raises(SealError):
        asyncio.run(file.unwrap("a", junk, context))
