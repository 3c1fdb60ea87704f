"""What the owner of an app can do with it, and what becomes of those who are connected."""

import re

import pytest


async def pressed(app, path, fields=None):
    return await app.form(f"/developer{path}", fields or {}, {"Sec-Fetch-Site": "same-origin"})


async def test_a_registered_app_shows_its_secret_once_and_works(app):
    page = (await pressed(app, "", {"name": "Night Owl"})).body.decode()
    made = list(app.sandbox.apps)[1]
    assert made.name == "Night Owl"
    (secret,) = re.findall(r'<code class="secret">([0-9a-f]{64})</code>', page)
    assert secret not in (await app.call("GET", f"/developer/{made.client_id}")).body.decode()
    app.client_id, app.client_secret = made.client_id, secret
    callback = "http://localhost:9999/auth/callback"
    await pressed(app, f"/{made.client_id}/redirects", {"redirect_uris": callback})
    assert (await app.connect())["refresh_token"]
    assert secret in (await app.show("needles"))["client_secret"]


async def test_a_deleted_app_is_unknown_and_its_tokens_are_worth_nothing(app, receiver):
    tokens, code = await app.connect(), await app.code()
    await app.control("endpoints", url=receiver.url)
    asked = (await app.call("GET", app.authorize_path(prompt="login"))).fields["challenge"]
    await pressed(app, "", {"name": "Night Owl"})
    assert (await pressed(app, f"/{app.client_id}/delete")).status == 303

    refused = await app.refresh(tokens["refresh_token"])
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert (await app.exchange(code)).status == 401
    assert (await app.api("GET", "/users/me", tokens["access_token"])).status == 401
    assert (await app.call("GET", app.authorize_path())).status == 401
    assert (await app.call("GET", f"/login?challenge={asked}")).status == 400
    assert await app.show("endpoints") == []
    assert (await app.call("GET", "/panel")).status == 200


async def test_the_last_app_stays(app):
    assert (await pressed(app, f"/{app.client_id}/delete")).status == 400
    assert (await app.connect())["refresh_token"]


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "/auth/callback", "https://app.example/#here"])
async def test_what_is_no_web_address_is_no_redirect_uri(app, uri):
    before = app.sandbox.apps.first.redirect_uris
    answer = await pressed(app, f"/{app.client_id}/redirects", {"redirect_uris": uri})
    assert answer.status == 400
    assert b"a redirect URI is an absolute" in answer.body
    assert app.sandbox.apps.first.redirect_uris == before
