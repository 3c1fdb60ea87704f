import base64
import json
from typing import get_args

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from fankeep.errors import CallbackError
from fankeep.oauth import (
    IdTokenReason,
    SigningKeys,
    VerifiedIdToken,
    pinned_server,
    process_jwks_response,
    verify_id_token,
)
from fankeep.secret import Secret
from fankeep.types import HttpResponse

NOW = 1_800_000_000.0
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
OKP = OKPKey.generate_key("Ed25519", {"kid": "okp"})
SIGNERS = {"RS256": RSA, "PS256": RSA, "ES256": EC, "Ed25519": OKP}


def key_set(*keys) -> SigningKeys:
    body = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
    return process_jwks_response(HttpResponse(200, {}, body))


KEYS = key_set(RSA, EC, OKP)


def segment(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def claims(client, login):
    return {
        "iss": "https://auth.fanvue.com",
        "sub": "0b9c1d1e-1111-4222-8333-944445555666",
        "aud": [client.client_id],
        "exp": NOW + 3600,
        "iat": NOW,
        "nonce": login.nonce.reveal(),
        "at_hash": "x",
    }


@pytest.fixture
def verify(server, client, login):
    def run(token: str, *, keys=KEYS, by=server, **switches) -> VerifiedIdToken:
        return verify_id_token(
            Secret(token), keys, server=by, client=client, login=login, now=NOW, **switches
        )

    return run


@pytest.fixture
def refusal(verify):
    def refuse(token: str, **arguments) -> str:
        with pytest.raises(CallbackError) as caught:
            verify(token, **arguments)
        assert caught.value.reason in get_args(IdTokenReason)
        assert str(caught.value) == "The sign-in could not be completed; start again."
        return caught.value.reason

    return refuse


def sign(claims: dict, algorithm: str = "RS256", **header: object) -> str:
    key = SIGNERS[algorithm]
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_token_of_the_server_is_verified(verify, claims, algorithm):
    verified = verify(sign(claims, algorithm))
    assert verified.issuer == "https://auth.fanvue.com"
    assert verified.subject == claims["sub"]
    assert verified.expires_at == NOW + 3600


def test_the_audience_may_be_a_string(verify, claims, client):
    assert verify(sign({**claims, "aud": client.client_id})).subject == claims["sub"]


def test_several_audiences_need_us_as_the_authorized_party(verify, refusal, claims, client):
    several = {**claims, "aud": ["other", client.client_id]}
    assert refusal(sign(several)) == "id_token_audience"
    assert refusal(sign({**several, "azp": "other"})) == "id_token_audience"
    assert verify(sign({**several, "azp": client.client_id})).subject == claims["sub"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://auth.fanvue.com/"}, "id_token_issuer"),
        ({"iss": "https://evil.example"}, "id_token_issuer"),
        ({"aud": "other"}, "id_token_audience"),
        ({"aud": []}, "id_token_audience"),
        ({"azp": "other"}, "id_token_audience"),
        ({"exp": NOW - 60}, "id_token_expired"),
        ({"exp": 0}, "id_token_expired"),
        ({"iat": NOW + 61}, "id_token_not_yet_valid"),
        ({"nbf": NOW + 61}, "id_token_not_yet_valid"),
        ({"nonce": "other"}, "id_token_nonce"),
        ({"nonce": ""}, "id_token_nonce"),
        ({"nonce": "ä"}, "id_token_nonce"),
        ({"sub": ""}, "id_token_malformed"),
        ({"sub": "a\nb"}, "id_token_malformed"),
        ({"sub": "ä"}, "id_token_malformed"),
        ({"sub": "x" * 256}, "id_token_malformed"),
        ({"exp": "later"}, "id_token_malformed"),
        ({"exp": True}, "id_token_malformed"),
        ({"aud": {"a": 1}}, "id_token_malformed"),
        ({"aud": [1]}, "id_token_malformed"),
        ({"nonce": 1}, "id_token_malformed"),
    ],
)
def test_each_claim_is_checked(refusal, claims, change, reason):
    assert refusal(sign({**claims, **change})) == reason


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
def test_a_required_claim_that_is_missing_is_refused(refusal, claims, name):
    del claims[name]
    assert refusal(sign(claims)) == "id_token_malformed"


@pytest.mark.parametrize("subject", ["s", "x" * 255])
def test_a_subject_has_1_to_255_characters(verify, claims, subject):
    assert verify(sign({**claims, "sub": subject})).subject == subject


def test_clocks_may_differ_by_the_leeway(verify, claims):
    assert (
        verify(sign({**claims, "exp": NOW - 59, "iat": NOW + 60, "nbf": NOW + 60})).subject == claims["sub"]
    )


def test_a_missing_nonce_is_refused_unless_accepted_and_a_wrong_one_always(verify, refusal, claims):
    wrong = sign({**claims, "nonce": "other"})
    del claims["nonce"]
    without = sign(claims)
    assert refusal(without) == "id_token_nonce"
    assert verify(without, accept_missing_nonce=True).subject == claims["sub"]
    assert refusal(wrong, accept_missing_nonce=True) == "id_token_nonce"


def test_the_issuers_trailing_slash_is_tolerated_only_when_told(verify, claims):
    tolerant = pinned_server(issuer_slash_tolerated=True)
    token = sign({**claims, "iss": "https://auth.fanvue.com/"})
    assert verify(token, by=tolerant).issuer == "https://auth.fanvue.com/"


def test_an_unsigned_token_is_refused(refusal, claims):
    header = segment({"alg": "none", "kid": "rsa"})
    assert refusal(f"{header}.{segment(claims)}.") == "id_token_malformed"
    assert refusal(f"{header}.{segment(claims)}.AA") == "id_token_unknown_key"


def test_the_public_key_is_no_hmac_secret(refusal, claims):
    header = {"alg": "HS256", "kid": "rsa"}
    secret = OctKey.import_key(base64.urlsafe_b64encode(RSA.as_pem()), {"kid": "rsa"})
    assert refusal(jwt.encode(header, claims, secret, algorithms=["HS256"])) == "id_token_unknown_key"


def test_a_key_in_the_token_itself_is_not_believed(refusal, claims):
    own = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": "rsa", "jwk": own.as_dict(private=False)}
    assert refusal(jwt.encode(header, claims, own, algorithms=["RS256"])) == "id_token_signature"


def test_another_servers_signature_is_refused(refusal, claims):
    other = RSAKey.generate_key(2048, {"kid": "rsa"})
    assert refusal(sign(claims), keys=key_set(other)) == "id_token_signature"


def test_an_unknown_key_is_told_apart_so_that_the_keys_can_be_fetched_again(refusal, claims):
    assert refusal(sign(claims, kid="new")) == "id_token_unknown_key"
    assert refusal(sign(claims), keys=SigningKeys(())) == "id_token_unknown_key"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_is_refused(refusal, claims, part):
    parts = sign(claims).split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    assert refusal(".".join(parts)) in {"id_token_malformed", "id_token_signature"}


def test_the_claims_of_one_token_do_not_fit_the_signature_of_another(refusal, claims):
    header, _, signature = sign(claims).split(".")
    forged = segment({**claims, "sub": "someone else"})
    assert refusal(f"{header}.{forged}.{signature}") == "id_token_signature"


@pytest.mark.parametrize("extra", [{"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"b64": True}])
def test_critical_and_unencoded_headers_are_refused(refusal, claims, extra):
    header = segment({"alg": "RS256", "kid": "rsa", **extra})
    assert refusal(f"{header}.{segment(claims)}.AA") == "id_token_malformed"


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b'"alg"', b"5", b"{}", b'{"alg": 5}', b'{"alg": "RS256", "kid": 5}', b"\xff", b"[" * 9000],
)
def test_a_header_that_is_no_header_is_refused(refusal, header):
    assert refusal(f"{segment(header)}.{segment({})}.AA") == "id_token_malformed"


@pytest.mark.parametrize("payload", [b"[]", b"5", b"not json", b"\xff", b"[" * 9000])
def test_a_signed_payload_that_is_no_set_of_claims_is_refused(refusal, payload):
    token = jws.serialize_compact({"alg": "ES256", "kid": "ec"}, payload, EC, algorithms=["ES256"])
    assert refusal(token) == "id_token_malformed"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "a b.c.d", "ä.b.c", "A" * 20_000])
def test_what_is_no_compact_jws_is_refused(refusal, token):
    assert refusal(token) == "id_token_malformed"


def test_a_verified_id_token_cannot_be_made_without_the_check():
    with pytest.raises(TypeError):
        VerifiedIdToken("https://auth.fanvue.com", "someone", NOW, object())
    with pytest.raises(TypeError):
        VerifiedIdToken("https://auth.fanvue.com", "someone", NOW)
