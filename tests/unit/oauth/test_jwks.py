import base64
import json

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from fankeep.errors import ProviderError
from fankeep.oauth import build_jwks_request, process_jwks_response
from fankeep.oauth.jwks import ID_TOKEN_ALGORITHMS
from fankeep.types import HttpResponse

RSA = RSAKey.generate_key(2048).as_dict(private=False)
EC = ECKey.generate_key("P-256").as_dict(private=False)
OKP = OKPKey.generate_key("Ed25519").as_dict(private=False)


def rsa_of(bits: int) -> dict[str, str]:
    """A well-formed public key of any length; joserfc itself warns about short ones."""
    number = (1 << (bits - 1)) + 1
    octets = number.to_bytes((bits + 7) // 8, "big")
    return {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(octets).rstrip(b"=").decode()}


def read(*keys: object):
    return process_jwks_response(HttpResponse(200, {}, json.dumps({"keys": keys}).encode())).keys


def test_the_keys_are_fetched_from_their_pinned_address(server):
    request = build_jwks_request(server)
    assert (request.method, request.url) == ("GET", "https://auth.fanvue.com/.well-known/jwks.json")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (RSA, ("RS256", "PS256")),
        ({**RSA, "alg": "PS256"}, ("PS256",)),
        (EC, ("ES256",)),
        (OKP, ("Ed25519",)),
    ],
)
def test_a_key_verifies_what_its_type_and_its_alg_allow(jwk, algorithms):
    (key,) = read({**jwk, "kid": "k", "use": "sig"})
    assert key.algorithms == algorithms
    assert key.key_id == "k"


def test_neither_hmac_nor_none_is_an_algorithm_of_an_id_token():
    assert sorted(ID_TOKEN_ALGORITHMS) == ["ES256", "Ed25519", "PS256", "RS256"]


@pytest.mark.parametrize(
    "jwk",
    [
        OctKey.generate_key(256).as_dict(private=True),
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        {**RSA, "use": "enc"},
        {**RSA, "alg": "RSA-OAEP"},
        {**RSA, "alg": "HS256"},
        {**RSA, "key_ops": ["encrypt"]},
        rsa_of(1024),
        rsa_of(2047),
        {**rsa_of(1032), "n": "AAAA" * 43 + rsa_of(1032)["n"]},
        rsa_of(8193),
        rsa_of(16384),
        {**RSA, "n": "!" * 342},
        {**RSA, "e": RSA["n"]},
        {**RSA, "e": "AA"},
        {**RSA, "n": None},
        {**EC, "x": EC["y"]},
        {**EC, "y": None},
        {**OKP, "x": "AA"},
        {"kty": "future"},
        {"kty": 1},
        "not a key",
        None,
        [],
    ],
)
def test_a_key_that_cannot_verify_an_id_token_is_left_out_and_the_others_stay(jwk):
    assert [key.algorithms for key in read(jwk, EC)] == [("ES256",)]


@pytest.mark.parametrize("bits", [2048, 3072, 8192])
def test_an_rsa_key_has_2048_to_8192_bits(bits):
    (key,) = read(rsa_of(bits))
    assert key.algorithms == ("RS256", "PS256")


def test_a_set_of_32_keys_is_read():
    assert len(read(*[EC] * 32)) == 32


def test_private_members_are_not_read():
    (key,) = read(RSAKey.generate_key(2048).as_dict(private=True))
    assert not key.key.is_private


def test_a_key_is_found_by_its_id_and_algorithm():
    keys = process_jwks_response(
        HttpResponse(200, {}, json.dumps({"keys": [{**RSA, "kid": "a"}, {**EC, "kid": "b"}]}).encode())
    )
    assert keys.find("a", "RS256") is keys.keys[0]
    assert keys.find("b", "ES256") is keys.keys[1]
    assert keys.find("a", "ES256") is None
    assert keys.find("c", "RS256") is None
    assert keys.find("a", "HS256") is None
    assert keys.find("a", "none") is None


def test_a_token_without_key_id_fits_only_when_one_key_is_possible():
    one = process_jwks_response(HttpResponse(200, {}, json.dumps({"keys": [RSA, EC]}).encode()))
    assert one.find(None, "RS256") is one.keys[0]
    two = process_jwks_response(HttpResponse(200, {}, json.dumps({"keys": [RSA, RSA]}).encode()))
    assert two.find(None, "RS256") is None


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(404),
        HttpResponse(203, {}, json.dumps({"keys": [EC]}).encode()),
        HttpResponse(301),
        HttpResponse(200, {}, b""),
        HttpResponse(200, {}, b'{"keys": 1}'),
        HttpResponse(200, {}, json.dumps({"keys": [{}] * 33}).encode()),
        HttpResponse(200, {}, b'{"keys": ' + b"[" * 60_000),
    ],
)
def test_an_answer_that_is_no_key_set_is_an_error_of_the_provider(response):
    with pytest.raises(ProviderError):
        process_jwks_response(response)
