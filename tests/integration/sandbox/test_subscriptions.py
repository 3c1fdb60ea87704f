"""Retired and deprecated versions, and webhook subscriptions that an app makes through the API."""

import hashlib
import hmac

import pytest

from fankeep.sandbox import Switches
from fankeep.sandbox.settings import SubscriptionScope


async def test_a_retired_version_is_answered_with_410_and_the_next_one(app):
    token = (await app.connect())["access_token"]
    answer = await app.api("GET", "/users/me", token, **{"X-Fanvue-API-Version": "2025-01-15"})
    assert (answer.status, answer.json["nextVersion"]) == (410, "2025-06-26")


async def test_a_deprecated_version_says_when_it_ends_only_if_switched_on(app, launch):
    token = (await app.connect())["access_token"]
    assert "sunset" not in (await app.api("GET", "/users/me", token)).headers
    other = await launch(switches=Switches(version_deprecated=True))
    token = (await other.connect())["access_token"]
    headers = (await other.api("GET", "/users/me", token)).headers
    assert headers["deprecation"].endswith("GMT")
    assert headers["sunset"].endswith("GMT")
    assert headers["x-fanvue-api-next-version"]


@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_a_subscription_has_its_own_secret_shown_once_and_hears_of_its_creator_only(
    app, receiver, prefix
):
    token = (await app.connect())["access_token"]
    other = list(app.sandbox.world.creators.values())[1]
    await app.connect(other.handle)
    path = f"{prefix}/webhooks/subscriptions"
    made = await app.api("POST", path, token, {"url": receiver.url, "events": ["tip.new"]})
    assert made.status == 201
    secret = made.json["signingSecret"]
    assert made.headers["x-ratelimit-remaining"] == "199"
    listed = (await app.api("GET", path, token)).json["data"]
    assert [set(row) for row in listed] == [{"id", "url", "events"}]
    for page in ("", f"/endpoints/{made.json['id']}"):
        shown = await app.call("GET", f"/developer/{app.client_id}{page}")
        assert receiver.url in shown.body.decode()
        assert secret not in shown.body.decode()

    await app.control("act", do="tip", creator=other.handle)
    await app.control("act", do="tip", wait=True)
    ((headers, body),) = await receiver.wait(1)
    at, _, signature = headers["x-fanvue-signature"].removeprefix("t=").partition(",v0=")
    assert signature == hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()

    assert (await app.api("DELETE", f"{path}/{made.json['id']}", token)).status == 204
    assert (await app.api("DELETE", f"{path}/{made.json['id']}", token)).status == 404


async def test_another_creators_subscription_is_not_ones_own(app, receiver):
    token = (await app.connect())["access_token"]
    other = list(app.sandbox.world.creators.values())[1]
    theirs = (await app.connect(other.handle))["access_token"]
    path = "/webhooks/subscriptions"
    made = (await app.api("POST", path, token, {"url": receiver.url, "events": ["tip.new"]})).json
    assert (await app.api("GET", path, theirs)).json == {"data": []}
    assert (await app.api("DELETE", f"{path}/{made['id']}", theirs)).status == 404


async def test_a_subscription_that_makes_no_sense_or_lacks_a_scope_is_refused(app, launch, receiver):
    token = (await app.connect())["access_token"]
    path = "/webhooks/subscriptions"
    for body in (
        {},
        {"url": receiver.url, "events": ["x"]},
        {"url": "http://a.example", "events": ["tip.new"]},
    ):
        assert (await app.api("POST", path, token, body)).status == 400
    assert (await app.api("GET", path, "nonsense")).status == 401
    bare = (await app.connect(scope="openid offline_access"))["access_token"]
    assert (await app.api("GET", path, bare)).status == 403
    for needed in SubscriptionScope:
        picky = await launch(switches=Switches(subscription_scope=needed))
        for granted in ("read:self", "read:creator"):
            token = (await picky.connect(scope=f"openid {granted}"))["access_token"]
            assert (await picky.api("GET", path, token)).status == (200 if granted == needed else 403)
    private = await launch(switches=Switches(subscriptions_refused=True))
    token = (await private.connect())["access_token"]
    body = {"url": receiver.url, "events": ["tip.new"]}
    assert (await private.api("POST", path, token, body)).status == 400
