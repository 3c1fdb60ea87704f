import pytest

from fankeep.errors import HostileInputError
from fankeep.fanvue.strict_json import JSON_REASONS, MAX_DEPTH, decode_strict


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b" ", "not_json"),
        (b"{", "not_json"),
        (b"{}{}", "not_json"),
        (b"[1,]", "not_json"),
        (b"{'a':1}", "not_json"),
        (b"NaN", "not_json"),
        (b"[Infinity]", "not_json"),
        (b"-Infinity", "not_json"),
        (b'"\x00"', "not_json"),
        (b'"a\nb"', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"\xff\xfe{\x00}\x00", "not_utf8"),
        (b'"\xff"', "not_utf8"),
        (b'"\xed\xa0\x80"', "not_utf8"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b'{"b":[{"a":1, "a":2}]}', "duplicate_key"),
        (b"1e999", "number_out_of_range"),
        (b"-1e999", "number_out_of_range"),
        (b"18446744073709551616", "number_out_of_range"),
        (b"-9223372036854775809", "number_out_of_range"),
        (b'{"a":' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'"\\ud800"', "lone_surrogate"),
        (b'{"\\uDFFF":1}', "lone_surrogate"),
        (nested(MAX_DEPTH + 1), "too_deep"),
        (nested(200_000), "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
    ],
)
def test_what_parsers_read_differently_is_refused_with_its_reason(body, reason):
    with pytest.raises(HostileInputError) as caught:
        decode_strict(body)
    assert caught.value.reason == reason
    assert reason in JSON_REASONS


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":[1,2.5,null,true,"\xc3\xa9"]}', {"a": [1, 2.5, None, True, "é"]}),
        (b' { "a" : 1 } ', {"a": 1}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\/"', "/"),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"-0", 0),
        (b'"' + b"1" * 5000 + b'"', "1" * 5000),
        (b'{"a":"\\"a\\":"}', {"a": '"a":'}),
        (b'{"a":{"a":1}}', {"a": {"a": 1}}),
    ],
)
def test_every_other_value_is_read(body, value):
    assert decode_strict(body) == value


def test_many_lists_beside_one_another_are_not_deep():
    assert len(decode_strict(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000
    assert decode_strict(nested(MAX_DEPTH)) is not None
