"""The names in the addresses of subscriptions."""

from hypothesis import given
from hypothesis import strategies as st

from fankeep.secret import Secret
from fankeep.subscriptions.names import is_name, make_name

KEY, OTHER = Secret(b"k" * 32), Secret(b"o" * 32)
ENTROPY = st.binary(min_size=16, max_size=16)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@given(ENTROPY)
def test_a_name_is_36_letters_and_digits_and_known_again_with_the_same_key_only(entropy):
    name = make_name(KEY, entropy)
    assert len(name) == 36
    assert set(name) <= set(ALPHABET)
    assert is_name(KEY, name)
    assert not is_name(OTHER, name)


@given(ENTROPY, st.integers(0, 35), st.sampled_from(ALPHABET))
def test_a_name_with_another_character_is_not_ours(entropy, place, character):
    name = make_name(KEY, entropy)
    changed = name[:place] + character + name[place + 1 :]
    assert is_name(KEY, changed) == (changed == name)


@given(st.text(max_size=64) | st.text(ALPHABET, min_size=36, max_size=36))
def test_any_other_text_is_refused_without_an_error(text):
    assert not is_name(KEY, text)
