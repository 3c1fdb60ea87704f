"""Whatever arrives at the webhook's address: a value or our own error, never anything else."""

import json
import math
from dataclasses import is_dataclass
from functools import cache
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.errors import HostileInputError, VerificationError
from fankeep.fanvue import (
    EVENT_TYPES,
    REASONS,
    VerifiedWebhook,
    decode_strict,
    names_of_fact,
    parse_event,
    sign_webhook,
    verify_webhook,
)
from fankeep.fanvue.detail_types import read_detail
from fankeep.fanvue.strict_json import JSON_REASONS
from fankeep.secret import Secret

NOW = 1_700_000_000
KEY = "whsec_a signing secret of the test"

any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates included
near_header = st.lists(
    st.sampled_from(["t", "v0", "v1", "=", ",", " ", "\t", "1700000000", "0" * 64, "f" * 64, "+", ".", "é"]),
    max_size=12,
).map("".join)
headers = st.none() | any_text | st.binary() | near_header | near_header.map(str.encode)
clocks = st.floats() | st.integers() | st.just(10**400)
secrets = st.lists(any_text | st.binary() | any_text.map(Secret) | st.binary().map(Secret), max_size=3)
readings = st.lists(st.sampled_from(["literal", "hex", "base64"]), max_size=3)

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()
)
values = st.recursive(
    scalars.filter(lambda value: not (isinstance(value, float) and math.isinf(value))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
uuids = st.uuids().map(str)
people = st.fixed_dictionaries({}, optional={"uuid": uuids | values, "handle": values})
keys = st.sampled_from(
    [
        "id",
        "type",
        "timestamp",
        "data",
        "message",
        "sender",
        "recipientUuid",
        "price",
        "context",
        "postUuid",
        "x",
    ]
)
places = uuids | values | people | st.sampled_from(list(EVENT_TYPES)) | st.datetimes().map(str)
event_like = st.dictionaries(keys, places | st.dictionaries(keys, places, max_size=4), max_size=8)


def verified(body: bytes) -> VerifiedWebhook:
    return verify_webhook(body, sign_webhook(body, KEY, timestamp=NOW), KEY, now=NOW)


@given(body=st.binary(), header=headers, secrets=secrets, now=clocks, tolerance=clocks, readings=readings)
@settings(max_examples=300)
def test_verifying_refuses_everything_unsigned_with_our_error_alone(
    body, header, secrets, now, tolerance, readings
):
    with pytest.raises(VerificationError) as caught:
        verify_webhook(body, header, secrets, now=now, tolerance=tolerance, readings=readings)
    assert caught.value.reason in REASONS


@given(body=st.binary(), secret=st.text(min_size=1).filter(str.strip), timestamp=st.integers(0, 10**12 - 1))
@settings(max_examples=200)
def test_what_was_signed_verifies(body, secret, timestamp):
    found = verify_webhook(body, sign_webhook(body, secret, timestamp=timestamp), secret, now=timestamp)
    assert (found.body, found.timestamp) == (body, timestamp)


@given(data=st.data(), body=st.binary(min_size=1, max_size=200))
@settings(max_examples=200)
def test_changing_any_byte_of_the_body_fails(data, body):
    header = sign_webhook(body, KEY, timestamp=NOW)
    index = data.draw(st.integers(0, len(body) - 1))
    flipped = bytes([body[index] ^ data.draw(st.integers(1, 255))])
    with pytest.raises(VerificationError) as caught:
        verify_webhook(body[:index] + flipped + body[index + 1 :], header, KEY, now=NOW)
    assert caught.value.reason == "mismatch"


@given(data=st.data())
@settings(max_examples=300)
def test_changing_any_character_of_the_header_fails(data):
    header = sign_webhook(b"{}", KEY, timestamp=NOW)
    index = data.draw(st.integers(0, len(header) - 1))
    other = data.draw(st.characters(exclude_characters=header[index], max_codepoint=0x2FF))
    with pytest.raises(VerificationError):
        verify_webhook(b"{}", header[:index] + other + header[index + 1 :], KEY, now=NOW)


@given(
    age=st.floats(-1e12, 1e12),
    tolerance=st.floats(0, 1e6),
)
@settings(max_examples=200)
def test_the_window_is_symmetric_and_exact(age, tolerance):
    header = sign_webhook(b"{}", KEY, timestamp=NOW)
    now = NOW + age
    if abs(now - NOW) <= tolerance:
        assert verify_webhook(b"{}", header, KEY, now=now, tolerance=tolerance).timestamp == NOW
        return
    with pytest.raises(VerificationError) as caught:
        verify_webhook(b"{}", header, KEY, now=now, tolerance=tolerance)
    assert caught.value.reason == ("stale" if now > NOW else "future")


@given(body=st.binary() | st.text().map(str.encode) | event_like.map(json.dumps).map(str.encode))
@settings(max_examples=300)
def test_reading_an_event_is_total(body):
    checked = verified(body)
    try:
        decode_strict(body)
    except HostileInputError:
        with pytest.raises(HostileInputError) as caught:
            parse_event(checked)
        assert caught.value.reason in JSON_REASONS
        return
    event = parse_event(checked)
    assert event.type == "unknown" or EVENT_TYPES[event.type].family == event.family


paths = {path for kind in EVENT_TYPES.values() for path in kind.fields}
detail_keys = st.sampled_from(sorted({part.strip("[]{}") for path in paths for part in path.split(".")}))
objects = st.recursive(
    values,
    lambda inner: st.dictionaries(detail_keys, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(
    name=st.sampled_from(sorted(EVENT_TYPES)) | st.text(),
    data=st.dictionaries(detail_keys | st.text(max_size=8), objects, max_size=8),
)
@settings(max_examples=150)
def test_any_json_object_reads_as_a_typed_event_with_values_of_the_types_that_are_promised(name, data):
    detail = read_detail(name, data)
    assert (detail is None) == (name not in EVENT_TYPES)
    assert names_of_fact(name, data)[0] == name
    if detail is not None:
        assert_as_promised(detail)


hints = cache(get_type_hints)


def assert_as_promised(value):
    for field, promised in hints(type(value)).items():
        found = getattr(value, field)
        allowed = tuple(get_origin(one) or one for one in get_args(promised))
        assert isinstance(found, allowed)
        assert not isinstance(found, bool) or bool in allowed
        if is_dataclass(found):
            assert_as_promised(found)


@given(body=event_like, hint=st.none() | any_text | st.sampled_from(list(EVENT_TYPES)))
@settings(max_examples=300)
def test_a_hint_never_changes_what_an_event_is(body, hint):
    checked = verified(json.dumps(body).encode())
    with_hint, without = parse_event(checked, hint), parse_event(checked)
    assert (with_hint.hint_agrees is None) == (hint is None)
    for name in (
        "family",
        "type",
        "id",
        "occurred_at",
        "creator",
        "fan",
        "message_uuid",
        "data",
        "declared_type",
    ):
        assert getattr(with_hint, name) == getattr(without, name)


@given(value=values, indent=st.none() | st.integers(0, 2), escaped=st.booleans())
@settings(max_examples=300)
def test_strict_json_reads_what_others_write_however_it_is_laid_out(value, indent, escaped):
    compact = (",", ":") if indent is None else None
    body = json.dumps(value, indent=indent, ensure_ascii=escaped, separators=compact).encode()
    assert decode_strict(body) == value


@given(pairs=st.lists(st.tuples(st.text(max_size=5), values), min_size=1, max_size=4), data=st.data())
@settings(max_examples=200)
def test_an_object_with_a_key_twice_is_refused_wherever_it_stands(pairs, data):
    pairs = [*pairs, (data.draw(st.sampled_from(pairs))[0], data.draw(values))]
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    text = data.draw(st.sampled_from([text, f"[{text}]", f'{{"data":{{"x":[1,{text}]}}}}']))
    with pytest.raises(HostileInputError) as caught:
        decode_strict(text.encode())
    assert caught.value.reason == "duplicate_key"
