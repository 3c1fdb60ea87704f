"""The OAuth clients that others wrote work against the sandbox as they are, but for the base URL."""

import base64
import hashlib

import pytest
import requests
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.base_client.framework_integration import FrameworkIntegration
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet
from oauthlib.oauth2 import WebApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError

from fankeep.testing import SandboxSettings, Switches, fanvue_sandbox_in_thread
from fankeep.testing.running import default_settings

SCOPES = ["openid", "offline_access", "offline", "read:self"]
VERSION = {"X-Fanvue-API-Version": "2025-06-26"}


@pytest.fixture(autouse=True)
def plain_http_on_loopback(monkeypatch):
    """Both libraries refuse plain HTTP unless they are told that it is meant."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


class AuthlibApp(OAuth2Mixin, OpenIDMixin, BaseApp):
    """What authlib's integrations with web frameworks are, without a framework."""

    client_cls = OAuth2Session


@pytest.fixture
def authlib_app(fanvue_sandbox):
    return AuthlibApp(
        FrameworkIntegration("fanvue"),
        "fanvue",
        client_id=fanvue_sandbox.client_id,
        client_secret=fanvue_sandbox.client_secret,
        server_metadata_url=f"{fanvue_sandbox.issuer_url}/.well-known/openid-configuration",
        client_kwargs={"scope": " ".join(SCOPES), "code_challenge_method": "S256"},
    )


def authlib_tokens(sandbox, app):
    """Sign in; returns the tokens and the nonce."""
    callback = sandbox.redirect_uris[0]
    started = app.create_authorization_url(callback)
    came_back = sandbox.control.approve(started["url"])
    tokens = app.fetch_access_token(
        callback,
        authorization_response=came_back,
        state=started["state"],
        code_verifier=started["code_verifier"],
    )
    return tokens, started["nonce"]


def test_authlib_signs_in_and_verifies_the_id_token_by_discovery(fanvue_sandbox, authlib_app):
    tokens, nonce = authlib_tokens(fanvue_sandbox, authlib_app)

    person = authlib_app.parse_id_token(tokens, nonce)

    creator = fanvue_sandbox.control.state()["creators"][0]["uuid"]
    assert person["sub"] == creator
    assert authlib_app.userinfo(token=tokens)["sub"] == creator
    me = authlib_app.get(f"{fanvue_sandbox.api_url}/users/me", token=tokens, headers=VERSION)
    assert me.json()["uuid"] == creator


def test_authlib_refuses_an_id_token_with_another_nonce(fanvue_sandbox, authlib_app):
    tokens, _ = authlib_tokens(fanvue_sandbox, authlib_app)
    with pytest.raises(InvalidClaimError, match="nonce"):
        authlib_app.parse_id_token(tokens, "another")


@pytest.fixture
def authlib_session(fanvue_sandbox):
    with OAuth2Session(
        fanvue_sandbox.client_id,
        fanvue_sandbox.client_secret,
        token_endpoint=f"{fanvue_sandbox.issuer_url}/oauth2/token",
    ) as session:
        yield session


def test_authlib_refreshes_and_gets_the_refusal_of_a_spent_token(
    fanvue_sandbox, authlib_app, authlib_session
):
    first, _ = authlib_tokens(fanvue_sandbox, authlib_app)
    authlib_session.token = first

    second = authlib_session.refresh_token()
    fanvue_sandbox.control.advance(30)

    assert second["refresh_token"] != first["refresh_token"]
    with pytest.raises(OAuthError, match="The refresh token was already used"):
        authlib_session.refresh_token(refresh_token=first["refresh_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        authlib_session.refresh_token(refresh_token=second["refresh_token"])


def test_authlib_refreshes_by_itself_when_a_token_is_about_to_expire(
    fanvue_sandbox, authlib_app, authlib_session
):
    first, _ = authlib_tokens(fanvue_sandbox, authlib_app)
    authlib_session.token = {**first, "expires_at": 1}

    me = authlib_session.get(f"{fanvue_sandbox.api_url}/users/me", headers=VERSION)

    assert me.status_code == 200
    assert authlib_session.token["access_token"] != first["access_token"]
    assert len(fanvue_sandbox.control.journal(kind="token", grant_type="refresh_token")) == 1


def test_authlib_revokes(fanvue_sandbox, authlib_app, authlib_session):
    tokens, _ = authlib_tokens(fanvue_sandbox, authlib_app)

    answer = authlib_session.revoke_token(
        f"{fanvue_sandbox.issuer_url}/oauth2/revoke",
        token=tokens["refresh_token"],
        token_type_hint="refresh_token",
    )

    assert answer.status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        authlib_session.refresh_token(refresh_token=tokens["refresh_token"])


def test_authlib_with_the_secret_in_the_form_is_refused_unless_switched_on():
    for accepted in (False, True):
        settings = default_settings()
        settings = SandboxSettings(port=0, apps=settings.apps, switches=Switches(client_secret_post=accepted))
        with fanvue_sandbox_in_thread(settings) as sandbox:
            tokens = sandbox.control.connect()
            with OAuth2Session(
                sandbox.client_id,
                sandbox.client_secret,
                token_endpoint_auth_method="client_secret_post",
            ) as session:
                if accepted:
                    assert refreshed(session, sandbox, tokens)["access_token"]
                else:
                    with pytest.raises(OAuthError, match="invalid_client"):
                        refreshed(session, sandbox, tokens)


def refreshed(session, sandbox, tokens):
    return session.refresh_token(f"{sandbox.issuer_url}/oauth2/token", refresh_token=tokens.refresh_token)


class OauthlibApp:
    """oauthlib's client with requests for the wire."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.client = WebApplicationClient(sandbox.client_id)
        self.http = requests.Session()
        self.metadata = self.http.get(f"{sandbox.issuer_url}/.well-known/openid-configuration").json()
        self.callback = sandbox.redirect_uris[0]

    def post(self, url, headers, body):
        basic = (self.sandbox.client_id, self.sandbox.client_secret)
        return self.http.post(url, headers=headers, data=body, auth=basic)

    def sign_in(self):
        verifier = self.client.create_code_verifier(64)
        challenge = self.client.create_code_challenge(verifier, "S256")
        url, _, _ = self.client.prepare_authorization_request(
            self.metadata["authorization_endpoint"],
            state="0123456789abcdef",
            redirect_url=self.callback,
            scope=SCOPES,
            code_challenge=challenge,
            code_challenge_method="S256",
            nonce="n-0S6_WzA2Mj",
        )
        came_back = self.sandbox.control.approve(url)
        request = self.client.prepare_token_request(
            self.metadata["token_endpoint"],
            authorization_response=came_back,
            redirect_url=self.callback,
            state="0123456789abcdef",
            code_verifier=verifier,
        )
        return self.client.parse_request_body_response(self.post(*request).text, scope=SCOPES)

    def refresh(self, token):
        request = self.client.prepare_refresh_token_request(
            self.metadata["token_endpoint"], refresh_token=token
        )
        return self.client.parse_request_body_response(self.post(*request).text, scope=SCOPES)

    def revoke(self, token):
        request = self.client.prepare_token_revocation_request(
            self.metadata["revocation_endpoint"], token, token_type_hint="refresh_token"
        )
        return self.post(*request).status_code

    def get(self, url):
        url, headers, _ = self.client.add_token(url, headers=VERSION)
        return self.http.get(url, headers=headers)


@pytest.fixture
def oauthlib_app(fanvue_sandbox):
    app = OauthlibApp(fanvue_sandbox)
    yield app
    app.http.close()


def test_oauthlib_signs_in_calls_the_api_and_asks_who_it_is(fanvue_sandbox, oauthlib_app):
    tokens = oauthlib_app.sign_in()

    creator = fanvue_sandbox.control.state()["creators"][0]["uuid"]
    assert set(tokens.scope.split()) == set(SCOPES)
    assert oauthlib_app.get(f"{fanvue_sandbox.api_url}/users/me").json()["uuid"] == creator
    assert oauthlib_app.get(oauthlib_app.metadata["userinfo_endpoint"]).json()["sub"] == creator


def test_the_id_token_that_oauthlib_gets_is_signed_with_a_published_key(fanvue_sandbox, oauthlib_app):
    tokens = oauthlib_app.sign_in()
    metadata = oauthlib_app.metadata

    keys = KeySet.import_key_set(oauthlib_app.http.get(metadata["jwks_uri"]).json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])

    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert token.claims["iss"] == metadata["issuer"]
    assert token.claims["aud"] == [fanvue_sandbox.client_id]
    assert token.claims["nonce"] == "n-0S6_WzA2Mj"
    assert token.claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_oauthlib_refreshes_and_gets_the_refusal_of_a_spent_token(fanvue_sandbox, oauthlib_app):
    first = oauthlib_app.sign_in()
    second = oauthlib_app.refresh(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]

    fanvue_sandbox.control.advance(30)

    with pytest.raises(InvalidGrantError, match="The refresh token was already used"):
        oauthlib_app.refresh(first["refresh_token"])
    with pytest.raises(InvalidGrantError):
        oauthlib_app.refresh(second["refresh_token"])
    assert oauthlib_app.get(f"{fanvue_sandbox.api_url}/users/me").status_code == 401


def test_oauthlib_revokes(oauthlib_app):
    tokens = oauthlib_app.sign_in()
    assert oauthlib_app.revoke(tokens["refresh_token"]) == 200
    with pytest.raises(InvalidGrantError):
        oauthlib_app.refresh(tokens["refresh_token"])


def test_oauthlib_hears_of_a_reset_secret_as_an_invalid_client(fanvue_sandbox, oauthlib_app):
    tokens = oauthlib_app.sign_in()
    fanvue_sandbox.control.reset_secret()
    with pytest.raises(InvalidClientError):
        oauthlib_app.refresh(tokens["refresh_token"])
