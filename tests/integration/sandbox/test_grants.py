"""What becomes of a grant when its creator connects again, its app changes, or somebody revokes it."""

import base64
import json
import re
from copy import copy
from urllib.parse import urlsplit

import pytest

from fankeep.sandbox import AppRegistration, GraceAnswer, RevokeSpent, Switches

FEW = "openid offline_access read:self"


async def test_a_second_authorization_is_a_grant_of_its_own(app):
    first, second = await app.connect(), await app.connect()
    await app.refresh(first["refresh_token"])
    await app.control("clock", advance=31)
    assert (await app.refresh(first["refresh_token"])).json["error"] == "invalid_grant"
    assert (await app.refresh(second["refresh_token"])).status == 200
    assert [grant["ended"] for grant in await app.show("grants")] == ["reuse", None]


async def test_connecting_again_can_be_made_to_bring_no_refresh_token_until_the_consent_is_withdrawn(launch):
    app = await launch(switches=Switches(refresh_token_on_reconnect=False))
    assert "refresh_token" in await app.connect()
    assert "refresh_token" not in await app.connect()
    await app.control("withdraw")
    assert "refresh_token" in await app.connect()


@pytest.mark.parametrize(("suffices", "expected"), [(False, False), (True, True)])
async def test_offline_alone_brings_a_refresh_token_only_if_switched_on(launch, suffices, expected):
    app = await launch(switches=Switches(offline_suffices=suffices))
    assert ("refresh_token" in await app.connect(scope="openid offline read:self")) is expected
    assert "refresh_token" in await app.connect(scope="openid offline_access read:self")


@pytest.mark.parametrize("named", [True, False])
async def test_a_refresh_names_the_scopes_again_or_leaves_them_out(launch, named):
    app = await launch(switches=Switches(scope_on_refresh=named))
    tokens = await app.connect(scope=FEW)
    assert tokens["scope"] == FEW
    renewed = (await app.refresh(tokens["refresh_token"])).json
    assert renewed.get("scope") == (FEW if named else None)


async def test_connected_creators_keep_a_scope_that_left_the_app_but_cannot_refresh(app):
    tokens = await app.connect()
    await app.control("app", scopes=["openid", "offline_access", "offline", "read:self"])
    assert (await app.api("GET", "/chats", tokens["access_token"])).status == 200
    refused = await app.refresh(tokens["refresh_token"])
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")
    again = await app.connect(scope=FEW)
    assert (await app.refresh(again["refresh_token"])).status == 200
    await app.control("app", scopes=tokens["scope"].split())
    assert (await app.refresh(tokens["refresh_token"])).status == 200


@pytest.mark.parametrize(
    ("choice", "first", "second", "consents"),
    [
        (RevokeSpent.NOTHING, True, True, 1),
        (RevokeSpent.CHAIN, False, True, 1),
        (RevokeSpent.CONSENT, False, False, 0),
    ],
)
async def test_revoking_a_spent_token_is_200_and_does_nothing_or_what_is_switched_on(
    launch, choice, first, second, consents
):
    app = await launch(switches=Switches(revoke_spent=choice))
    tokens, _other = await app.connect(), await app.connect()
    await app.refresh(tokens["refresh_token"])
    answer = await app.form("/oauth2/revoke", {"token": tokens["refresh_token"]}, app.basic)
    assert (answer.status, answer.body) == (200, b"")
    assert [grant["live"] for grant in await app.show("grants")] == [first, second]
    assert len(app.sandbox.consents.creators_of(app.client_id)) == consents


async def test_the_repeats_of_a_refresh_can_be_limited_or_made_to_get_one_pair(launch):
    app = await launch(switches=Switches(grace_repeats=1, grace_answer=GraceAnswer.SAME_PAIR))
    token = (await app.connect())["refresh_token"]
    answers = [await app.refresh(token) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert answers[0].json["refresh_token"] == answers[1].json["refresh_token"]
    assert [grant["ended"] for grant in await app.show("grants")] == ["reuse"]


async def test_another_app_can_neither_use_nor_revoke_a_token(launch):
    callback = "http://localhost:9999/auth/callback"
    app = await launch(apps=(AppRegistration(redirect_uris=(callback,)), AppRegistration(name="Stranger")))
    token = (await app.connect())["refresh_token"]
    stranger, theirs = copy(app), list(app.sandbox.apps)[1]
    stranger.client_id, stranger.client_secret = theirs.client_id, theirs.client_secret.reveal()
    used = await stranger.refresh(token)
    assert (used.status, used.json["error"]) == (400, "invalid_grant")
    revoked = await stranger.form("/oauth2/revoke", {"token": token}, stranger.basic)
    assert (revoked.status, revoked.json["error"]) == (400, "unauthorized_client")
    assert (await app.refresh(token)).status == 200


@pytest.mark.parametrize(("signed_in", "error"), [(False, "login_required"), (True, "consent_required")])
async def test_prompt_none_shows_nothing_and_says_what_is_missing(app, signed_in, error):
    if signed_in:
        shown = await app.call("GET", app.authorize_path())
        creator = app.sandbox.world.first_creator.uuid
        await app.form("/login", {"challenge": shown.fields["challenge"], "creator": creator})
    answer = await app.call("GET", app.authorize_path(prompt="none"))
    assert (answer.status, answer.fields["error"], answer.fields["state"]) == (303, error, app.state)


@pytest.mark.parametrize(
    "change",
    [{"state": "short"}, {"code_challenge": None}, {"scope": "openid read:everything"}],
    ids=["state", "PKCE", "scope"],
)
async def test_mistakes_go_back_to_the_app_in_the_form_that_it_asked_for(app, change):
    answer = await app.call("GET", app.authorize_path(**change))
    assert answer.location.startswith("http://localhost:9999/auth/callback?error=invalid_")
    page = await app.call("GET", app.authorize_path(response_mode="form_post", **change))
    assert page.status == 200
    assert re.search(r'name="error" value="invalid_[a-z]+"', page.body.decode())


async def test_a_creator_who_asked_to_sign_in_again_may_be_another_one(app):
    creators = [creator.uuid for creator in app.sandbox.world.creators.values()][:2]
    for creator in creators:
        shown = await app.call("GET", app.authorize_path(prompt="login"))
        assert urlsplit(shown.location).path == "/login"
        form = {"challenge": shown.fields["challenge"], "creator": creator}
        assert urlsplit((await app.form("/login", form)).location).path == "/consent"
        answer = await app.form("/consent", {"challenge": form["challenge"], "decision": "allow"})
        tokens = (await app.exchange(answer.fields["code"])).json
        assert (await app.api("GET", "/users/me", tokens["access_token"])).json["uuid"] == creator


async def test_a_scope_that_was_not_ticked_is_not_granted_and_is_asked_for_the_next_time(app):
    shown = await app.call("GET", app.authorize_path())
    challenge = shown.fields["challenge"]
    await app.form("/login", {"challenge": challenge, "creator": app.sandbox.world.first_creator.uuid})
    answer = await app.form(
        "/consent", {"challenge": challenge, "decision": "allow", "grant read:chat": "on"}
    )
    tokens = (await app.exchange(answer.fields["code"])).json
    assert "write:chat" not in tokens["scope"].split()
    fan = next(iter(app.sandbox.world.first_creator.chats))
    refused = await app.api("POST", f"/chats/{fan}/message", tokens["access_token"], {"text": "hello"})
    assert refused.status == 403
    again = await app.call("GET", app.authorize_path())
    page = await app.call("GET", again.location)
    assert page.status == 200
    assert b"write:chat" in page.body


async def test_the_id_token_of_a_refresh_is_about_the_same_person_and_sign_in(app):
    def claims(tokens):
        _, payload, _ = tokens["id_token"].split(".")
        return json.loads(base64.urlsafe_b64decode(payload + "=="))

    tokens = await app.connect(nonce="n-0S6_WzA2Mj")
    await app.control("clock", advance=5)
    before, after = claims(tokens), claims((await app.refresh(tokens["refresh_token"])).json)
    assert (before["sub"], before["auth_time"]) == (after["sub"], after["auth_time"])
    assert after["iat"] - before["iat"] >= 5
    assert after["at_hash"] != before["at_hash"]
