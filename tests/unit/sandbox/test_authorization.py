"""Authorization requests: what is refused where, and what a consent grants."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from fankeep.errors import ConfigurationError
from fankeep.sandbox import Switches
from fankeep.sandbox.authorization import AuthorizationServer, Reply, Unredirectable
from fankeep.sandbox.consents import AuthorizationRequest, Login

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def server(sandbox):
    return AuthorizationServer(sandbox)


@pytest.fixture
def params(sandbox):
    def make(**changes):
        app = sandbox.apps.first
        given = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uris[0],
            "scope": "openid offline_access read:self read:chat",
            "state": "12345678",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**given, **changes}.items() if value is not None}

    return make


@pytest.fixture
def login(sandbox, start):
    return Login(sandbox.world.first_creator.uuid, start)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "none"},
        {"redirect_uri": "http://localhost:9999/auth/callback/"},
        {"redirect_uri": "http://localhost:9999/auth/callback?x=1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": None},
    ],
)
def test_an_unknown_client_or_redirect_uri_is_never_redirected_to(server, params, change):
    with pytest.raises(Unredirectable):
        server.accept(params(**change))


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:8790", "[::1]:3000", "app.localhost"])
def test_plain_http_leads_back_to_this_machine_only_and_can_be_switched_off(sandbox, params, host):
    uris = (
        f"http://{host}/cb",
        "http://localhost.example/cb",
        "http://10.0.0.1/cb",
        "https://app.example/cb",
    )
    sandbox.apps.register_redirects(sandbox.apps.first, uris)

    def accepted(server):
        return [uri for uri in uris if _goes(server, params(redirect_uri=uri))]

    assert accepted(AuthorizationServer(sandbox)) == [uris[0], uris[3]]
    sandbox.settings = replace(sandbox.settings, switches=Switches(http_redirect_uris=False))
    assert accepted(AuthorizationServer(sandbox)) == [uris[3]]


def _goes(server, params):
    try:
        server.accept(params)
    except Unredirectable:
        return False
    return True


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/auth/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://a.example/#x",
        "http://[",
    ],
)
def test_a_redirect_uri_is_an_absolute_web_address(sandbox, uri):
    app = sandbox.apps.first
    before = app.redirect_uris
    with pytest.raises(ConfigurationError):
        sandbox.apps.register_redirects(app, [uri])
    assert app.redirect_uris == before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": "1234567"}, "invalid_state"),
        ({"state": None}, "invalid_state"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid read:everything"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
    ],
)
def test_other_mistakes_go_back_to_the_app_with_the_state(server, params, change, error):
    reply = server.accept(params(**change))
    assert isinstance(reply, Reply)
    fields = parse_qs(urlsplit(reply.location).query, keep_blank_values=True)
    assert fields["error"] == [error]
    assert fields["state"] == [change.get("state", "12345678") or ""]


def test_a_scope_that_the_app_has_not_enabled_is_refused(server, params, sandbox):
    sandbox.apps.enable_scopes(sandbox.apps.first, ["openid", "offline_access", "read:self"])
    assert server.accept(params()).fields["error"] == "invalid_scope"


def test_consent_is_asked_for_once_and_again_for_more_or_on_demand(server, params, login):
    request = server.accept(params())
    assert isinstance(request, AuthorizationRequest)
    assert server.needs_consent(request, login)
    server.approve(request, login, request.scopes)
    assert not server.needs_consent(request, login)
    assert server.needs_consent(server.accept(params(prompt="consent")), login)
    assert server.needs_consent(server.accept(params(scope="openid read:post")), login)


def test_prompt_login_asks_for_a_sign_in_once(server, params, login):
    request = server.accept(params(prompt="login"))
    assert server.needs_login(request, login)
    assert not server.needs_login(server.signed_in(request), login)
    assert server.needs_login(server.accept(params()), None)


def test_the_creator_may_grant_less_than_was_asked_for(server, params, login):
    request = server.accept(params())
    fields = server.approve(request, login, []).fields
    assert fields["scope"] == "openid offline_access read:self"
    assert fields["state"] == "12345678"
    assert fields["code"].startswith("ory_ac_")
