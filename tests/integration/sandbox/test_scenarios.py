"""What a scenario says goes wrong goes wrong over sockets: answers, deliveries, and the world itself."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from fankeep import verify_webhook
from fankeep.sandbox import Switches, TokenFormat, parse_scenario

SLACK = 60


@pytest.fixture
async def follow(launch):
    """Starts a sandbox that follows the text of a scenario."""

    async def start(text, **settings):
        return await launch(scenario=parse_scenario(text), **settings)

    return start


async def settled(app):
    """The deliveries once each is done."""
    async with asyncio.timeout(30):
        while True:
            rows = await app.show("deliveries")
            if all(row["done"] for row in rows):
                return rows
            await asyncio.sleep(0.01)


def signature_of(request):
    headers, _ = request
    return dict(part.split("=", 1) for part in headers["x-fanvue-signature"].split(","))


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def is_signed(request, secret):
    parts = signature_of(request)
    digest = hmac.new(secret.encode(), parts["t"].encode() + b"." + request[1], hashlib.sha256)
    return hmac.compare_digest(digest.hexdigest(), parts["v0"])


async def test_the_third_refresh_is_the_one_that_goes_wrong(follow):
    app = await follow('[[fault]]\nkind = "status"\nstatus = 502\ngrant_type = "refresh_token"\nskip = 2')
    tokens = await app.connect()
    statuses = []
    for _ in range(4):
        answer = await app.refresh(tokens["refresh_token"])
        statuses.append(answer.status)
        tokens = answer.json if answer.status == 200 else tokens
    assert statuses == [200, 200, 502, 200]
    entries = await app.show("journal?grant_type=refresh_token")
    assert [entry.get("fault") for entry in entries] == [None, None, "status", None]


async def test_answers_go_wrong_from_a_time_on_and_until_another(follow):
    app = await follow(
        '[[fault]]\ntarget = "api"\nkind = "firewall"\nmoment = "before"\n'
        'count = "all"\nstart = 60\nend = 120'
    )
    token = (await app.connect())["access_token"]
    statuses = []
    for _ in range(3):
        statuses.append((await app.api("GET", "/users/me", token)).status)
        await app.control("clock", advance=60)
    assert statuses == [200, 403, 200]
    assert (await app.show("state"))["faults"] == []


async def test_one_operation_fails_in_every_way_that_the_api_has(follow):
    statuses = (401, 403, 429, 500, 520)
    app = await follow(
        "".join(
            '[[fault]]\ntarget = "api"\noperation = "getCurrentUser"\nkind = "status"\nseconds = 9\n'
            f"status = {status}\n"
            for status in statuses
        )
    )
    token = (await app.connect())["access_token"]
    assert (await app.api("GET", "/chats", token)).status == 200
    answers = [await app.api("GET", "/users/me", token) for _ in statuses]
    assert [answer.status for answer in answers] == list(statuses)
    assert answers[0].json == {"error": "Unauthorized"}
    limited = answers[2].headers
    assert (limited["retry-after"], limited["x-ratelimit-remaining"]) == ("9", "0")
    assert (await app.api("GET", "/users/me", token)).status == 200


@pytest.mark.parametrize("target", ["token", "api"])
async def test_a_slow_answer_comes_whole_and_late(follow, target):
    app = await follow(f'[[fault]]\ntarget = "{target}"\nkind = "slow"\nseconds = 0.2\nskip = 1')
    tokens = await app.connect()
    quick = None if target == "token" else await app.api("GET", "/users/me", tokens["access_token"])
    began = time.monotonic()
    if target == "token":
        late = await app.refresh(tokens["refresh_token"])
    else:
        late = await app.api("GET", "/users/me", tokens["access_token"])
    assert time.monotonic() - began >= 0.2
    assert late.status == 200
    assert quick is None or late.json == quick.json
    assert [entry["fault"] for entry in await app.show("journal") if entry.get("fault")] == ["slow"]


async def test_a_revocation_can_fail_without_an_effect(follow):
    app = await follow('[[fault]]\ntarget = "revoke"\nkind = "status"\nmoment = "before"')
    token = (await app.connect())["refresh_token"]
    statuses = [
        (await app.form("/oauth2/revoke", {"token": token}, app.basic)).status,
        (await app.refresh(token)).status,
    ]
    assert statuses == [503, 200]


async def test_a_fault_of_the_control_api_is_the_same_fault(app):
    shown = await app.control("faults", kind="late", topic="tip.new", seconds=1, skip=2, count="all")
    assert shown == {
        "target": "delivery",
        "kind": "late",
        "topic": "tip.new",
        "skip": 2,
        "start": 0.0,
        "end": None,
        "chance": 1.0,
        "seconds": 1.0,
        "remaining": None,
        "strikes": 0,
    }
    assert (await app.show("state"))["faults"] == [shown]


async def test_a_fault_of_the_control_panel_is_the_same_fault(app):
    page = (await app.call("GET", "/panel")).body.decode()
    assert 'name="kind"><option>duplicated</option>' in page
    answer = await app.form("/panel/faults", {"kind": "duplicated", "count": "2"})
    assert answer.status == 303
    assert "2 \N{MULTIPLICATION SIGN} delivery" in (await app.call("GET", "/panel")).body.decode()
    (fault,) = (await app.show("state"))["faults"]
    assert (fault["target"], fault["kind"], fault["remaining"]) == ("delivery", "duplicated", 2)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"kind": "lots"}, "kind: expected one of"),
        ({"kind": "lost", "cuont": 1}, "'cuont': there is no such key"),
        ({"kind": "consent_withdrawn", "creator": "nobody"}, "no creator of that name"),
    ],
)
async def test_a_fault_that_is_none_is_refused_by_the_control_api(app, wanted, message):
    sent = {"Content-Type": "application/json"}
    answer = await app.call("POST", "/sandbox/faults", json.dumps(wanted), sent)
    assert answer.status == 400
    assert message in answer.json["message"]


async def test_a_delivery_that_is_reordered_arrives_after_those_behind_it(follow, receiver):
    app = await follow('[[fault]]\nkind = "reordered"\nbehind = 2\nseconds = 60')
    await app.control("endpoints", url=receiver.url)
    first = (await app.control("fire", event="tip.new"))["deliveries"][0]["event_id"]
    others = [(await app.control("fire", event="tip.new"))["deliveries"][0]["event_id"] for _ in range(2)]
    rows = await settled(app)
    came = [headers["x-fanvue-event-id"] for headers, _ in receiver.requests]
    assert sorted(came[:2]) == sorted(others)
    assert came[2:] == [first]
    assert [row["fault"] for row in rows] == ["reordered", None, None]
    assert [row["attempts"][0]["status"] for row in rows] == [200, 200, 200]


async def test_a_reordered_delivery_that_nothing_follows_goes_at_last(follow, receiver):
    app = await follow('[[fault]]\nkind = "reordered"\nseconds = 0.05')
    await app.control("endpoints", url=receiver.url)
    await app.control("fire", event="tip.new", wait=True)
    assert len(receiver.requests) == 1


async def test_a_delivery_that_is_duplicated_arrives_so_many_times_under_one_id(follow, receiver):
    app = await follow('[[fault]]\nkind = "duplicated"\ncopies = 4\ntopic = "tip.new"')
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    await app.control("fire", event="purchase.new", wait=True)
    answer = await app.control("fire", event="tip.new", wait=True)
    assert len({row["event_id"] for row in answer["deliveries"]}) == 1
    assert len(answer["deliveries"]) == 4
    assert len(receiver.requests) == 5
    assert len({body for _, body in receiver.requests}) == 2
    assert all(is_signed(request, secret) for request in receiver.requests)


async def test_a_late_delivery_waits_and_is_signed_when_it_goes(follow, receiver):
    app = await follow('[[fault]]\nkind = "late"\nseconds = 1')
    await app.control("endpoints", url=receiver.url)
    await app.control("fire", event="tip.new", wait=True)
    (row,) = await settled(app)
    due = row["created_at"] + 0.99
    assert row["attempts"][0]["at"] >= due
    assert int(signature_of(receiver.requests[0])["t"]) >= int(due)


@pytest.mark.parametrize("kind", ["unsigned", "wrong", "tampered", "stale", "future"])
async def test_a_spoiled_signature_is_that_of_the_first_attempt_and_the_retry_is_good(follow, receiver, kind):
    app = await follow(f'[[fault]]\nkind = "{kind}"', retry_delays=(0.01,))
    receiver.statuses = [401]
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    answer = await app.control("fire", event="tip.new", wait=True)
    assert answer["deliveries"][0]["forge"] is None
    (row,) = await settled(app)
    assert [attempt["status"] for attempt in row["attempts"]] == [401, 200]
    spoiled, good = receiver.requests
    now = app.sandbox.now()
    headers, body = good
    assert verify_webhook(body, headers["x-fanvue-signature"], secret, now=now, tolerance=SLACK)
    if kind in ("stale", "future"):
        assert is_signed(spoiled, secret)
        assert abs(int(signature_of(spoiled)["t"]) - now) > 3600 - SLACK
    elif kind != "unsigned":
        assert not is_signed(spoiled, secret)
    else:
        assert "x-fanvue-signature" not in spoiled[0]
    entries = await app.show("journal?kind=delivery")
    assert [entry["fault"] for entry in entries] == [kind, None]


async def test_a_wrong_clock_shows_in_every_time_that_the_sandbox_tells(follow, receiver):
    app = await follow(
        '[[fault]]\nkind = "clock_skew"\nseconds = -7200\n'
        '[[fault]]\nkind = "clock_skew"\nseconds = 0\nstart = 100\n',
        switches=Switches(token_format=TokenFormat.JWT),
    )
    right = app.sandbox.now()
    tokens = await app.connect()
    await app.control("endpoints", url=receiver.url)
    await app.control("fire", event="creator.message.received", wait=True)
    answer = await app.api("GET", "/users/me", tokens["access_token"])
    claims, access_claims = claims_of(tokens["id_token"]), claims_of(tokens["access_token"])
    event = json.loads(receiver.requests[0][1])
    told = [
        int(signature_of(receiver.requests[0])["t"]),
        datetime.fromisoformat(event["timestamp"]).timestamp(),
        access_claims["exp"] - 3600,
        parsedate_to_datetime(answer.headers["date"]).timestamp(),
        claims["iat"],
        claims["exp"] - 3600,
        int(answer.headers["x-ratelimit-reset"]) - 60,
    ]
    assert all(abs(time - (right - 7200)) < SLACK for time in told), (told, right)
    assert (await app.refresh(tokens["refresh_token"])).status == 200
    await app.control("clock", advance=100)
    answer = await app.api("GET", "/users/me", tokens["access_token"])
    assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - right - 100) < SLACK
    assert (await app.show("state"))["clock_skew"] == 0


async def test_the_secret_is_reset_just_before_the_second_refresh(follow):
    app = await follow(
        '[[fault]]\nkind = "secret_reset"\ntarget = "token"\ngrant_type = "refresh_token"\nskip = 1'
    )
    tokens = await app.connect()
    first = await app.refresh(tokens["refresh_token"])
    second = await app.refresh(first.json["refresh_token"])
    assert (first.status, second.status, second.json["error"]) == (200, 401, "invalid_client")
    app.client_secret = (await app.show("needles"))["client_secret"][-1]
    assert (await app.refresh(first.json["refresh_token"])).status == 200
    incidents = [entry.get("incident") for entry in await app.show("journal?kind=token")]
    assert incidents == [None, None, "secret_reset", None]


async def test_a_creator_takes_the_consent_back_between_two_calls(follow):
    app = await follow('[[fault]]\nkind = "consent_withdrawn"\ntarget = "api"\nskip = 1')
    tokens = await app.connect()
    statuses = [(await app.api("GET", "/users/me", tokens["access_token"])).status for _ in range(2)]
    assert statuses == [200, 401]
    assert (await app.refresh(tokens["refresh_token"])).json["error"] == "invalid_grant"


async def test_a_scope_leaves_the_app_after_a_while(follow):
    app = await follow('[[fault]]\nkind = "scopes_removed"\nscopes = ["read:chat"]\nstart = 30')
    tokens = (await app.refresh((await app.connect())["refresh_token"])).json
    await app.control("clock", advance=30)
    answer = await app.refresh(tokens["refresh_token"])
    assert (answer.status, answer.json["error"]) == (400, "invalid_scope")


async def test_access_tokens_expire_early(follow):
    app = await follow('[[fault]]\nkind = "tokens_expired"\ntarget = "api"\nskip = 1')
    tokens = await app.connect()
    statuses = [(await app.api("GET", "/users/me", tokens["access_token"])).status for _ in range(2)]
    assert statuses == [200, 401]
    assert (await app.refresh(tokens["refresh_token"])).status == 200


async def test_an_incident_can_come_with_a_delivery(follow, receiver):
    app = await follow('[[fault]]\nkind = "clock_skew"\ntarget = "delivery"\nseconds = 7200')
    await app.control("endpoints", url=receiver.url)
    right = app.sandbox.now()
    await app.control("fire", event="tip.new", wait=True)
    assert abs(int(signature_of(receiver.requests[0])["t"]) - right - 7200) < SLACK


async def test_a_scenario_with_a_creator_who_does_not_exist_does_not_start(follow):
    with pytest.raises(Exception, match="no creator of that name"):
        await follow('[[fault]]\nkind = "consent_withdrawn"\ncreator = "nobody"')
