import copy
import hashlib
import hmac as reference
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fankeep.hmac_sha256 import HmacSha256


@given(st.binary(max_size=200), st.lists(st.binary(max_size=3000), min_size=1, max_size=3))
def test_it_gives_what_the_standard_library_gives_for_keys_and_messages_of_any_length(key, messages):
    ours = HmacSha256(key)
    for message in messages:
        assert ours.digest(message) == reference.new(key, message, hashlib.sha256).digest()


@pytest.mark.parametrize("size", [0, 63, 64, 65, 128])
def test_a_key_at_the_edge_of_a_block_is_taken_as_the_rfc_says(size):
    key = bytes(range(size))
    assert HmacSha256(key).digest(b"m") == reference.new(key, b"m", hashlib.sha256).digest()


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_does_not_leave_the_process(leave):
    with pytest.raises(TypeError):
        leave(HmacSha256(b"secret"))


def test_it_is_not_printed():
    assert "736563726574" not in repr(HmacSha256(b"secret"))
    assert "secret" not in repr(HmacSha256(b"secret"))
