"""The OAuth core is total: any input gives a value or the room's own error, and nothing else."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from fankeep.errors import CallbackError, FankeepError, ProviderError, RetryableError, TransportError
from fankeep.oauth import (
    OUTCOME_TABLE,
    ClientRegistration,
    Outcome,
    PendingLogin,
    SigningKeys,
    TokenResponse,
    VerifiedCallback,
    VerifiedIdToken,
    classify_exchange,
    pinned_server,
    process_discovery_response,
    process_jwks_response,
    process_revocation_response,
    process_token_response,
    validate_callback,
    verify_id_token,
)
from fankeep.oauth.grammar import is_bearer_token, is_scope_token, is_vschar
from fankeep.secret import Secret
from fankeep.types import HttpResponse

NOW = 1_800_000_000.0
SERVER = pinned_server()
CLIENT = ClientRegistration("client", "https://app.example/auth/callback", ("openid",))
LOGIN = PendingLogin.start(bytes(range(96)), return_path="/", now=NOW)
KEY = ECKey.generate_key("P-256", {"kid": "k"})
KEYS = process_jwks_response(
    HttpResponse(200, {}, json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())
)


def attempt(call: Callable[[], object]) -> object:
    """The value, or the error of ours that came instead; any other exception fails the test."""
    try:
        return call()
    except FankeepError as error:
        return error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def json_objects(*names: str) -> st.SearchStrategy[bytes]:
    """Objects that have some of these members, of any type, now and then cut short."""
    members = st.dictionaries(st.sampled_from(names), json_values | st.just("bearer") | st.just("aa.bb.cc"))
    return members.map(lambda value: json.dumps(value).encode())


TOKEN_MEMBERS = ("access_token", "token_type", "refresh_token", "expires_in", "scope", "id_token", "error")
bodies = st.binary(max_size=200) | json_objects(*TOKEN_MEMBERS) | st.just(b"[" * 5000)
headers = st.dictionaries(st.sampled_from(["content-type", "retry-after"]), st.text(max_size=80))
responses = st.builds(HttpResponse, st.integers(0, 999), headers, bodies)
times = st.floats(0, 4e9)


@given(query=st.binary(max_size=300))
def test_any_query_is_a_callback_error_or_a_verified_callback(query):
    with pytest.raises(CallbackError):
        validate_callback(query, [LOGIN], now=NOW, server=SERVER)


CALLBACK_PARTS = st.sampled_from(
    [
        f"state={LOGIN.state.reveal()}",
        f"state={LOGIN.state.reveal()[:-1]}",
        "state=",
        "code=c",
        "code=%0a",
        "code",
        "iss=https%3A%2F%2Fauth.fanvue.com",
        "iss=https%3A%2F%2Fauth.fanvue.com%2F",
        "error=access_denied",
        "id_token=x",
        "scope=a+b",
        "%63ode=d",
        "",
    ]
)


@given(parts=st.lists(CALLBACK_PARTS, max_size=5), age=st.floats(-1000, 1000))
def test_a_callback_is_verified_only_with_one_state_one_code_the_right_issuer_and_in_time(parts, age):
    try:
        callback = validate_callback("&".join(parts).encode(), [LOGIN], now=NOW + age, server=SERVER)
    except CallbackError:
        return
    assert isinstance(callback, VerifiedCallback)
    assert parts.count(f"state={LOGIN.state.reveal()}") == 1
    assert sum(part.startswith("state") for part in parts) == 1
    assert parts.count("code=c") + parts.count("%63ode=d") == 1
    assert not {"error=access_denied", "id_token=x", "iss=https%3A%2F%2Fauth.fanvue.com%2F"} & set(parts)
    assert -60 <= age < 600


paths = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"), max_size=300)


@given(
    random_bytes=st.binary(min_size=96, max_size=96),
    path=paths.map(lambda rest: "/" + rest.lstrip("/")),
    now=times,
    prompt=st.sampled_from(["login", "consent", None]),
)
def test_a_pending_login_comes_back_the_same(random_bytes, path, now, prompt):
    login = PendingLogin.start(random_bytes, return_path=path, now=now, prompt=prompt)
    assert PendingLogin.decode(login.encode()) == login


@given(data=st.binary(max_size=300) | st.just(b"\x91" * 2000))
def test_any_bytes_are_a_pending_login_or_a_callback_error(data):
    result = attempt(lambda: PendingLogin.decode(data))
    if isinstance(result, PendingLogin):
        assert PendingLogin.decode(result.encode()) == result
    else:
        assert isinstance(result, CallbackError)
        assert result.reason == "login_malformed"


@given(position=st.integers(0, len(LOGIN.encode()) - 1), flip=st.integers(1, 255))
def test_a_changed_login_is_refused_or_still_a_well_formed_one(position, flip):
    data = bytearray(LOGIN.encode())
    data[position] ^= flip
    try:
        changed = PendingLogin.decode(bytes(data))
    except CallbackError:
        return
    assert changed != LOGIN
    assert changed.return_path.startswith("/")


@given(response=responses)
def test_any_token_response_is_tokens_or_one_of_two_errors(response):
    result = attempt(lambda: process_token_response(response))
    if isinstance(result, TokenResponse):
        assert is_bearer_token(result.access_token.reveal())
        assert result.refresh_token is None or is_vschar(result.refresh_token.reveal())
        assert 1.0 <= result.expires_in <= 86400.0
        assert all(map(is_scope_token, result.scopes or ()))
    elif 200 <= response.status <= 299:
        assert isinstance(result, TransportError)
        assert result.outcome_unknown
    else:
        assert isinstance(result, ProviderError)
        assert result.http_status == response.status


@given(exchange=responses | st.builds(TransportError, outcome_unknown=st.booleans()), now=times)
def test_every_exchange_has_exactly_one_row(exchange, now):
    verdict = classify_exchange(exchange, now=now)
    assert verdict.row in OUTCOME_TABLE
    assert (verdict.tokens is not None) == (verdict.outcome is Outcome.SUCCESS)
    assert 0.0 <= verdict.cool_down <= 3600.0
    assert (verdict.cool_down == 0.0) == (verdict.row.cool_down == 0.0)


@given(response=responses)
def test_only_a_refusal_that_says_invalid_grant_can_end_a_grant(response):
    if classify_exchange(response, now=NOW).outcome is Outcome.INVALID_GRANT:
        assert 400 <= response.status <= 499
        assert json.loads(response.body)["error"] == "invalid_grant"


@given(response=responses)
def test_the_verdict_and_the_reading_of_an_answer_agree(response):
    success = classify_exchange(response, now=NOW).outcome is Outcome.SUCCESS
    assert success == isinstance(attempt(lambda: process_token_response(response)), TokenResponse)


@given(response=responses, now=times)
def test_a_revocation_is_confirmed_by_200_alone(response, now):
    result = attempt(lambda: process_revocation_response(response, now=now))
    if response.status == 200:
        assert result is None
    else:
        assert isinstance(result, (ProviderError, RetryableError))


@given(body=st.binary(max_size=200) | json_objects("issuer", "jwks_uri", "grant_types_supported"))
def test_any_discovery_document_is_differences_or_an_error_of_the_provider(body):
    try:
        differences = process_discovery_response(HttpResponse(200, {}, body), SERVER)
    except ProviderError:
        return
    assert len(set(differences)) == len(differences)


jwk_texts = st.sampled_from(
    ["RSA", "EC", "OKP", "oct", "sig", "P-256", "Ed25519", "AQAB", "A" * 342, "_" * 342, "é"]
)
jwks = st.dictionaries(
    st.sampled_from(["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y"]),
    jwk_texts | json_values,
)


@settings(max_examples=300)
@given(keys=st.lists(jwks | json_values, max_size=3))
def test_any_key_set_is_keys_or_an_error_of_the_provider(keys):
    result = process_jwks_response(HttpResponse(200, {}, json.dumps({"keys": keys}).encode()))
    assert isinstance(result, SigningKeys)
    assert all(key.algorithms for key in result.keys)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_a_key_set_or_an_error_of_the_provider(body):
    result = attempt(lambda: process_jwks_response(HttpResponse(200, {}, body)))
    assert isinstance(result, (SigningKeys, ProviderError))


def verify(token: str) -> VerifiedIdToken:
    return verify_id_token(Secret(token), KEYS, server=SERVER, client=CLIENT, login=LOGIN, now=NOW)


segments = st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode())
header_segments = json_objects("alg", "kid", "crit", "b64", "jwk", "typ").map(
    lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
)


@given(token=st.text(max_size=100) | st.tuples(header_segments | segments, segments, segments).map(".".join))
def test_any_text_is_refused_as_an_id_token_by_our_own_error(token):
    with pytest.raises(CallbackError):
        verify(token)


CLAIMS = {
    "iss": SERVER.issuer,
    "sub": "s",
    "aud": "client",
    "exp": NOW + 1,
    "iat": NOW,
    "nonce": LOGIN.nonce.reveal(),
}


def signed(payload: bytes) -> str:
    return jws.serialize_compact({"alg": "ES256", "kid": "k"}, payload, KEY, algorithms=["ES256"])


@given(payload=st.binary(max_size=100) | json_values.map(lambda value: json.dumps(value).encode()))
def test_even_a_signed_payload_of_any_kind_is_refused_by_our_own_error(payload):
    with pytest.raises(CallbackError):
        verify(signed(payload))


@given(name=st.sampled_from(sorted(CLAIMS)), value=json_values)
def test_a_signed_claim_of_any_kind_is_verified_only_when_it_holds(name, value):
    try:
        verified = verify(signed(json.dumps({**CLAIMS, name: value}).encode()))
    except CallbackError:
        return
    assert (verified.issuer, name in {"sub", "exp", "iat", "aud"}) == (SERVER.issuer, True)


@given(position=st.integers(0, len(signed(json.dumps(CLAIMS).encode())) - 1), character=st.characters())
def test_a_token_with_one_character_changed_is_refused(position, character):
    token = signed(json.dumps(CLAIMS).encode())
    changed = token[:position] + character + token[position + 1 :]
    if changed == token:
        assert verify(changed).subject == "s"
    else:
        with pytest.raises(CallbackError):
            verify(changed)
