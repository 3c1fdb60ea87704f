from dataclasses import replace

import pytest

from fankeep.errors import SealError
from fankeep.sealing.envelope import MAX_PLAINTEXT, Sealed, envelope_head, new_sealed, parse_sealed
from fankeep.sealing.suites import Suite

SIV = Suite.AES_256_GCM_SIV
HEAD = envelope_head(SIV, "dk-1", b"c" * 32)
DATA = HEAD + b"n" * 12 + b"t" * 16


def test_a_parsed_value_names_its_suite_its_key_and_its_parts():
    sealed = parse_sealed(DATA + b"more")
    assert (sealed.suite, sealed.key_id) == (SIV, "dk-1")
    assert (sealed.commitment, sealed.nonce) == (b"c" * 32, b"n" * 12)
    assert sealed.ciphertext == b"t" * 16 + b"more"
    assert bytes(sealed) == DATA + b"more"


def test_parsing_what_was_sealed_gives_the_same_value():
    assert parse_sealed(DATA) == new_sealed(HEAD, SIV, "dk-1", b"n" * 12, b"t" * 16)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DATA[:-1],
        b"\0" + DATA[1:],
        b"\2" + DATA[1:],
        b"\1\0" + DATA[2:],
        b"\1\3" + DATA[2:],
        DATA[:2] + b"\0" + DATA[3:],
        DATA[:2] + b"\xff" + DATA[3:],
        DATA.replace(b"dk-1", b"DK-1"),
        DATA.replace(b"dk-1", b"dk\n1"),
        DATA.replace(b"dk-1", b"-k-1"),
        DATA.replace(b"dk-1", b"dk-\xe9"),
        DATA + bytes(MAX_PLAINTEXT + 1),
    ],
    ids=[
        "empty",
        "one byte short",
        "format 0",
        "format 2",
        "suite 0",
        "suite 3",
        "no key id",
        "key id past the end",
        "upper case",
        "line end in the key id",
        "hyphen first",
        "not ASCII",
        "too long",
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(SealError):
        parse_sealed(data)


def test_the_longest_value_is_accepted():
    assert len(parse_sealed(DATA + bytes(MAX_PLAINTEXT)).ciphertext) == 16 + MAX_PLAINTEXT


def test_a_sealed_value_cannot_be_made_by_hand():
    with pytest.raises(TypeError):
        Sealed(DATA, SIV, "dk-1", object())
    with pytest.raises((TypeError, ValueError)):
        replace(parse_sealed(DATA), data=b"other")


@pytest.mark.parametrize("key_id", ["", "k" * 65, "Key", "a b", "é", "a\n", "-a"])
def test_a_key_id_of_the_wrong_form_is_refused(key_id):
    with pytest.raises(ValueError, match="key id"):
        envelope_head(SIV, key_id, b"c" * 32)
