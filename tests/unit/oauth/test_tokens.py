import dataclasses
import json

import pytest

from fankeep.errors import ProviderError, TransportError
from fankeep.oauth import build_code_request, build_refresh_request, pinned_server, process_token_response
from fankeep.secret import Secret
from fankeep.types import HttpResponse

FULL = {
    "access_token": "ory_at_abc",
    "token_type": "bearer",
    "refresh_token": "ory_rt_def",
    "expires_in": 3599,
    "scope": "openid offline_access read:self",
    "id_token": "eyJ.e30.c2ln",
}


def answer(status: int = 200, **members: object) -> HttpResponse:
    return HttpResponse(
        status, {"content-type": "application/json"}, json.dumps({**FULL, **members}).encode()
    )


def test_the_code_exchange_sends_code_verifier_and_the_registered_redirect(
    server, client, client_secret, callback, form
):
    request = build_code_request(server, client, client_secret, callback)
    assert request.url == server.token_endpoint
    assert form(request.body) == {
        "grant_type": "authorization_code",
        "code": "ory_ac_x.y",
        "redirect_uri": client.redirect_uri,
        "code_verifier": callback.login.verifier.reveal(),
        "client_id": client.client_id,
    }


def test_a_code_goes_to_no_other_server_than_the_one_that_gave_it(client, client_secret, callback):
    with pytest.raises(ValueError, match="another"):
        build_code_request(pinned_server("https://evil.example"), client, client_secret, callback)


def test_a_refresh_sends_no_scope(server, client, client_secret, form):
    request = build_refresh_request(server, client, client_secret, Secret("ory_rt_x"))
    assert request.url == server.token_endpoint
    assert form(request.body) == {
        "grant_type": "refresh_token",
        "refresh_token": "ory_rt_x",
        "client_id": client.client_id,
    }


def test_a_full_answer_is_read():
    tokens = process_token_response(answer())
    assert tokens.access_token.reveal() == "ory_at_abc"
    assert tokens.refresh_token == Secret("ory_rt_def")
    assert tokens.expires_in == 3599.0
    assert tokens.scopes == ("openid", "offline_access", "read:self")
    assert tokens.id_token == Secret("eyJ.e30.c2ln")


def test_the_least_answer_is_read():
    body = b'{"access_token": "a", "token_type": "Bearer", "expires_in": null, "unknown": {"x": [1]}}'
    tokens = process_token_response(HttpResponse(200, {}, body))
    assert tokens.expires_in == 3600.0
    assert (tokens.refresh_token, tokens.scopes, tokens.id_token) == (None, None, None)


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER"])
def test_the_token_type_is_compared_without_case(token_type):
    assert process_token_response(answer(token_type=token_type)).expires_in == 3599.0


@pytest.mark.parametrize(
    ("said", "kept"), [(0, 1.0), (-5, 1.0), (0.5, 1.0), (7200.5, 7200.5), (86401, 86400.0), (1e300, 86400.0)]
)
def test_a_lifetime_out_of_range_is_clamped_since_the_pair_must_not_be_lost(said, kept):
    assert process_token_response(answer(expires_in=said)).expires_in == kept


def test_an_empty_refresh_token_is_none_and_an_empty_scope_grants_nothing():
    tokens = process_token_response(answer(refresh_token="", id_token="", scope=""))
    assert (tokens.refresh_token, tokens.id_token, tokens.scopes) == (None, None, ())


def test_many_scopes_are_read_up_to_a_limit():
    scopes = [f"s{number}" for number in range(256)]
    assert process_token_response(answer(scope=" ".join(scopes))).scopes == tuple(scopes)


def test_a_scope_named_twice_counts_once():
    assert process_token_response(answer(scope="a b a")).scopes == ("a", "b")


@pytest.mark.parametrize(
    ("members", "field", "kept"),
    [
        ({"expires_in": "1800"}, "expires_in", 1800.0),
        ({"expires_in": "soon"}, "expires_in", 3600.0),
        ({"expires_in": "-5"}, "expires_in", 3600.0),
        ({"scope": " "}, "scopes", ()),
        ({"scope": "a  b"}, "scopes", ("a", "b")),
        ({"scope": 'a "quoted" b'}, "scopes", ("a", "b")),
        ({"scope": "a\nb"}, "scopes", ()),
        ({"scope": " ".join(f"s{n}" for n in range(300))}, "scopes", tuple(f"s{n}" for n in range(256))),
    ],
)
def test_an_oddity_beside_the_tokens_costs_no_token(members, field, kept):
    tokens = process_token_response(answer(**members))
    assert getattr(tokens, field) == kept
    assert tokens.access_token


def test_an_id_token_is_passed_on_unread():
    assert process_token_response(answer(id_token="not a jws")).id_token == Secret("not a jws")


def test_an_answer_of_exactly_the_largest_size_is_read():
    body = answer(padding="").body
    padded = body.replace(b'"padding": ""', b'"padding": "' + b"x" * (65536 - len(body)) + b'"')
    assert len(padded) == 65536
    assert process_token_response(HttpResponse(200, {}, padded)).expires_in == 3599.0


@pytest.mark.parametrize(
    "members",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 1},
        {"access_token": "a b"},
        {"access_token": "a\r\nx: y"},
        {"access_token": "ä"},
        {"access_token": "a" * 16385},
        {"token_type": None},
        {"token_type": "mac"},
        {"token_type": "bearer "},
        {"refresh_token": 1},
        {"refresh_token": "a\nb"},
        {"refresh_token": ["a"]},
        {"expires_in": True},
        {"expires_in": []},
        {"scope": ["a"]},
        {"id_token": {}},
        {"padding": "x" * 65_500},
    ],
)
def test_an_answer_with_a_wrong_member_cannot_be_used_and_its_outcome_is_unknown(members):
    with pytest.raises(TransportError) as caught:
        process_token_response(answer(**members))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>", b"\xff", b'{"a":' + b"[" * 60_000])
def test_a_body_that_is_no_token_response_leaves_the_outcome_unknown(body):
    with pytest.raises(TransportError) as caught:
        process_token_response(HttpResponse(200, {}, body))
    assert caught.value.outcome_unknown


def test_an_error_answer_carries_a_standard_code_and_nothing_else():
    body = b'{"error": "invalid_grant", "error_description": "The refresh token was already used."}'
    with pytest.raises(ProviderError) as caught:
        process_token_response(HttpResponse(400, {}, body))
    assert (caught.value.oauth_error, caught.value.http_status) == ("invalid_grant", 400)
    assert "already used" not in str(caught.value)


@pytest.mark.parametrize("body", [b'{"error": "pwned"}', b'{"error": 1}', b"<html>", b'{"error": "a\\nb"}'])
def test_an_error_code_that_no_rfc_names_is_not_repeated(body):
    with pytest.raises(ProviderError) as caught:
        process_token_response(HttpResponse(400, {}, body))
    assert caught.value.oauth_error is None


def test_a_token_response_does_not_print_its_tokens():
    printed = repr(process_token_response(answer()))
    assert not any(str(FULL[name]) in printed for name in ("access_token", "refresh_token", "id_token"))
    assert dataclasses.is_dataclass(process_token_response(answer()))
