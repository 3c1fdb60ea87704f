import json

import pytest

from fankeep.errors import ProviderError
from fankeep.oauth import Difference, build_discovery_request, pinned_server, process_discovery_response
from fankeep.types import HttpResponse

DOCUMENT = {
    "issuer": "https://auth.fanvue.com",
    "authorization_endpoint": "https://auth.fanvue.com/oauth2/auth",
    "token_endpoint": "https://auth.fanvue.com/oauth2/token",
    "revocation_endpoint": "https://auth.fanvue.com/oauth2/revoke",
    "jwks_uri": "https://auth.fanvue.com/.well-known/jwks.json",
    "response_types_supported": ["code", "id_token"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "id_token_signing_alg_values_supported": ["RS256"],
    "subject_types_supported": ["public"],
}


def compare(server, **members: object) -> tuple[Difference, ...]:
    document = {name: value for name, value in {**DOCUMENT, **members}.items() if value is not None}
    return process_discovery_response(HttpResponse(200, {}, json.dumps(document).encode()), server)


@pytest.mark.parametrize("issuer", ["https://auth.fanvue.com", "https://auth.fanvue.com/"])
def test_the_document_is_fetched_from_below_the_issuer(issuer):
    request = build_discovery_request(pinned_server(issuer))
    assert (request.method, request.url) == (
        "GET",
        "https://auth.fanvue.com/.well-known/openid-configuration",
    )
    assert "authorization" not in request.headers


def test_a_document_that_agrees_has_no_differences(server):
    assert compare(server) == ()


def test_the_issuer_must_be_exactly_the_same(server):
    assert compare(server, issuer="https://auth.fanvue.com/") == (Difference("issuer", "different"),)
    assert compare(server, issuer="https://evil.example") == (Difference("issuer", "different"),)


def test_the_trailing_slash_is_tolerated_only_when_told():
    tolerant = pinned_server(issuer_slash_tolerated=True)
    assert compare(tolerant, issuer="https://auth.fanvue.com/") == ()


@pytest.mark.parametrize(
    "member", ["issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"]
)
def test_every_pinned_member_is_compared(server, member):
    assert compare(server, **{member: None}) == (Difference(member, "missing"),)
    assert compare(server, **{member: "https://evil.example/x"}) == (Difference(member, "different"),)


@pytest.mark.parametrize(
    ("member", "listed"),
    [
        ("response_types_supported", ["token"]),
        ("grant_types_supported", ["authorization_code"]),
        ("grant_types_supported", []),
        ("token_endpoint_auth_methods_supported", ["private_key_jwt"]),
        ("code_challenge_methods_supported", ["plain"]),
        ("id_token_signing_alg_values_supported", ["HS256", "none"]),
    ],
)
def test_a_method_that_we_need_and_the_document_does_not_list_is_named_once(server, member, listed):
    assert compare(server, **{member: listed}) == (Difference(member, "unsupported"),)
    assert compare(server, **{member: None}) == ()


def test_an_announcement_of_the_issuer_parameter_is_noticed(server):
    member = "authorization_response_iss_parameter_supported"
    assert compare(server, **{member: True}) == (Difference(member, "different"),)
    announcing = pinned_server(authorization_response_iss_parameter_supported=True)
    assert compare(announcing, **{member: True}) == ()


def test_nothing_of_the_document_is_taken_over(server):
    compare(server, token_endpoint="https://evil.example/token")
    assert server == pinned_server()


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(404),
        HttpResponse(203, {}, json.dumps(DOCUMENT).encode()),
        HttpResponse(302, {"location": "https://evil.example"}),
        HttpResponse(200, {}, b"<html>"),
        HttpResponse(200, {}, b"[]"),
        HttpResponse(200, {}, b'{"issuer": 1}'),
        HttpResponse(200, {}, b'{"a":' + b"[" * 60_000),
        HttpResponse(200, {}, b'{"a": "' + b"x" * 70_000 + b'"}'),
    ],
)
def test_an_answer_that_is_no_document_is_an_error_of_the_provider(server, response):
    with pytest.raises(ProviderError):
        process_discovery_response(response, server)
