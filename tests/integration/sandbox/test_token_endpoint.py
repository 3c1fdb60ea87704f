"""Rotation, reuse, revocation, and everything that can go wrong with an answer, over sockets."""

import asyncio
import http.client
import json

import pytest

from fankeep.sandbox.journal import fingerprint


async def until(condition):
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.005)


async def test_refreshing_rotates_and_the_old_access_token_stops_working(app):
    first = await app.connect()
    second = (await app.refresh(first["refresh_token"])).json
    assert second["refresh_token"] != first["refresh_token"]
    assert (await app.api("GET", "/users/me", first["access_token"])).status == 401
    assert (await app.api("GET", "/users/me", second["access_token"])).status == 200


async def test_reuse_after_the_grace_ends_the_grant(app):
    first = await app.connect()
    second = (await app.refresh(first["refresh_token"])).json
    await app.control("clock", advance=29)
    assert (await app.refresh(first["refresh_token"])).status == 200
    await app.control("clock", advance=1)
    refused = await app.refresh(first["refresh_token"])
    assert refused.status == 400
    assert refused.json["error"] == "invalid_grant"
    assert refused.json["error_description"].endswith("The refresh token was already used.")
    assert (await app.api("GET", "/users/me", second["access_token"])).status == 401
    assert [grant["ended"] for grant in await app.show("grants")] == ["reuse"]


async def test_the_journal_knows_every_use_of_a_refresh_token(app):
    first = await app.connect()
    await app.refresh(first["refresh_token"])
    await app.refresh(first["refresh_token"])
    uses = await app.show(f"journal?refresh_token={fingerprint(first['refresh_token'])}")
    assert [(entry["token"], entry["use"], entry["issued"], entry["outcome"]) for entry in uses] == [
        (1, 1, 2, "ok"),
        (1, 2, 3, "ok"),
    ]
    assert len(await app.show("journal?kind=token&grant_type=refresh_token")) == 2


async def test_the_needles_are_all_there(app):
    tokens = await app.connect(nonce="n-0S6_WzA2Mj")
    renewed = (await app.refresh(tokens["refresh_token"])).json
    needles = await app.show("needles")
    assert needles["client_secret"] == [app.client_secret]
    assert needles["code_verifier"] == [app.verifier]
    assert needles["state"] == [app.state]
    assert needles["nonce"] == ["n-0S6_WzA2Mj"]
    assert needles["refresh_token"] == [tokens["refresh_token"], renewed["refresh_token"]]
    assert needles["access_token"] == [tokens["access_token"], renewed["access_token"]]
    assert needles["id_token"] == [tokens["id_token"], renewed["id_token"]]
    assert len(needles["authorization_code"]) == 1


async def test_a_held_answer_comes_after_the_rotation_and_only_when_released(app):
    tokens = await app.connect()
    await app.control("hold", grant_type="refresh_token")
    waiting = asyncio.create_task(app.refresh(tokens["refresh_token"]))

    async def is_held():
        return len(await app.show("held")) == 1

    await until(is_held)
    grant = (await app.show("grants"))[0]
    assert [token["uses"] for token in grant["refresh_tokens"]] == [1, 0]
    assert not waiting.done()
    entry = (await app.show("journal?kind=token&grant_type=refresh_token"))[0]
    assert entry["status"] is None
    assert (await app.control("release"))["released"] == 1
    answer = await waiting
    assert answer.status == 200
    assert (await app.refresh(answer.json["refresh_token"])).status == 200


async def test_a_repeat_while_the_first_answer_is_held_gets_its_own_pair(app):
    tokens = await app.connect()
    await app.control("hold")
    waiting = asyncio.create_task(app.refresh(tokens["refresh_token"]))

    async def is_held():
        return len(await app.show("held")) == 1

    await until(is_held)
    repeat = await app.refresh(tokens["refresh_token"])
    assert repeat.status == 200
    await app.control("release")
    assert (await waiting).json["refresh_token"] != repeat.json["refresh_token"]


async def test_a_client_that_gave_up_on_a_held_answer_repeats_within_the_grace(app):
    tokens = await app.connect()
    await app.control("hold")

    async def is_held():
        return len(await app.show("held")) == 1

    async with app.giving_up_on_a_refresh(tokens["refresh_token"]):
        await until(is_held)
    await app.control("release")
    assert await app.show("held") == []
    repeat = await app.refresh(tokens["refresh_token"])
    assert (await app.api("GET", "/users/me", repeat.json["access_token"])).status == 200
    uses = await app.show("journal?grant_type=refresh_token")
    assert [entry["use"] for entry in uses] == [1, 2]


async def test_many_refreshes_at_once_within_the_grace_all_get_living_pairs(app):
    token = (await app.connect())["refresh_token"]
    answers = await asyncio.gather(*(app.refresh(token) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 8
    grant = (await app.show("grants"))[0]
    assert grant["live_refresh_tokens"] == 8


@pytest.mark.parametrize(("moment", "uses"), [("before", 0), ("after", 1)])
async def test_a_failing_answer_can_come_before_or_after_the_rotation(app, moment, uses):
    tokens = await app.connect()
    await app.control("faults", kind="status", status=502, moment=moment)
    assert (await app.refresh(tokens["refresh_token"])).status == 502
    grant = (await app.show("grants"))[0]
    assert grant["refresh_tokens"][0]["uses"] == uses
    assert (await app.refresh(tokens["refresh_token"])).status == 200


async def test_a_truncated_answer_breaks_off_after_the_rotation(app):
    tokens = await app.connect()
    await app.control("faults", kind="truncated")
    with pytest.raises(http.client.IncompleteRead):
        await app.refresh(tokens["refresh_token"])
    assert (await app.show("grants"))[0]["refresh_tokens"][0]["uses"] == 1


async def test_a_lost_answer_never_comes(app):
    tokens = await app.connect()
    await app.control("faults", kind="lost")

    async def is_used():
        return (await app.show("grants"))[0]["refresh_tokens"][0]["uses"] == 1

    async with app.giving_up_on_a_refresh(tokens["refresh_token"]) as answer:
        await until(is_used)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.read(1), 0.2)


async def test_a_malformed_a_slow_a_firewalled_and_a_racing_answer(app):
    token = (await app.connect())["refresh_token"]
    await app.control("faults", kind="malformed")
    with pytest.raises(json.JSONDecodeError):
        _ = (await app.refresh(token)).json
    await app.control("faults", kind="slow", seconds=0.05)
    assert (await app.refresh(token)).status == 200
    await app.control("faults", kind="firewall", moment="before")
    page = await app.refresh(token)
    assert (page.status, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    await app.control("faults", kind="race", moment="before")
    assert (await app.refresh(token)).json["error"] == "invalid_request"


async def test_a_code_is_good_once_and_its_reuse_kills_the_tokens(app):
    code = await app.code()
    tokens = (await app.exchange(code)).json
    again = await app.exchange(code)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert (await app.api("GET", "/users/me", tokens["access_token"])).status == 401


async def test_a_code_expires_after_ten_minutes(app):
    code = await app.code()
    await app.control("clock", advance=600)
    assert (await app.exchange(code)).json["error"] == "invalid_grant"


async def test_the_verifier_has_to_match(app):
    assert (await app.exchange(await app.code(), code_verifier="x" * 43)).json["error"] == "invalid_grant"


async def test_the_secret_in_the_form_and_a_reset_secret_are_invalid_clients(app):
    tokens = await app.connect()
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    posted = await app.form("/oauth2/token", fields)
    assert (posted.status, posted.json["error"]) == (401, "invalid_client")
    new = (await app.control("reset-secret"))["client_secret"]
    assert (await app.refresh(tokens["refresh_token"])).json["error"] == "invalid_client"
    assert (await app.show("grants"))[0]["refresh_tokens"][0]["uses"] == 0
    app.client_secret = new
    assert (await app.refresh(tokens["refresh_token"])).status == 200


async def test_unknown_grant_types_and_doubled_fields_are_refused(app):
    answer = await app.form("/oauth2/token", {"grant_type": "password"}, app.basic)
    assert answer.json["error"] == "unsupported_grant_type"
    doubled = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")]
    assert (await app.form("/oauth2/token", doubled, app.basic)).json["error"] == "invalid_request"


async def test_revocation_ends_a_living_grant_and_ignores_what_is_spent_or_unknown(app):
    first = await app.connect()
    second = (await app.refresh(first["refresh_token"])).json
    for spent in (first["refresh_token"], "ory_rt_unknown"):
        assert (await app.form("/oauth2/revoke", {"token": spent}, app.basic)).status == 200
    assert (await app.show("grants"))[0]["live"]
    assert (await app.form("/oauth2/revoke", {"token": second["refresh_token"]}, app.basic)).status == 200
    assert not (await app.show("grants"))[0]["live"]
    assert (await app.api("GET", "/users/me", second["access_token"])).status == 401


async def test_a_withdrawn_consent_is_an_invalid_grant_and_a_401_and_is_asked_for_again(app):
    tokens = await app.connect()
    assert (await app.control("withdraw"))["ended"] == 1
    assert (await app.refresh(tokens["refresh_token"])).json["error"] == "invalid_grant"
    assert (await app.api("GET", "/users/me", tokens["access_token"])).status == 401
    assert not app.sandbox.consents.creators_of(app.client_id)


async def test_expired_access_tokens_are_refreshed(app):
    tokens = await app.connect()
    assert (await app.control("expire"))["expired"] == 1
    assert (await app.api("GET", "/users/me", tokens["access_token"])).status == 401
    renewed = (await app.refresh(tokens["refresh_token"])).json
    assert (await app.api("GET", "/users/me", renewed["access_token"])).status == 200
