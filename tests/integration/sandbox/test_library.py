"""Collections, templates, media in chats, grants, tracking links, and the ways to choose chats."""

import pytest

NOBODY = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def creator(app):
    return app.sandbox.world.first_creator


@pytest.fixture
def fan(creator):
    return next(iter(creator.chats.values())).fan


async def test_a_collection_holds_posts_and_leaves_them_when_it_goes(call):
    made = (await call("POST", "/collections", {"label": "Winter"}))[1]
    assert (await call("POST", "/collections", {"label": "Winter"}))[0] == 409
    body = {"audience": "subscribers", "text": "snow", "collectionUuids": [made["uuid"]]}
    post = f"/posts/{(await call('POST', '/posts', body))[1]['uuid']}"
    assert (await call("GET", post))[1]["collections"] == [{"uuid": made["uuid"], "label": "Winter"}]
    assert (await call("PATCH", f"/collections/{made['uuid']}", {"label": "Snow"}))[0] == 204
    assert (await call("GET", post))[1]["collections"][0]["label"] == "Snow"
    assert (await call("PATCH", post, {"collectionUuids": [NOBODY]}))[0] == 400
    assert (await call("DELETE", f"/collections/{made['uuid']}"))[0] == 204
    assert (await call("GET", post))[1]["collections"] == []
    assert (await call("DELETE", f"/collections/{made['uuid']}"))[0] == 404
    assert made["uuid"] not in [row["uuid"] for row in (await call("GET", "/collections"))[1]["data"]]


async def test_a_message_can_be_made_from_a_template(call, fan):
    templates = (await call("GET", "/chats/templates"))[1]["data"]
    template = next(row for row in templates if row["price"] is not None)
    assert (await call("GET", f"/chats/templates/{template['uuid']}"))[1] == template
    path = f"/chats/{fan.uuid}/message"
    sent = (await call("POST", path, {"templateUuid": template["uuid"], "text": "for you"}))[1]
    newest = (await call("GET", f"/chats/{fan.uuid}/messages"))[1]["data"][0]
    assert (newest["uuid"], newest["text"]) == (sent["messageUuid"], "for you")
    assert newest["pricing"] == {"USD": {"price": template["price"]}}
    assert newest["mediaUuids"] == template["mediaUuids"]
    assert (await call("POST", path, {"templateUuid": NOBODY}))[0] == 400
    greetings = (await call("GET", "/chats/templates?folderName=greet"))[1]["data"]
    assert {row["folderName"] for row in greetings} == {"Greetings"}


async def test_media_sent_in_a_chat_are_listed_newest_first(call, creator, fan):
    own = list(creator.content.media)[:3]
    sent = [
        (await call("POST", f"/chats/{fan.uuid}/message", {"mediaUuids": [uuid]}))[1]["messageUuid"]
        for uuid in own
    ]
    page = (await call("GET", f"/chats/{fan.uuid}/media?limit=2"))[1]
    assert [(row["uuid"], row["messageUuid"]) for row in page["data"]] == [
        (own[2], sent[2]),
        (own[1], sent[1]),
    ]
    rest = (await call("GET", f"/chats/{fan.uuid}/media?limit=50&cursor={page['nextCursor']}"))[1]
    assert (rest["data"][0]["uuid"], rest["nextCursor"]) == (own[0], None)
    path = f"/chats/{fan.uuid}/messages/{sent[0]}/media?mediaUuids={own[0]},{NOBODY}&variants=main"
    found = (await call("GET", path))[1]
    assert [one["variantType"] for one in found["results"][own[0]]["variants"]] == ["main"]
    assert found["results"][NOBODY] is None
    assert [(error["mediaUuid"], error["code"]) for error in found["errors"]] == [(NOBODY, "NOT_IN_MESSAGE")]


async def test_media_are_read_in_bulk_with_an_error_for_each_that_is_missing(call, creator):
    media = next(iter(creator.content.media))
    found = (await call("GET", f"/media/bulk?mediaUuids={media},{NOBODY}"))[1]
    assert found["results"] == {media: (await call("GET", f"/media/{media}"))[1], NOBODY: None}
    assert [(error["mediaUuid"], error["code"]) for error in found["errors"]] == [(NOBODY, "NOT_FOUND")]


async def test_a_consumer_sees_a_medium_once_it_was_granted(call, creator, fan):
    media = next(iter(creator.content.media))
    path = f"/media/{media}/entitled?consumerId={fan.uuid}&variants=main"
    assert (await call("GET", path))[0] == 404
    grant = {"consumerId": fan.uuid, "source": "shop", "sourceRef": "order-1"}
    first = (await call("POST", f"/media/{media}/grant", grant))[1]
    assert (await call("POST", f"/media/{media}/grant", grant))[1] == first
    assert (await call("GET", path))[1]["uuid"] == media
    assert (await call("POST", f"/media/{media}/grant", {**grant, "source": "No!"}))[0] == 400
    assert (await call("POST", f"/media/{media}/grant", {**grant, "consumerId": NOBODY}))[0] == 404


async def test_media_tell_who_bought_them_and_what_they_are_used_for(app, call, creator, fan):
    post = next(post for post in creator.content.posts.values() if post.price is not None)
    media = post.media[0]
    await app.control("act", do="purchase", fan=fan.handle, post=post.uuid)
    assert (await call("GET", f"/media/{media}?purchasedBy={fan.uuid}"))[1]["purchasedByFan"] is True
    assert (await call("GET", f"/media/{media}?purchasedBy={NOBODY}"))[1]["purchasedByFan"] is False
    for usage in ("ppv", "subscribers" if post.audience == "subscribers" else "followers"):
        listed = (await call("GET", f"/media?size=50&usage={usage}"))[1]["data"]
        assert media in [row["uuid"] for row in listed]
    assert (await call("GET", "/media?usage=mass_messages"))[1]["data"] == []


async def test_a_media_link_knows_its_buyers(app, calls):
    seller, buyer, third = list(app.sandbox.world.creators.values())[:3]
    (link,) = seller.content.media_links.values()
    for creator, purchased in ((buyer, True), (third, False)):
        call = await calls(creator.handle)
        assert (await call("GET", f"/media/links/{link.uuid}/purchased"))[1] == {"purchased": purchased}
    assert (await call("GET", f"/media/links/{NOBODY}/purchased"))[0] == 404


async def test_who_comes_through_a_tracking_link_is_counted_with_what_they_bring(app, call, creator):
    body = {"name": "Autumn", "externalSocialPlatform": "reddit"}
    link = (await call("POST", "/tracking-links", body))[1]
    comer = next(fan for fan in app.sandbox.world.fans.values() if fan not in creator.followers)
    on = {"fan": comer.handle, "link": link["uuid"]}
    await app.control("act", do="visit", **on)
    await app.control("act", do="visit", **on)
    path = f"/tracking-links/{link['uuid']}/users"
    (user,) = (await call("GET", path))[1]["data"]
    assert (user["uuid"], user["status"]) == (comer.uuid, "follower")
    await app.control("act", do="subscribe", price=1000, **on)
    await app.control("act", do="tip", price=500, **on)
    shown = (await call("GET", "/tracking-links?limit=1"))[1]["data"][0]
    assert (shown["uuid"], shown["clicks"]) == (link["uuid"], 2)
    assert shown["engagement"]["acquiredSubscribers"] == shown["engagement"]["totalSubscribers"] == 1
    assert shown["earnings"] == {"totalGross": 1500, "totalNet": 1200}
    assert (await call("GET", f"{path}/{comer.uuid}/metadata"))[1] == {"metadata": None}
    assert (await call("GET", f"{path}/{NOBODY}/metadata"))[0] == 404


async def test_visits_of_the_past_have_metadata_and_page_by_cursor(call):
    links = (await call("GET", "/tracking-links"))[1]["data"]
    path = f"/tracking-links/{links[0]['uuid']}/users"
    users, cursor = [], ""
    while cursor is not None:
        page = (await call("GET", f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else "")))[1]
        users, cursor = users + page["data"], page["nextCursor"]
    assert users == (await call("GET", path))[1]["data"]
    metadata = (await call("GET", f"{path}/{users[0]['uuid']}/metadata"))[1]["metadata"]
    assert set(metadata) == {"campaign"}
    older = (await call("GET", f"/tracking-links?createdBefore={links[0]['createdAt']}"))[1]["data"]
    assert links[0] not in older


async def test_chats_are_chosen_by_filters_lists_and_names(app, call, creator, fan):
    await app.control("act", do="message", fan=fan.handle)
    await app.control("act", do="tip", fan=fan.handle)
    await call("PATCH", f"/chats/{fan.uuid}", {"nickname": "Champion"})

    async def chosen(query):
        status, page = await call("GET", f"/chats?size=50&{query}")
        assert status == 200, page
        return [row["user"]["uuid"] for row in page["data"]]

    everybody = await chosen("")
    assert everybody[0] == fan.uuid
    for one in ("unread", "not_answered", "has_tipped", "spenders", "filter=unread&filter=has_tipped"):
        assert fan.uuid in await chosen(one if "=" in one else f"filter={one}")
    assert await chosen("filter=archived") == await chosen("filter=subscribed_to") == []
    assert await chosen("filter=exclude_creators") == everybody
    subscribed = {one.uuid for one in creator.subscribers}
    assert set(await chosen("filter=subscribers")) == set(everybody) & subscribed
    assert set(await chosen("smartListIds=subscribers")) == set(everybody) & subscribed
    assert not set(await chosen("filter=followers")) & subscribed
    online = {one.uuid for one in app.sandbox.world.fans.values() if one.online}
    assert set(await chosen("filter=online")) == set(everybody) & online
    assert await chosen("search=champ") == [fan.uuid]
    made = (await call("POST", "/chats/lists/custom", {"name": "One"}))[1]["uuid"]
    await call("POST", f"/chats/lists/custom/{made}/members", {"userUuids": [fan.uuid]})
    assert await chosen(f"customListId={made}") == [fan.uuid]
    first_online = [uuid in online for uuid in await chosen("sortBy=online_now")]
    assert first_online == sorted(first_online, reverse=True)
    await call("PATCH", f"/chats/{fan.uuid}", {"isMuted": True})
    assert fan.uuid not in await chosen("filter=not_muted")
    for name in ("recent_subscribers", "on_free_trial", "spent_more_than_50"):
        assert set(await chosen(f"filter={name}")) <= set(everybody)
    assert set(await chosen("sortBy=most_unanswered_chats")) == set(everybody)
