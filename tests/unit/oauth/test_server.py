import dataclasses

import pytest

from fankeep.errors import ConfigurationError
from fankeep.oauth import pinned_server
from fankeep.oauth.server import require_secure_url


def test_the_default_is_fanvue(server):
    assert server.issuer == "https://auth.fanvue.com"
    assert server.authorization_endpoint == "https://auth.fanvue.com/oauth2/auth"
    assert server.token_endpoint == "https://auth.fanvue.com/oauth2/token"
    assert server.revocation_endpoint == "https://auth.fanvue.com/oauth2/revoke"
    assert server.jwks_uri == "https://auth.fanvue.com/.well-known/jwks.json"


def test_a_trailing_slash_stays_in_the_issuer_and_is_not_doubled_in_endpoints():
    server = pinned_server("http://127.0.0.1:9400/")
    assert server.issuer == "http://127.0.0.1:9400/"
    assert server.token_endpoint == "http://127.0.0.1:9400/oauth2/token"


@pytest.mark.parametrize(
    "url",
    [
        "https://auth.example",
        "https://auth.example:8443/x",
        "http://localhost:3000",
        "http://127.0.0.1:1/",
        "http://[::1]:8080/",
        "http://app.localhost/",
        "https://auth.example/" + "a" * 2027,
    ],
)
def test_https_and_plain_loopback_are_usable(url):
    require_secure_url(url, "it")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "auth.example",
        "//auth.example",
        "http://auth.example",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "ftp://auth.example",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user@auth.example",
        "https://user:pw@auth.example",
        "https://auth.example/?a=b",
        "https://auth.example/#f",
        "https://auth.example/\r\nx: y",
        "https://auth.example/\t",
        "https://auth.example\\@evil.example",
        "https://auth.example /",
        "https://äuth.example/",
        "https://[::1",
        "https://auth.example:99999/",
        "https://auth.example:x/",
        "https://auth.example/" + "a" * 2028,
    ],
)
def test_an_address_that_is_not_safe_for_a_secret_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigurationError) as caught:
        require_secure_url(url, "the issuer")
    assert str(caught.value).startswith("the issuer")
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "member", ["issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"]
)
def test_every_address_of_a_server_is_checked(server, member):
    with pytest.raises(ConfigurationError):
        dataclasses.replace(server, **{member: "http://auth.example"})


@pytest.mark.parametrize(
    "claimed",
    [
        "https://auth.fanvue.com/",
        "https://AUTH.fanvue.com",
        "https://auth.fanvue.com:443",
        "http://auth.fanvue.com",
    ],
)
def test_the_issuer_is_compared_as_a_string(server, claimed):
    assert server.is_issuer("https://auth.fanvue.com")
    assert not server.is_issuer(claimed)


def test_one_trailing_slash_is_tolerated_only_when_told():
    server = pinned_server(issuer_slash_tolerated=True)
    assert server.is_issuer("https://auth.fanvue.com/")
    assert server.is_issuer("https://auth.fanvue.com")
    assert not server.is_issuer("https://auth.fanvue.com//")
    assert not server.is_issuer("https://auth.fanvue.com/x")
