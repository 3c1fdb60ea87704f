"""The webhook signature, against vectors computed by hand, its readings, and its six forgeries."""

import base64
import hashlib
import hmac
import time

import pytest
from standardwebhooks import Webhook

from fankeep.errors import ConfigurationError
from fankeep.sandbox import SecretReading
from fankeep.sandbox.forging import Forge, Signer, signed_bodies
from fankeep.sandbox.signing import sign, signing_key
from fankeep.secret import Secret

SECRET = "fv-test-signing-secret-0001"
ENVELOPE = (
    b'{"id":"evt_test_1","type":"creator.message.received","timestamp":"2023-11-14T22:13:20.000Z",'
    b'"data":{"object":"message","uuid":"00000000-0000-4000-8000-000000000001"}}'
)
FLAT = (
    '{"price":1299,"recipientUuid":"f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12","sender":{"displayName":"Zoë",'
    '"handle":"test-user","uuid":"5939ae62-3eb5-4433-954f-f78c7b4282f3"},'
    '"timestamp":"2025-11-06T10:32:50.529Z"}'
).encode()


@pytest.mark.parametrize(
    ("body", "length", "digest"),
    [
        (ENVELOPE, 166, "89930c65cf14e0a2e9f79f447e036020d04e37d14563497eec7e43e045321390"),
        (FLAT, 207, "06a39d8bebf2cc527b9b0ef7c6b68c18f1935f450680440427f80c3c4d1a2b75"),
    ],
)
def test_the_signature_is_the_documented_one(body, length, digest):
    assert len(body) == length
    assert sign(body, SECRET.encode(), timestamp=1_700_000_000) == f"t=1700000000,v0={digest}"


def test_the_whole_displayed_secret_is_the_key():
    secret = "whsec_" + "ab" * 32
    digest = hmac.new(secret.encode(), b"12.{}", hashlib.sha256).hexdigest()
    (signed,) = signed_bodies(b"{}", Signer(Secret(secret)), now=12)
    assert signed.signature == f"t=12,v0={digest}"


@pytest.mark.parametrize(
    ("reading", "key"),
    [
        (SecretReading.LITERAL, b"whsec_" + b"ab" * 32),
        (SecretReading.HEX, b"\xab" * 32),
        (SecretReading.BASE64, base64.b64decode("ab" * 32)),
    ],
)
def test_the_other_readings_decode_what_follows_the_prefix(reading, key):
    assert signing_key(Secret("whsec_" + "ab" * 32), reading) == key


@pytest.mark.parametrize("reading", [SecretReading.HEX, SecretReading.BASE64])
def test_a_secret_that_cannot_be_read_so_is_refused_without_being_shown(reading):
    with pytest.raises(ConfigurationError, match=f"not whsec_ and {reading}") as refusal:
        signing_key(Secret("whsec_no-secret"), reading)
    assert "no-secret" not in str(refusal.value)


def test_the_headers_of_standard_webhooks_are_those_of_its_own_library():
    secret = "whsec_" + "ab" * 32
    signer = Signer(Secret(secret), SecretReading.BASE64, standard_id="evt_test_1")
    (signed,) = signed_bodies(ENVELOPE, signer, now=time.time())
    assert Webhook(secret).verify(ENVELOPE, dict(signed.headers))["id"] == "evt_test_1"


def forged(how):
    return signed_bodies(ENVELOPE, Signer(Secret(SECRET)), now=1_700_000_000.7, forge=how)


def test_a_genuine_delivery_is_signed_with_the_present_second():
    (genuine,) = forged(None)
    assert genuine.body == ENVELOPE
    assert genuine.signature == sign(ENVELOPE, SECRET.encode(), timestamp=1_700_000_000)


def test_an_unsigned_forgery_has_no_signature():
    assert [signed.signature for signed in forged(Forge.UNSIGNED)] == [None]


def test_a_wrong_forgery_is_signed_by_a_stranger():
    (wrong,) = forged(Forge.WRONG)
    assert wrong.body == ENVELOPE
    assert wrong.signature.partition(",")[0] == forged(None)[0].signature.partition(",")[0]
    assert wrong.signature != forged(None)[0].signature


def test_a_tampered_forgery_carries_the_signature_of_another_body():
    (tampered,) = forged(Forge.TAMPERED)
    assert tampered.body != ENVELOPE
    assert tampered.signature == forged(None)[0].signature


@pytest.mark.parametrize(("how", "off"), [(Forge.STALE, -3600), (Forge.FUTURE, 3600)])
def test_a_forgery_with_a_wrong_time_is_otherwise_right(how, off):
    (signed,) = forged(how)
    assert signed.signature == sign(ENVELOPE, SECRET.encode(), timestamp=1_700_000_000 + off)


def test_a_replay_is_the_same_bytes_twice():
    first, second = forged(Forge.REPLAY)
    assert first == second == forged(None)[0]
