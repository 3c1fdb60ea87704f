"""Laws of sealing that hold for every value, key and place."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.errors import SealError
from fankeep.sealing import Context, Suite, derive_sealing_key, mac, open_sealed, parse_sealed, seal
from fankeep.sealing.encoding import length_prefixed
from fankeep.secret import Secret

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.builds(
    lambda data_key, key_id, suite: derive_sealing_key(
        Secret(data_key), key_id=key_id, purpose="grants", suite=suite
    ),
    st.binary(min_size=32, max_size=32),
    st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,63}\Z"),
    st.sampled_from(Suite),
)
CONTEXTS = st.builds(Context, TEXT, TEXT, TEXT, TEXT, TEXT, st.integers(0, 2**64 - 1))
NONCES = st.binary(min_size=12, max_size=12)
PARTS = st.lists(st.none() | st.text(max_size=4) | st.binary(max_size=4) | st.integers(-300, 300), max_size=4)
MAC_KEY = Secret(bytes(range(32)))


@given(KEYS, CONTEXTS, st.binary(max_size=600), NONCES)
def test_what_was_sealed_and_stored_opens_again(key, context, plaintext, nonce):
    stored = seal(key, context, plaintext, nonce=nonce).data
    assert open_sealed(key, context, parse_sealed(stored)) == plaintext


@given(KEYS, CONTEXTS, st.binary(max_size=80), NONCES, st.data())
def test_a_value_with_any_bit_flipped_does_not_open(key, context, plaintext, nonce, data):
    stored = bytearray(seal(key, context, plaintext, nonce=nonce).data)
    position = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[position // 8] ^= 1 << position % 8
    with pytest.raises(SealError):
        open_sealed(key, context, parse_sealed(bytes(stored)))


def test_every_single_bit_of_a_value_is_held():
    key = derive_sealing_key(Secret(b"d" * 32), key_id="dk-1", purpose="grants")
    context = Context("i", "u", "grants", "r", "f")
    stored = seal(key, context, b"a token", nonce=bytes(12)).data
    opened = []
    for position in range(len(stored) * 8):
        spoilt = bytearray(stored)
        spoilt[position // 8] ^= 1 << position % 8
        try:
            opened.append(open_sealed(key, context, parse_sealed(bytes(spoilt))))
        except SealError:
            continue
    assert opened == []


@given(KEYS, CONTEXTS, CONTEXTS, NONCES)
def test_a_value_opens_at_its_own_place_alone(key, here, there, nonce):
    sealed = seal(key, here, b"value", nonce=nonce)
    if here != there:
        with pytest.raises(SealError):
            open_sealed(key, there, sealed)


@given(KEYS, CONTEXTS, st.data())
def test_text_moved_between_two_parts_of_the_place_does_not_open(key, context, data):
    names = [field.name for field in fields(Context) if field.name != "generation"]
    first, second = data.draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True))
    joined = getattr(context, first) + getattr(context, second)
    cut = data.draw(st.integers(0, len(joined)))
    moved = replace(context, **{first: joined[:cut], second: joined[cut:]})
    sealed = seal(key, context, b"value", nonce=bytes(12))
    if moved == context:
        assert open_sealed(key, moved, sealed) == b"value"
    else:
        with pytest.raises(SealError):
            open_sealed(key, moved, sealed)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_parse_or_are_refused(data):
    try:
        sealed = parse_sealed(data)
    except SealError:
        return
    assert sealed.data == data


@given(st.binary(max_size=3), st.binary(min_size=60, max_size=140))
@settings(max_examples=300)
def test_bytes_that_look_almost_right_parse_or_are_refused(head, rest):
    data = b"\x01" + head + b"k" * 4 + rest
    try:
        sealed = parse_sealed(data)
    except SealError:
        return
    assert sealed.data == data
    assert len(sealed.commitment) == 32
    assert len(sealed.nonce) == 12
    assert len(sealed.ciphertext) >= 16


@given(KEYS, KEYS, CONTEXTS)
def test_a_value_opens_with_its_own_key_alone(key, other, context):
    sealed = seal(key, context, b"value", nonce=bytes(12))
    if key.commitment != other.commitment:
        with pytest.raises(SealError):
            open_sealed(other, context, sealed)


@given(PARTS, PARTS)
@settings(max_examples=300)
def test_macs_are_equal_only_for_equal_parts(one, other):
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (mac(MAC_KEY, *one) == mac(MAC_KEY, *other)) is same


@given(st.text(max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_text_split_at_two_places_gives_two_macs(text, one, other):
    first = (text[:one], text[one:])
    second = (text[:other], text[other:])
    assert (mac(MAC_KEY, *first) == mac(MAC_KEY, *second)) is (first == second)


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
@settings(max_examples=300)
def test_length_prefixing_is_one_to_one(one, other):
    assert (length_prefixed(*one) == length_prefixed(*other)) is (one == other)
