import hashlib
import hmac as reference

import pytest

from fankeep.sealing import mac, mac_matches
from fankeep.secret import Secret

KEY = Secret(bytes(range(32)))


def test_it_is_hmac_sha256_over_typed_length_prefixed_parts():
    message = b"\x01s\0\0\0\4livei\0\0\0\x08\0\0\0\0\0\0\0\x07n\0\0\0\0b\0\0\0\1\xff"
    expected = reference.new(KEY.reveal(), message, hashlib.sha256).digest()
    assert mac(KEY, "live", 7, None, b"\xff") == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", ""), ("a",)),
        ((1,), ("1",)),
        ((None,), ("",)),
        (("a",), (b"a",)),
        (("a", "b"), ("b", "a")),
        ((0,), (None,)),
    ],
)
def test_different_parts_give_different_digests(one, other):
    assert mac(KEY, *one) != mac(KEY, *other)


def test_a_digest_matches_its_own_parts_and_key_alone():
    digest = mac(KEY, "live", 7)
    assert mac_matches(KEY, digest, "live", 7)
    assert not mac_matches(KEY, digest, "live", 8)
    assert not mac_matches(Secret(bytes(32)), digest, "live", 7)
    assert not mac_matches(KEY, digest[:-1], "live", 7)
    assert not mac_matches(KEY, b"", "live", 7)


@pytest.mark.parametrize("part", [True, 1.5, ["a"], bytearray(b"a")])
def test_a_part_of_another_type_is_refused(part):
    with pytest.raises(TypeError):
        mac(KEY, part)


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1])
def test_a_number_over_64_bits_is_refused(number):
    with pytest.raises(ValueError, match="64 bits"):
        mac(KEY, number)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        mac(Secret(bytes(31)), "a")
