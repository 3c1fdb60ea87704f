"""The whole authorization code flow over sockets, as a browser and an app go through it."""

import json
import re
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from fankeep.sandbox import Switches, TokenFormat


def challenge_of(answer):
    return answer.fields["challenge"]


async def sign_in(app, **changes):
    """Go through the pages up to the consent page; returns its challenge."""
    challenge = challenge_of(await app.call("GET", app.authorize_path(**changes)))
    page = await app.call("GET", f"/login?challenge={challenge}")
    assert b"Mia Hart" in page.body
    creator = app.sandbox.world.first_creator
    answer = await app.form("/login", {"challenge": challenge, "creator": creator.uuid})
    assert answer.status == 303
    assert urlsplit(answer.location).path == "/consent"
    return challenge


async def test_a_creator_signs_in_consents_and_the_app_gets_tokens_that_work(app):
    challenge = await sign_in(app)
    page = await app.call("GET", f"/consent?challenge={challenge}")
    assert b"read:chat" in page.body
    answer = await app.form(
        "/consent", {"challenge": challenge, "decision": "allow", "grant read:chat": "on"}
    )
    assert answer.location.startswith("http://localhost:9999/auth/callback?")
    assert answer.fields["state"] == app.state
    assert answer.fields["scope"] == "openid offline_access offline read:self read:chat"
    tokens = (await app.exchange(answer.fields["code"])).json
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 3600
    me = await app.api("GET", "/users/me", tokens["access_token"])
    assert me.json["uuid"] == app.sandbox.world.first_creator.uuid


async def test_the_second_time_neither_sign_in_nor_consent_is_asked_for(app):
    challenge = await sign_in(app)
    await app.form("/consent", {"challenge": challenge, "decision": "allow", "grant read:chat": "on"})
    wanted = {"scope": "openid offline_access read:chat"}
    answer = await app.call("GET", app.authorize_path(**wanted))
    answer = await app.call("GET", answer.location)
    assert "code" in answer.fields
    prompted = await app.call("GET", app.authorize_path(prompt="login", **wanted))
    assert urlsplit(prompted.location).path == "/login"
    silent = await app.call("GET", app.authorize_path(prompt="none", **wanted))
    assert "code" in silent.fields


async def test_a_creator_who_declines_sends_access_denied(app):
    challenge = await sign_in(app)
    answer = await app.form("/consent", {"challenge": challenge, "decision": "deny"})
    assert answer.fields["error"] == "access_denied"
    assert answer.fields["state"] == app.state


async def test_a_consent_page_is_good_once_and_only_in_the_browser_that_signed_in(app, launch):
    challenge = await sign_in(app)
    form = {"challenge": challenge, "decision": "allow"}
    cookies, app.cookies = app.cookies, {}
    assert (await app.form("/consent", form)).status == 400
    app.cookies = cookies
    assert (await app.form("/consent", form)).status == 303
    assert (await app.form("/consent", form)).status == 400


async def test_forms_from_other_sites_are_refused(app):
    challenge = await sign_in(app)
    form = {"challenge": challenge, "decision": "allow"}
    assert (await app.form("/consent", form, {"Sec-Fetch-Site": "cross-site"})).status == 400
    assert (await app.form("/consent", form, {"Origin": "https://evil.example"})).status == 400
    assert (await app.form("/consent", form, {"Sec-Fetch-Site": "same-origin"})).status == 303


async def test_a_wrong_redirect_uri_gets_a_page_and_no_redirect(app):
    answer = await app.call("GET", app.authorize_path(redirect_uri="http://localhost:9999/other"))
    assert answer.status == 400
    assert "location" not in answer.headers


async def test_form_post_brings_the_code_in_a_form(app):
    challenge = await sign_in(app, response_mode="form_post")
    answer = await app.form("/consent", {"challenge": challenge, "decision": "allow"})
    assert answer.status == 200
    assert 'action="http://localhost:9999/auth/callback"' in answer.body.decode()
    code = re.search(r'name="code" value="([^"]+)"', answer.body.decode())[1]
    assert (await app.exchange(code)).status == 200


async def test_the_id_token_verifies_against_the_published_keys(app):
    tokens = await app.connect(nonce="n-0S6_WzA2Mj")
    discovery = (await app.call("GET", "/.well-known/openid-configuration")).json
    keys = KeySet.import_key_set((await app.call("GET", urlsplit(discovery["jwks_uri"]).path)).json)
    claims = jwt.decode(tokens["id_token"], keys).claims
    assert claims["iss"] == discovery["issuer"] == app.sandbox.base_url
    assert claims["aud"] == [app.client_id]
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["sub"] == app.sandbox.world.first_creator.uuid
    userinfo = await app.call(
        "GET", "/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert userinfo.json == {"sub": claims["sub"]}


async def test_disputed_facts_are_switches(launch):
    app = await launch(
        switches=Switches(
            issuer_trailing_slash=True,
            echo_nonce=False,
            token_format=TokenFormat.JWT,
            client_secret_post=True,
            version_header_required=False,
        )
    )
    tokens = await app.connect(nonce="n-0S6_WzA2Mj")
    keys = KeySet.import_key_set((await app.call("GET", "/.well-known/jwks.json")).json)
    claims = jwt.decode(tokens["id_token"], keys).claims
    assert claims["iss"] == app.sandbox.base_url + "/"
    assert "nonce" not in claims
    assert jwt.decode(tokens["access_token"], keys).claims["client_id"] == app.client_id
    me = await app.call("GET", "/users/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.status == 200
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    assert (await app.form("/oauth2/token", fields)).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.2:4010"])
async def test_only_loopback_names_are_answered(app, host):
    answer = await app.call("GET", "/sandbox/needles", headers={"Host": host})
    assert answer.status == 421


async def test_control_requests_of_other_sites_are_refused(app):
    body = json.dumps({"seconds": 1})
    text = await app.call("POST", "/sandbox/lifetime", body, {"Content-Type": "text/plain"})
    assert text.status == 400
    foreign = {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}
    assert (await app.call("POST", "/sandbox/lifetime", body, foreign)).status == 400
    assert app.sandbox.tokens.access_token_lifetime == 3600
