import pytest

from fankeep.errors import ProviderError, RetryableError
from fankeep.oauth import build_revocation_request, process_revocation_response
from fankeep.secret import Secret
from fankeep.types import HttpResponse

NOW = 1_800_000_000.0


def test_a_revocation_names_the_token_its_kind_and_the_client(server, client, client_secret, form):
    request = build_revocation_request(server, client, client_secret, Secret("ory_rt_x"))
    assert request.url == "https://auth.fanvue.com/oauth2/revoke"
    assert request.headers["authorization"].startswith("Basic ")
    assert form(request.body) == {
        "token": "ory_rt_x",
        "token_type_hint": "refresh_token",
        "client_id": client.client_id,
    }


def test_an_access_token_can_be_revoked_too(server, client, client_secret, form):
    request = build_revocation_request(
        server, client, client_secret, Secret("a"), token_type_hint="access_token"
    )
    assert form(request.body)["token_type_hint"] == "access_token"


def test_200_confirms_whatever_the_body_says():
    process_revocation_response(HttpResponse(200, {}, b""), now=NOW)


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(429),
        HttpResponse(500),
        HttpResponse(503, {}, b'{"error": "temporarily_unavailable"}'),
        HttpResponse(400, {}, b'{"error": "temporarily_unavailable"}'),
        HttpResponse(403, {"content-type": "text/html"}, b"<html>"),
        HttpResponse(204),
        HttpResponse(302),
        HttpResponse(500, {}, b'{"error": "invalid_client"}'),
    ],
)
def test_what_does_not_come_from_the_server_itself_is_tried_again(response):
    with pytest.raises(RetryableError):
        process_revocation_response(response, now=NOW)


def test_the_servers_wait_is_passed_on():
    with pytest.raises(RetryableError) as caught:
        process_revocation_response(HttpResponse(503, {"retry-after": "17"}), now=NOW)
    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize("code", ["invalid_client", "unsupported_token_type", "invalid_request"])
def test_a_refusal_by_the_server_is_not_repeated(code):
    with pytest.raises(ProviderError) as caught:
        process_revocation_response(HttpResponse(400, {}, f'{{"error": "{code}"}}'.encode()), now=NOW)
    assert caught.value.oauth_error == code
