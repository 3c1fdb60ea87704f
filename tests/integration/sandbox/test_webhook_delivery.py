"""Webhooks over sockets: signed, retried, and told of what happens."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from fankeep.errors import ConfigurationError
from fankeep.sandbox import (
    AppRegistration,
    ControlClient,
    Forge,
    SecretReading,
    Switches,
    Trigger,
    send_directly,
    send_through_sandbox,
)
from fankeep.secret import Secret
from fankeep.transport import Transport


def is_signed(request, secret):
    headers, body = request
    parts = dict(part.split("=", 1) for part in headers["x-fanvue-signature"].split(","))
    digest = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, parts["v0"])


async def test_a_test_event_arrives_signed(app, receiver):
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    answer = await app.control("fire", event="creator.message.received", wait=True)
    (request,) = receiver.requests
    assert is_signed(request, secret)
    assert request[0]["content-type"] == "application/json"
    body = json.loads(request[1])
    assert body["type"] == "creator.message.received"
    delivery = answer["deliveries"][0]
    assert delivery["event_id"] == body["id"] == request[0]["x-fanvue-event-id"]
    assert delivery["succeeded"]
    assert secret in (await app.show("needles"))["signing_secret"]


async def test_a_failing_receiver_gets_the_same_event_again_with_a_fresh_signature(launch, receiver):
    app = await launch(retry_delays=(0.01, 0.01, 0.01))
    receiver.statuses = [500, 302]
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    receiver.open.clear()
    await app.control("fire", event="checkout_link.payment.succeeded")
    await receiver.wait(1)
    await app.control("clock", advance=10)
    receiver.open.set()
    requests = await receiver.wait(3)
    assert len({json.loads(body)["id"] for _, body in requests}) == 1
    assert requests[0][0]["x-fanvue-signature"] != requests[1][0]["x-fanvue-signature"]
    assert all(is_signed(request, secret) for request in requests)
    (delivery,) = app.sandbox.endpoints.find(event_id=json.loads(requests[0][1])["id"])
    await app.sandbox.sender.settle([delivery], attempts=3)
    journal = await app.show("journal?kind=delivery")
    assert [(entry["attempt"], entry["status"]) for entry in journal] == [(1, 500), (2, 302), (3, 200)]


async def test_retries_end_with_the_schedule(launch, receiver):
    app = await launch(retry_delays=(0.01,), switches=Switches(resign_retries=False))
    receiver.statuses = [500] * 9
    await app.control("endpoints", url=receiver.url)
    event = (await app.control("fire", event="tip.new", wait=True))["deliveries"][0]["event_id"]
    await receiver.wait(2)
    (delivery,) = app.sandbox.endpoints.find(event_id=event)
    await app.sandbox.sender.settle([delivery], attempts=3)
    assert [attempt.status for attempt in delivery.attempts] == [500, 500]
    assert not delivery.succeeded
    assert len({headers["x-fanvue-signature"] for headers, _ in receiver.requests}) == 1


async def test_a_dead_receiver_is_no_answer(launch):
    app = await launch(retry_delays=())
    await app.control("endpoints", url="http://127.0.0.1:9/x")
    answer = await app.control("fire", event="follow.new", wait=True)
    assert answer["deliveries"][0]["attempts"][0]["status"] is None


async def test_copies_and_resends_keep_the_event_id(app, receiver):
    await app.control("endpoints", url=receiver.url)
    fired = await app.control("fire", event="creator.follow.created", count=2, copies=2, wait=True)
    event_ids = {delivery["event_id"] for delivery in fired["deliveries"]}
    assert (len(fired["deliveries"]), len(event_ids)) == (4, 2)
    await app.control("resend", event_id=event_ids.pop(), wait=True)
    assert len(receiver.requests) == 5


async def test_what_a_fan_does_is_told_to_connected_apps_only(app, receiver):
    await app.control("endpoints", url=receiver.url)
    assert (await app.control("act", do="message", text="hi"))["deliveries"] == []
    await app.connect()
    for deed, topics in {
        "message": ["message.received", "creator.message.received"],
        "follow": ["follow.new", "creator.follow.created"],
        "subscribe": ["subscription.new", "creator.subscription.activated", "creator.payment.succeeded"],
        "tip": ["tip.new", "creator.payment.succeeded"],
        "purchase": ["purchase.new", "creator.payment.succeeded"],
    }.items():
        told = await app.control("act", do=deed, text="hello you", price=700, wait=True)
        assert [delivery["topic"] for delivery in told["deliveries"]] == topics
    texts = [body for _, body in receiver.requests if b"hello you" in body]
    assert len(texts) == 2


async def test_what_the_api_does_is_told(app, receiver):
    tokens = await app.connect()
    fan = next(iter(app.sandbox.world.first_creator.chats.values())).fan
    app.sandbox.life.fan_writes(app.sandbox.world.first_creator, fan, "unread", now=app.sandbox.now())
    topics = ["message.read", "creator.message.read", "creator.message.sent"]
    await app.control("endpoints", url=receiver.url, topics=topics)
    await app.api("PATCH", f"/chats/{fan.uuid}", tokens["access_token"], {"isRead": True})
    await app.api("POST", f"/chats/{fan.uuid}/message", tokens["access_token"], {"text": "hello"})
    requests = await receiver.wait(3)
    bodies = [json.loads(body) for _, body in requests]
    assert sorted(body.get("type", "flat") for body in bodies) == [
        "creator.message.read",
        "creator.message.sent",
        "flat",
    ]
    assert next(body for body in bodies if "type" not in body)["readMessagesCount"] >= 1


async def test_an_endpoint_that_is_off_or_not_subscribed_hears_nothing(app, receiver):
    await app.connect()
    made = await app.control("endpoints", url=receiver.url, topics=["tip.new"])
    assert (await app.control("act", do="message"))["deliveries"] == []
    await app.control("endpoints/edit", id=made["id"], enabled=False)
    assert (await app.control("act", do="tip"))["deliveries"] == []
    assert (await app.control("endpoints/remove", id=made["id"]))["removed"]


async def test_forged_events_are_sent_once_and_marked(app, receiver):
    await app.control("endpoints", url=receiver.url)
    receiver.statuses = [401] * 9
    for forge in Forge:
        answer = await app.control("fire", event="message.received", forge=forge.value, wait=True)
        assert answer["deliveries"][0]["forge"] == forge.value
    await receiver.wait(7)
    assert "x-fanvue-signature" not in receiver.requests[0][0]
    assert receiver.requests[-1] == receiver.requests[-2]


async def test_trigger_goes_through_a_sandbox_or_by_itself(app, receiver):
    transport = Transport(https_only=False)
    try:
        secret = (await app.control("endpoints", url=receiver.url))["secret"]
        control = ControlClient(app.sandbox.base_url, transport)
        through = await send_through_sandbox(Trigger("tip.new", count=2), control)
        direct = await send_directly(
            Trigger("creator.message.received", forge=Forge.REPLAY),
            to=receiver.url,
            secret=Secret(secret),
            transport=transport,
        )
    finally:
        await transport.close()
    assert [result.status for result in through] == [200, 200]
    assert [result.status for result in direct] == [200, 200]
    assert len(receiver.requests) == 4
    assert all(is_signed(request, secret) for request in receiver.requests)


@pytest.mark.parametrize(
    ("reading", "decode"),
    [(SecretReading.HEX, bytes.fromhex), (SecretReading.BASE64, base64.b64decode)],
)
async def test_the_signing_secret_can_be_read_in_another_way(launch, receiver, reading, decode):
    app = await launch(switches=Switches(secret_reading=reading))
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    await app.control("fire", event="tip.new", wait=True)
    ((headers, body),) = receiver.requests
    parts = dict(part.split("=", 1) for part in headers["x-fanvue-signature"].split(","))
    key = decode(secret.removeprefix("whsec_"))
    assert hmac.new(key, parts["t"].encode() + b"." + body, "sha256").hexdigest() == parts["v0"]
    assert not is_signed((headers, body), secret)


async def test_a_secret_that_does_not_fit_the_reading_is_refused(launch):
    given = AppRegistration(webhook_secret=Secret("not hex"))
    with pytest.raises(ConfigurationError, match="this signing secret is not whsec_ and hex"):
        await launch(apps=(given,), switches=Switches(secret_reading=SecretReading.HEX))


async def test_one_secret_signs_for_all_endpoints_of_an_app_and_for_no_subscription_or_other_app(
    app, receiver
):
    other = app.sandbox.register_app("another").client_id
    one, same = [(await app.control("endpoints", url=receiver.url))["secret"] for _ in range(2)]
    theirs = (await app.control("endpoints", url=receiver.url, client_id=other))["secret"]
    token = (await app.connect())["access_token"]
    wanted = {"url": receiver.url, "events": ["tip.new"]}
    made = [(await app.api("POST", "/webhooks/subscriptions", token, wanted)).json for _ in range(2)]
    secrets = [one, theirs, *(row["signingSecret"] for row in made)]
    assert same == one
    assert len(set(secrets)) == 4
    await app.control("fire", event="tip.new", wait=True)
    signed = [sum(is_signed(request, secret) for request in receiver.requests) for secret in secrets]
    assert signed == [2, 1, 1, 1]


async def test_deliveries_can_carry_the_headers_of_standard_webhooks_as_well(launch, receiver):
    switches = Switches(standard_headers=True, secret_reading=SecretReading.BASE64)
    app = await launch(switches=switches, retry_delays=(0.01,))
    receiver.statuses = [500]
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    await app.control("fire", event="creator.message.received")
    await app.control("fire", event="creator.message.received", forge="wrong", wait=True)
    requests = await receiver.wait(3)
    ids = []
    for headers, body in requests:
        assert {"x-fanvue-signature", "webhook-id", "webhook-timestamp", "webhook-signature"} <= set(headers)
        assert headers["webhook-timestamp"] in headers["x-fanvue-signature"]
        with suppress(WebhookVerificationError):
            ids.append(Webhook(secret).verify(body, headers)["id"] == headers["webhook-id"])
    assert ids == [True, True]


async def test_a_creators_message_can_come_without_its_text(launch, receiver):
    app = await launch(switches=Switches(message_text=False))
    await app.connect()
    await app.control("endpoints", url=receiver.url, topics=["message.received", "creator.message.received"])
    await app.control("act", do="message", text="only for some", wait=True)
    bodies = {headers["x-fanvue-topic"]: json.loads(body) for headers, body in receiver.requests}
    assert "text" not in bodies["creator.message.received"]["data"]
    assert bodies["message.received"]["message"]["text"] == "only for some"
