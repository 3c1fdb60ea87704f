from dataclasses import fields, replace

import pytest

from fankeep.errors import SealError
from fankeep.sealing import (
    MAX_PLAINTEXT,
    Context,
    Suite,
    derive_sealing_key,
    open_sealed,
    parse_sealed,
    seal,
)
from fankeep.secret import Secret

NONCE = bytes(range(12))


def test_what_was_sealed_opens_at_its_place(key, context):
    assert open_sealed(key, context, seal(key, context, b"value", nonce=NONCE)) == b"value"


def test_the_value_is_not_readable_in_the_envelope(key, context):
    assert b"value" not in seal(key, context, b"value", nonce=NONCE).data


@pytest.mark.parametrize("name", [field.name for field in fields(Context)])
def test_a_value_moved_to_another_place_does_not_open(key, context, name):
    sealed = seal(key, context, b"value", nonce=NONCE)
    elsewhere = replace(context, **{name: 4 if name == "generation" else "other"})
    with pytest.raises(SealError):
        open_sealed(key, elsewhere, sealed)


@pytest.mark.parametrize(
    "change",
    [
        {"data_key": Secret(b"e" * 32)},
        {"key_id": "dk-2"},
        {"purpose": "events"},
        {"suite": Suite.AES_256_GCM},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_key_does_not_open(context, change):
    right = {"data_key": Secret(b"d" * 32), "key_id": "dk-1", "purpose": "grants"}

    def derive(data_key, **named):
        return derive_sealing_key(data_key, **named)

    sealed = seal(derive(**right), context, b"value", nonce=NONCE)
    with pytest.raises(SealError):
        open_sealed(derive(**right | change), context, sealed)


def test_the_commitment_is_compared_before_the_value_is_opened(key, context):
    sealed = seal(key, context, b"value", nonce=NONCE)
    wrong_commitment = replace(key, commitment=bytes(32))
    with pytest.raises(SealError):
        open_sealed(wrong_commitment, context, sealed)


def test_every_failure_looks_the_same(key, context):
    sealed = seal(key, context, b"value", nonce=NONCE)
    spoilt = parse_sealed(sealed.data[:-1] + bytes([sealed.data[-1] ^ 1]))
    other_key = derive_sealing_key(Secret(b"e" * 32), key_id="dk-1", purpose="grants")
    attempts = [
        (key, replace(context, record="other"), sealed),
        (key, replace(context, record="\ud800"), sealed),
        (key, replace(context, generation=-1), sealed),
        (key, context, spoilt),
        (other_key, context, sealed),
    ]
    failures = set()
    for attempt in attempts:
        with pytest.raises(SealError) as failure:
            open_sealed(*attempt)
        failures.add((type(failure.value), str(failure.value), failure.value.__cause__))
    assert failures == {(SealError, "The sealed value does not open.", None)}


@pytest.mark.parametrize("length", [0, 11, 13])
def test_a_nonce_of_another_length_is_refused(key, context, length):
    with pytest.raises(ValueError, match="nonce"):
        seal(key, context, b"value", nonce=bytes(length))


def test_a_value_over_the_bound_is_refused(key, context):
    assert seal(key, context, bytes(MAX_PLAINTEXT), nonce=NONCE)
    with pytest.raises(ValueError, match="at most"):
        seal(key, context, bytes(MAX_PLAINTEXT + 1), nonce=NONCE)
