import base64
from urllib.parse import unquote_plus

from fankeep.oauth import ClientRegistration
from fankeep.oauth.client_auth import build_authenticated_post
from fankeep.secret import Secret


def credentials_of(request) -> tuple[str, str]:
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    user, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    return user, password


def test_the_formats_that_fanvue_gives_out_go_through_unchanged(client, client_secret):
    request = build_authenticated_post("https://auth.fanvue.com/x", client, client_secret, {})
    assert credentials_of(request) == (client.client_id, client_secret.reveal())


def test_id_and_secret_are_form_encoded_before_base64():
    client = ClientRegistration("id:with colon", "https://app.example/cb", ("openid",))
    request = build_authenticated_post("https://auth.fanvue.com/x", client, Secret("ä%+: ~/"), {})
    user, password = credentials_of(request)
    assert user == "id%3Awith+colon"
    assert password == "%C3%A4%25%2B%3A+~%2F"
    assert unquote_plus(password) == "ä%+: ~/"


def test_the_secret_is_in_the_header_alone_and_the_client_id_in_both(client, client_secret, form):
    request = build_authenticated_post("https://auth.fanvue.com/x", client, client_secret, {"a": "b&c= ä"})
    assert form(request.body) == {"a": "b&c= ä", "client_id": client.client_id}
    assert request.method == "POST"
    assert request.url == "https://auth.fanvue.com/x"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert client_secret.reveal() not in repr(request)
