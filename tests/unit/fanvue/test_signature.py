import copy
import dataclasses
import hashlib
import hmac
import json
import math
import pickle
from base64 import b64encode
from pathlib import Path

import pytest

from fankeep.errors import VerificationError
from fankeep.fanvue import REASONS, VerifiedWebhook, WebhookSecret, sign_webhook, verify_webhook
from fankeep.secret import Secret
from fankeep.types import UserId

NOW = 1_700_000_000
BODY = b'{"id":"evt_1"}'
SECRET = "whsec_" + "5a" * 32
HEX = hmac.digest(SECRET.encode(), b"%d.%b" % (NOW, BODY), "sha256").hex()
HEADER = f"t={NOW},v0={HEX}"
ZEROS = "0" * 64
ALICE = UserId("f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12")
BOB = UserId("5939ae62-3eb5-4433-954f-f78c7b4282f3")
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "fanvue-webhook-v0.json").read_text("utf-8"))


def reason(header=HEADER, secrets=SECRET, *, body=BODY, now=NOW, **options) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_webhook(body, header, secrets, now=now, **options)
    assert caught.value.reason in REASONS
    return caught.value.reason


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_committed_vectors_verify_and_are_what_signing_gives(vector):
    body = vector["body"].encode()
    assert sign_webhook(body, vector["secret"], timestamp=vector["timestamp"]) == vector["header"]
    verified = verify_webhook(body, vector["header"], vector["secret"], now=vector["timestamp"])
    assert verified.body == body


def test_the_mac_covers_the_digits_of_t_a_dot_and_the_exact_body():
    mac = hmac.new(SECRET.encode(), b"%d." % NOW + BODY, hashlib.sha256)
    assert sign_webhook(BODY, SECRET, timestamp=NOW) == f"t={NOW},v0={mac.hexdigest()}"


def test_a_match_says_when_by_which_secret_and_for_whom():
    secrets = [
        WebhookSecret("old", Secret("x" * 32)),
        WebhookSecret("now", Secret(SECRET), f"creator:{ALICE}"),
    ]
    verified = verify_webhook(BODY, HEADER, secrets, now=NOW + 7.5)
    assert (verified.timestamp, verified.secret_name, verified.scope) == (NOW, "now", f"creator:{ALICE}")


@pytest.mark.parametrize(
    "secrets",
    [
        SECRET,
        SECRET.encode(),
        Secret(SECRET),
        Secret(SECRET.encode()),
        WebhookSecret("a", Secret(SECRET)),
        ["other", SECRET],
        (Secret("other"), Secret(SECRET)),
        {SECRET},
        iter([SECRET]),
    ],
)
def test_secrets_come_alone_or_several_in_every_form(secrets):
    assert verify_webhook(BODY, HEADER, secrets, now=NOW).body == BODY


def test_a_text_alone_is_one_secret_and_not_its_characters():
    one_letter = sign_webhook(BODY, "w", timestamp=NOW)
    assert reason(one_letter, "whsec") == "mismatch"


@pytest.mark.parametrize(
    "header",
    [
        HEADER.encode(),
        f"v0={HEX},t={NOW}",
        f"t={NOW}, v0={HEX}",
        f" t={NOW} ,\tv0={HEX} ",
        f"t={NOW},v0={ZEROS},v0={HEX}",
        f"t={NOW},v0={HEX},v0={ZEROS}",
        f"t={NOW},v1=abc,v0={HEX},x=y=z",
    ],
)
def test_bytes_order_blanks_more_signatures_and_unknown_schemes_are_understood(header):
    assert verify_webhook(BODY, header, SECRET, now=NOW).timestamp == NOW


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "t=",
        HEX,
        f"t={NOW}",
        f"v0={HEX}",
        f"v1={HEX},t={NOW}",
        f"t={NOW},v0={HEX.upper()}",
        f"t={NOW},v0={HEX[:-1]}",
        f"t={NOW},v0={HEX}0",
        f"t={NOW},v0={HEX},v0=",
        f"t={NOW},v0={HEX},",
        f",t={NOW},v0={HEX}",
        f"t={NOW},,v0={HEX}",
        f"t={NOW};v0={HEX}",
        f"t={NOW} v0={HEX}",
        f"t={NOW},t={NOW},v0={HEX}",
        f"{HEADER},{HEADER}",
        f"t=+{NOW},v0={HEX}",
        f"t=-{NOW},v0={HEX}",
        f"t={NOW}.0,v0={HEX}",
        f"t={NOW}e0,v0={HEX}",
        f"t=1_700_000_000,v0={HEX}",
        f"t= {NOW},v0={HEX}",
        f"t=0000000000000,v0={HEX}",
        f"t=\u0661\u0667,v0={HEX}",
        f"T={NOW},v0={HEX}",
        f"t={NOW},v0={HEX}\n",
        f"t={NOW},v0={HEX}\x00",
        f"t={NOW},v0={HEX},x=\xe9",
        HEADER + f",x={'y' * 250}" * 4,
        f"t={NOW}," + ",".join([f"v0={HEX}"] * 9),
        f"t={NOW},v0={HEX}".encode() + b"\xff",
        "\ud800",
    ],
)
def test_a_header_of_any_other_form_is_malformed(header):
    assert reason(header) == "malformed"


def test_leading_zeros_of_t_are_signed_as_they_stand():
    digits = f"00{NOW}"
    mac = hmac.digest(SECRET.encode(), digits.encode() + b"." + BODY, "sha256").hex()
    assert verify_webhook(BODY, f"t={digits},v0={mac}", SECRET, now=NOW).timestamp == NOW
    assert reason(f"t={digits},v0={HEX}") == "mismatch"


def test_without_a_header_the_reason_says_so():
    assert reason(None) == "no_header"


@pytest.mark.parametrize("secrets", [[], (), "", b"", " \n", ["", "  "], [Secret("")], Secret(b"")])
def test_without_a_usable_secret_nothing_is_believed(secrets):
    forged = hmac.digest(b"", b"%d.%b" % (NOW, BODY), "sha256").hex()
    assert reason(f"t={NOW},v0={forged}", secrets) == "no_secret"


def test_another_body_or_secret_is_a_mismatch_even_when_the_time_is_wrong_too():
    assert reason(body=BODY + b" ") == "mismatch"
    assert reason(secrets="whsec_other") == "mismatch"
    assert reason(secrets="whsec_other", now=NOW + 10**6) == "mismatch"


@pytest.mark.parametrize(
    ("age", "outcome"), [(300, None), (300.001, "stale"), (-300, None), (-300.001, "future")]
)
def test_the_window_reaches_equally_far_into_past_and_future(age, outcome):
    if outcome is None:
        assert verify_webhook(BODY, HEADER, SECRET, now=NOW + age).timestamp == NOW
    else:
        assert reason(now=NOW + age) == outcome


def test_the_tolerance_can_be_widened_and_narrowed():
    assert verify_webhook(BODY, HEADER, SECRET, now=NOW + 3600, tolerance=3600).timestamp == NOW
    assert reason(now=NOW + 1, tolerance=0) == "stale"


@pytest.mark.parametrize(
    ("now", "tolerance"),
    [
        (math.nan, 300),
        (math.inf, 300),
        (-math.inf, 300),
        (NOW, math.nan),
        (NOW, math.inf),
        (NOW, -1),
        (NOW, -math.inf),
    ],
)
def test_an_unusable_clock_or_tolerance_refuses(now, tolerance):
    assert reason(now=now, tolerance=tolerance) == "clock"


def test_a_clock_beyond_the_range_of_floats_refuses():
    assert reason(now=10**400) == "stale"
    assert reason(now=-(10**400)) == "future"


def test_a_secret_counts_from_its_start_until_its_end():
    secret = WebhookSecret("rotating", Secret(SECRET), not_before=NOW, not_after=NOW + 10)
    assert verify_webhook(BODY, HEADER, secret, now=NOW).secret_name == "rotating"
    assert reason(secrets=secret, now=NOW - 1) == "no_secret"
    assert reason(secrets=secret, now=NOW + 10) == "no_secret"


def test_while_two_secrets_overlap_either_signs():
    both = [
        WebhookSecret("old", Secret("o" * 32), not_after=NOW + 60),
        WebhookSecret("new", Secret("n" * 32)),
    ]
    for name in ("old", "new"):
        header = sign_webhook(BODY, name[0] * 32, timestamp=NOW)
        assert verify_webhook(BODY, header, both, now=NOW).secret_name == name


def test_every_active_secret_is_tried_though_the_first_one_matches(monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or real(a, b))
    verify_webhook(BODY, HEADER, [SECRET, "second", "third"], now=NOW)
    assert compared == [(32, 32)] * 3


def test_of_two_secrets_with_one_value_the_first_is_recorded():
    twice = [WebhookSecret("first", Secret(SECRET)), WebhookSecret("second", Secret(SECRET))]
    assert verify_webhook(BODY, HEADER, twice, now=NOW).secret_name == "first"


def test_readings_of_a_secret_are_switched_on_by_name():
    keys = {"hex": bytes.fromhex("5a" * 32), "base64": b"k" * 32}
    secrets = {"hex": SECRET, "base64": "whsec_" + b64encode(keys["base64"]).decode()}
    for reading, key in keys.items():
        header = f"t={NOW},v0=" + hmac.digest(key, b"%d.%b" % (NOW, BODY), "sha256").hex()
        assert reason(header, secrets[reading]) == "mismatch"
        verified = verify_webhook(BODY, header, secrets[reading], now=NOW, readings=("literal", reading))
        assert verified.timestamp == NOW


@pytest.mark.parametrize("secret", ["whsec_", "whsec_zz", "5a5a", "whsec_\xe9", "whsec_\ud800"])
def test_a_reading_that_does_not_apply_makes_no_key(secret):
    empty_key = hmac.digest(b"", b"%d.%b" % (NOW, BODY), "sha256").hex()
    assert reason(f"t={NOW},v0={empty_key}", secret, readings=("hex",)) == "no_secret"


def test_only_the_check_makes_a_verified_webhook():
    with pytest.raises(TypeError):
        VerifiedWebhook(BODY, NOW, "a", "app", check=object())
    with pytest.raises(TypeError):
        VerifiedWebhook(BODY, NOW, "a", "app")
    verified = verify_webhook(BODY, HEADER, SECRET, now=NOW)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(verified, body=b"forged")
    with pytest.raises(AttributeError):
        verified.body = b"forged"
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            duplicate(verified)


def test_the_body_does_not_show_in_the_repr():
    assert "evt_1" not in repr(verify_webhook(BODY, HEADER, SECRET, now=NOW))


def test_an_app_secret_speaks_for_everybody_and_a_creators_for_that_creator():
    app = verify_webhook(BODY, HEADER, SECRET, now=NOW)
    assert app.covers(ALICE)
    assert app.covers(None)
    alice = verify_webhook(BODY, HEADER, WebhookSecret("a", Secret(SECRET), f"creator:{ALICE}"), now=NOW)
    assert alice.covers(ALICE)
    assert alice.covers(None)
    assert not alice.covers(BOB)


def test_the_error_carries_no_part_of_the_request():
    with pytest.raises(VerificationError) as caught:
        verify_webhook(BODY, HEADER, "wrong", now=NOW)
    assert HEX not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("timestamp", [-1, 10**12])
def test_a_time_that_has_no_place_in_the_header_is_not_signed(timestamp):
    with pytest.raises(ValueError, match="12 digits"):
        sign_webhook(BODY, SECRET, timestamp=timestamp)


def test_a_blank_secret_does_not_sign():
    with pytest.raises(ValueError, match="blank"):
        sign_webhook(BODY, " ", timestamp=NOW)
