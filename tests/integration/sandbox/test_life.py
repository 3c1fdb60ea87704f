"""What fans do and what time brings: it shows in every view of the API, and the webhooks tell of it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox import EventScopes, Switches

DAY = 86_400


@pytest.fixture
def creator(app):
    return app.sandbox.world.first_creator


@pytest.fixture
async def hear(app, receiver, call):
    """Does something as a fan; answers the topics and data of what was told, once it has arrived."""
    await app.control("endpoints", url=receiver.url)

    async def act(deed, **how):
        receiver.requests.clear()
        told = await app.control("act", do=deed, wait=True, **how)
        assert all(delivery["succeeded"] for delivery in told["deliveries"])
        bodies = [json.loads(body) for _, body in receiver.requests]
        return {
            body.get("type", headers["x-fanvue-topic"]): body.get("data", body)
            for (headers, _), body in zip(receiver.requests, bodies, strict=True)
        }

    return act


async def until(condition):
    """Wait for something that another task brings about."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def schedule(app, call, seconds):
    at = datetime.fromtimestamp(app.sandbox.now(), UTC) + timedelta(seconds=seconds)
    body = {
        "text": "good morning",
        "includedLists": {"smartListUuids": ["followers"]},
        "scheduledAt": at.isoformat(),
    }
    status, made = await call("POST", "/chats/mass-messages", body)
    assert status == 201
    return made


async def test_a_scheduled_mass_message_goes_out_when_the_clock_gets_there(app, call, receiver, creator):
    await app.control("endpoints", url=receiver.url, topics=["creator.message.sent"])
    made = await schedule(app, call, 3600)
    assert (await call("GET", "/chats/mass-messages"))[1]["data"][0]["status"] == "SCHEDULED"
    stranger = next(fan for fan in app.sandbox.world.fans.values() if fan not in creator.followers)
    await app.control("act", do="follow", fan=stranger.handle)
    await app.control("clock", advance=1800)
    assert not receiver.requests
    await app.control("clock", advance=1800)
    await until(lambda: len(receiver.requests) == made["recipientCount"] + 1)
    told = {json.loads(body)["data"]["fan"]["uuid"] for _, body in receiver.requests}
    assert told == {fan.uuid for fan in creator.mere_followers}
    assert stranger.uuid in told


async def test_what_a_jump_of_the_clock_brings_has_the_time_when_it_was_due(app, calls, receiver, creator):
    call = await calls()
    topics = ["creator.message.sent", "creator.subscription.renewed", "creator.subscription.deactivated"]
    await app.control("endpoints", url=receiver.url, topics=topics)
    renewing = {one.fan.uuid: one.expires_at for one in creator.subscriptions if one.active and one.renews}
    leaving = {one.fan.uuid: one.expires_at for one in creator.subscriptions if one.active and not one.renews}
    made = await schedule(app, call, 3600)
    at = datetime.fromtimestamp(app.sandbox.now() + 7200, UTC).isoformat()
    _, post = await call("POST", "/posts", {"audience": "subscribers", "text": "soon", "publishAt": at})

    await app.control("clock", advance=70 * DAY)

    await until(lambda: len(receiver.requests) >= made["recipientCount"] + len(renewing) + len(leaving))
    call = await calls()  # the first token has expired meanwhile
    row = (await call("GET", "/chats/mass-messages"))[1]["data"][0]
    assert row["publishedAt"] == row["scheduledAt"]
    assert (await call("GET", f"/posts/{post['uuid']}"))[1]["publishedAt"] == post["publishAt"]
    told = [json.loads(body) for _, body in receiver.requests]
    sent = [event for event in told if event["type"] == topics[0]]
    assert {event["data"]["created_at"] for event in sent} == {row["scheduledAt"]}
    assert {event["timestamp"] for event in sent} == {row["scheduledAt"]}
    fan = sent[0]["data"]["fan"]["uuid"]
    history = (await call("GET", f"/chats/{fan}/messages"))[1]["data"]
    assert history[0]["sentAt"] == row["scheduledAt"]
    for one in creator.subscriptions:
        if one.fan.uuid in leaving:
            assert one.ended_at == leaving[one.fan.uuid]
        if one.fan.uuid in renewing:
            periods = (one.period_start - renewing[one.fan.uuid]) / (30 * DAY)
            assert periods in {1, 2}
            assert app.sandbox.now() < one.expires_at == one.period_start + 30 * DAY
    renewed = [payment for payment in creator.payments if payment.source == "renewal"][-len(renewing) :]
    assert {payment.paid_at for payment in renewed} == {
        one.period_start for one in creator.subscriptions if one.active
    }


async def test_what_is_changed_to_a_time_that_is_past_happens_at_once(app, call):
    made = await schedule(app, call, 3600)
    later = datetime.fromtimestamp(app.sandbox.now() + 3600, UTC).isoformat()
    _, post = await call("POST", "/posts", {"audience": "subscribers", "text": "soon", "publishAt": later})
    past = {"scheduledAt": "2020-01-01T00:00:00Z", "publishAt": "2020-01-01T00:00:00Z"}
    before = app.sandbox.now()
    await call("PATCH", f"/chats/mass-messages/{made['id']}", past)
    await call("PATCH", f"/posts/{post['uuid']}", past)
    assert app.sandbox.world.first_creator.content.mass_messages[made["id"]].sent_at >= before
    assert app.sandbox.world.first_creator.content.posts[post["uuid"]].published_at >= before


async def test_a_scheduled_mass_message_goes_out_without_anybody_asking(app, call, receiver):
    await app.control("endpoints", url=receiver.url, topics=["creator.message.sent"])
    made = await schedule(app, call, 0.3)
    await until(lambda: len(receiver.requests) == made["recipientCount"])


async def test_a_mass_message_counts_who_has_seen_and_bought_it(app, call, creator):
    media = next(iter(creator.content.media))
    body = {
        "text": "look",
        "price": 700,
        "mediaUuids": [media],
        "includedLists": {"smartListUuids": ["followers"]},
    }
    await call("POST", "/chats/mass-messages", body)
    buyer, reader = creator.mere_followers[:2]
    await app.control("act", do="purchase", fan=buyer.handle)
    await app.control("act", do="message", fan=reader.handle)
    row = (await call("GET", "/chats/mass-messages"))[1]["data"][0]
    assert (row["viewCount"], row["purchaseCount"], row["totalRevenue"]) == (2, 1, 700)


async def test_a_period_ends_with_a_renewal_or_with_the_subscription(app, calls, receiver, creator):
    call = await calls()
    renewing = [one.fan.uuid for one in creator.subscriptions if one.active and one.renews]
    leaving = [one.fan.uuid for one in creator.subscriptions if one.active and not one.renews]
    topics = ["creator.subscription.renewed", "creator.subscription.deactivated"]
    await app.control("endpoints", url=receiver.url, topics=topics)
    ended_before = sum(one.ended_at is not None for one in creator.subscriptions)
    await app.control("clock", advance=30 * DAY)
    await until(lambda: len(receiver.requests) == len(renewing) + len(leaving))
    told = {}
    for _, body in receiver.requests:
        event = json.loads(body)
        told.setdefault(event["type"], []).append(event["data"])
    assert {data["purchaser"]["uuid"] for data in told[topics[0]]} == set(renewing)
    assert all(data["expires_at"] > data["current_period_start"] for data in told[topics[0]])
    assert {data["deactivation_reason"] for data in told.get(topics[1], [])} <= {"not_renewed"}
    assert len(told.get(topics[1], [])) == len(leaving)
    call = await calls()  # the first token has expired meanwhile
    listed = (await call("GET", "/subscribers?size=50"))[1]["data"]
    assert {row["uuid"] for row in listed} == set(renewing)
    earned = (await call("GET", "/insights/earnings?source=renewal&size=50"))[1]["data"]
    assert {row["user"]["uuid"] for row in earned} >= set(renewing)
    days, cursor = [], ""
    while cursor is not None:
        page = (await call("GET", f"/insights/subscribers?size=50&cursor={cursor}"))[1]
        days, cursor = days + page["data"], page["nextCursor"]
    assert sum(day["cancelledSubscribersCount"] for day in days) == ended_before + len(leaving)
    assert days[0]["total"] == len(renewing)


async def test_a_fan_subscribes_and_switches_the_renewal_off(app, call, hear, creator):
    fan = creator.mere_followers[0]
    told = await hear("subscribe", fan=fan.handle, price=1499)
    assert set(told) == {"subscription.new", "creator.subscription.activated", "creator.payment.succeeded"}
    begun = told["creator.subscription.activated"]
    switched = await hear("renewal", fan=fan.handle)
    change = switched["creator.subscription.cancel_at_period_end_changed"]
    assert (change["id"], change["cancel_at_period_end"]) == (begun["id"], True)
    insights = (await call("GET", f"/insights/fans/{fan.uuid}"))[1]
    assert (insights["status"], insights["subscription"]["autoRenewalEnabled"]) == ("subscriber", False)
    members = (await call("GET", "/chats/lists/smart/non_renewing?size=50"))[1]["data"]
    assert fan.uuid in [row["uuid"] for row in members]
    assert fan.uuid == (await call("GET", "/subscribers?sortField=subscribedAt"))[1]["data"][0]["uuid"]


async def test_fans_like_comment_tip_and_buy_a_post(app, call, hear, creator):
    post = next(post for post in creator.content.posts.values() if post.price is not None)
    fan = next(f for f in creator.followers if all(like.fan != f.uuid for like in post.likes))
    path = f"/posts/{post.uuid}"
    before = (await call("GET", path))[1]
    unread = (await call("GET", "/chats/unread"))[1]["unreadNotifications"]
    on = {"fan": fan.handle, "post": post.uuid}
    assert list(await hear("like", **on)) == ["creator.post.liked"]
    assert await hear("like", **on) == {}
    assert list(await hear("comment", text="lovely", **on)) == ["creator.post.commented"]
    tip = await hear("tip", price=700, **on)
    assert (tip["tip.new"]["context"], tip["tip.new"]["postUuid"]) == ("post", post.uuid)
    bought = await hear("purchase", **on)
    assert bought["purchase.new"]["postUuid"] == post.uuid
    assert bought["creator.payment.succeeded"]["gross"] == post.price
    after = (await call("GET", path))[1]
    assert after["likesCount"] == before["likesCount"] + 1
    assert after["commentsCount"] == before["commentsCount"] + 1
    assert after["tips"]["totalGross"] == before["tips"]["totalGross"] + 700
    for name in ("likes", "comments", "tips"):
        assert (await call("GET", f"{path}/{name}"))[1]["data"][0]["user"]["uuid"] == fan.uuid
    rows = (await call("GET", "/insights/earnings?size=2"))[1]["data"]
    assert [(row["source"], row["postUuid"]) for row in rows] == [("post", post.uuid), ("tip", post.uuid)]
    notices = (await call("GET", "/notifications?size=4"))[1]["data"]
    assert [row["eventType"] for row in notices] == [9, 11, 6, 7]
    assert {row["originator"]["uuid"] for row in notices} == {fan.uuid}
    assert len((await call("GET", "/notifications?eventType=6"))[1]["data"]) >= 1
    now_unread = (await call("GET", "/chats/unread"))[1]["unreadNotifications"]
    assert now_unread["newPostLike"] == unread["newPostLike"] + 1
    assert now_unread["newPurchase"] == unread["newPurchase"] + 1


async def test_a_repost_is_on_top_of_the_feed_below_what_is_pinned(call):
    posts = (await call("GET", "/posts?size=50"))[1]["data"]
    last = posts[-1]["uuid"]
    await call("POST", f"/posts/{posts[1]['uuid']}/pin")
    assert (await call("POST", f"/posts/{last}/repost"))[0] == 200
    order = [post["uuid"] for post in (await call("GET", "/posts?size=50"))[1]["data"]]
    assert order[:2] == [posts[1]["uuid"], last]


async def test_a_fan_buys_the_message_that_is_named(app, call, creator):
    fan = next(iter(creator.chats.values())).fan
    media = next(iter(creator.content.media))
    offer = {"price": 500, "mediaUuids": [media]}
    first, second = [
        (await call("POST", f"/chats/{fan.uuid}/message", offer))[1]["messageUuid"] for _ in range(2)
    ]
    await app.control("act", do="purchase", fan=fan.handle, message=first)
    rows = (await call("GET", f"/chats/{fan.uuid}/messages"))[1]["data"]
    bought = {row["uuid"]: row["purchasedAt"] is not None for row in rows}
    assert (bought[first], bought[second]) == (True, False)
    for thing in ({"message": first}, {"post": first}):
        body = json.dumps({"do": "purchase", "fan": fan.handle, **thing})
        refused = await app.call("POST", "/sandbox/act", body, {"Content-Type": "application/json"})
        assert refused.status == 400


async def test_a_price_past_what_a_fan_can_pay_is_accepted_and_the_purchase_refused(app, call, creator):
    fan = next(iter(creator.chats.values())).fan
    media = next(iter(creator.content.media))
    for price, expected in ((50_000, 200), (50_001, 400)):
        offer = {"price": price, "mediaUuids": [media]}
        status, sent = await call("POST", f"/chats/{fan.uuid}/message", offer)
        assert status == 201
        body = json.dumps({"do": "purchase", "fan": fan.handle, "message": sent["messageUuid"]})
        bought = await app.call("POST", "/sandbox/act", body, {"Content-Type": "application/json"})
        assert bought.status == expected


async def test_whoever_visits_unnamed_is_new_and_follows(app, hear, call, creator):
    strangers = [fan for fan in app.sandbox.world.fans.values() if fan not in creator.followers]
    assert set(await hear("visit")) == {"follow.new", "creator.follow.created"}
    assert creator.followers[-1] is strangers[0]


async def test_presence_is_told_and_shown(app, call, hear, creator):
    fan = creator.subscribers[0]
    gone = await hear("offline", fan=fan.handle)
    assert gone["creator.fan.presence_changed"]["is_online"] is False
    status = (await call("POST", "/chats/statuses", {"userUuids": [fan.uuid]}))[1][fan.uuid]
    assert (status["isOnline"], status["lastSeenAt"] is None) == (False, False)
    back = await hear("online", fan=fan.handle)
    assert back["creator.fan.presence_changed"]["is_online"] is True


async def test_a_refund_and_a_dispute_name_the_payment_that_went_back(app, call, hear, creator):
    fan = creator.followers[0].handle
    for deed, topic, reason in (
        ("refund", "creator.refund.created", "refund"),
        ("dispute", "creator.dispute.created", "chargeback"),
    ):
        paid = (await hear("tip", fan=fan, price=900))["creator.payment.succeeded"]
        told = (await hear(deed, fan=fan))[topic]
        assert (told["payment_id"], told["amount"]) == (paid["id"], 900)
        row = (await call("GET", f"/insights/spending?source={reason}"))[1]["data"][0]
        assert (row["gross"], row["source"]) == (-900, reason)
    assert len((await call("GET", "/insights/spending"))[1]["data"]) == 2


async def test_an_app_hears_what_the_granted_scopes_cover_when_events_need_them(launch, receiver):
    app = await launch(switches=Switches(event_scopes=EventScopes.RESOURCE))
    await app.control("endpoints", url=receiver.url)
    await app.connect(scope="openid offline_access offline read:self read:chat")
    assert [d["topic"] for d in (await app.control("act", do="message"))["deliveries"]] == [
        "message.received",
        "creator.message.received",
    ]
    for deed in ("follow", "subscribe", "tip", "like"):
        assert (await app.control("act", do=deed))["deliveries"] == []
    await app.connect(scope=" ".join(SCOPES))
    told = (await app.control("act", do="tip"))["deliveries"]
    assert [delivery["topic"] for delivery in told] == ["tip.new", "creator.payment.succeeded"]
