"""What a creator makes through the API stays made, and what happens shows in every view of it."""

import hashlib
import json

import pytest

from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox import Switches
from fankeep.sandbox.settings import SmartListKey

EVERYTHING = " ".join(SCOPES)


async def test_a_post_is_made_changed_pinned_commented_and_deleted(call):
    _, post = await call("POST", "/posts", {"audience": "subscribers", "text": "first"})
    path = f"/posts/{post['uuid']}"
    _, changed = await call("PATCH", path, {"text": "better"})
    assert (changed["text"], changed["isPinned"]) == ("better", False)
    await call("POST", f"{path}/pin")
    _, page = await call("GET", "/posts?size=1")
    assert (page["data"][0]["uuid"], page["data"][0]["isPinned"]) == (post["uuid"], True)
    _, comment = await call("POST", f"{path}/comments", {"text": "hello all"})
    _, comments = await call("GET", f"{path}/comments")
    assert [row["text"] for row in comments["data"]] == ["hello all"]
    assert (await call("DELETE", f"{path}/comments/{comment['uuid']}"))[0] == 204
    assert (await call("GET", path))[1]["commentsCount"] == 0
    assert (await call("DELETE", path))[0] == 204
    assert (await call("GET", path))[0] == 404


async def test_a_post_is_published_when_its_time_has_come(app, call):
    later = "2099-01-01T00:00:00Z"
    _, post = await call("POST", "/posts", {"audience": "subscribers", "text": "soon", "publishAt": later})
    assert post["publishedAt"] is None
    _, page = await call("GET", "/posts?size=50&includeUnpublished=false")
    assert post["uuid"] not in [row["uuid"] for row in page["data"]]
    await app.control("clock", advance=80 * 365 * 86_400)
    token = (await app.connect(scope=EVERYTHING))["access_token"]
    assert (await app.api("GET", f"/posts/{post['uuid']}", token)).json["publishedAt"] is not None


async def test_a_price_needs_media(call):
    for path, body in (
        ("/posts", {"audience": "subscribers"}),
        ("/chats/mass-messages", {"includedLists": {"smartListUuids": ["subscribers"]}}),
    ):
        status, answer = await call("POST", path, {**body, "text": "x", "price": 500})
        assert (status, set(answer)) == (400, {"message"})


async def test_a_list_has_its_members_and_one_name(app, call):
    fans = [fan.uuid for fan in app.sandbox.world.first_creator.followers[:2]]
    _, made = await call("POST", "/chats/lists/custom", {"name": "Friends"})
    path = f"/chats/lists/custom/{made['uuid']}"
    assert (await call("POST", "/chats/lists/custom", {"name": "Friends"}))[0] == 409
    assert (await call("POST", f"{path}/members", {"userUuids": fans}))[1] == {"added": 2, "skipped": 0}
    assert (await call("POST", f"{path}/members", {"userUuids": fans}))[1] == {"added": 0, "skipped": 2}
    assert (await call("DELETE", f"{path}/members/{fans[0]}"))[0] == 204
    assert [row["uuid"] for row in (await call("GET", path))[1]["data"]] == fans[1:]
    assert (await call("DELETE", path))[0] == 204
    assert (await call("GET", path))[0] == 404


async def test_a_mass_message_reaches_its_lists_tells_of_itself_and_can_be_taken_back(app, call, receiver):
    await app.control("endpoints", url=receiver.url, topics=["creator.message.sent"])
    creator = app.sandbox.world.first_creator
    _, made = await call("POST", "/chats/lists/custom", {"name": "Not today"})
    left_out = creator.subscribers[0].uuid
    await call("POST", f"/chats/lists/custom/{made['uuid']}/members", {"userUuids": [left_out]})
    body = {
        "text": "to all of you",
        "includedLists": {"smartListUuids": ["subscribers"]},
        "excludedLists": {"customListUuids": [made["uuid"]]},
    }
    _, sent = await call("POST", "/chats/mass-messages", body)
    assert sent["recipientCount"] == len(creator.subscribers) - 1
    events = await receiver.wait(sent["recipientCount"])
    told = {json.loads(body)["data"]["fan"]["uuid"] for _, body in events}
    assert told == {fan.uuid for fan in creator.subscribers[1:]}
    fan = creator.subscribers[1].uuid
    _, history = await call("GET", f"/chats/{fan}/messages")
    # The contract has the word for mass messages in the list of chats and not in a chat's history.
    assert (history["data"][0]["text"], history["data"][0]["type"]) == ("to all of you", "SINGLE_RECIPIENT")
    _, chats = await call("GET", "/chats?size=50")
    assert "BROADCAST" in [row["lastMessage"]["type"] for row in chats["data"] if row["lastMessage"]]
    assert (await call("DELETE", f"/chats/mass-messages/{sent['id']}"))[0] == 204
    _, history = await call("GET", f"/chats/{fan}/messages")
    assert "to all of you" not in [row["text"] for row in history["data"]]
    _, page = await call("GET", "/chats/mass-messages?includeDeleted=true")
    assert page["data"][0]["status"] == "UNSENT"


@pytest.mark.parametrize("key", list(SmartListKey))
async def test_fanvues_own_lists_are_named_under_one_key_and_the_other_is_refused(launch, key):
    app = await launch(switches=Switches(smart_list_key=key))
    token = (await app.connect(scope=" ".join(SCOPES)))["access_token"]
    reached = len(app.sandbox.world.first_creator.subscribers)
    for named in SmartListKey:
        body = {"text": "hello", "includedLists": {named: ["subscribers"]}, "excludedLists": {}}
        answer = await app.api("POST", "/chats/mass-messages", token, body)
        if named is key:
            assert (answer.status, answer.json["recipientCount"]) == (201, reached)
        else:
            assert (answer.status, set(answer.json)) == (400, {"errors"})


@pytest.mark.parametrize("kind", ["smartListUuids", "customListUuids"])
async def test_a_mass_message_to_or_without_an_unknown_list_is_refused(calls, app, kind):
    boss = next(one for one in app.sandbox.world.creators.values() if one.manages)
    call = await calls(boss.handle)
    everybody = {"smartListUuids": ["followers"]}
    unknown = {kind: ["0b6c6f0e-63a7-4b52-8f4f-0f1f6f6f1a01" if kind == "customListUuids" else "nope"]}
    for path in ("/chats/mass-messages", f"/creators/{boss.manages[0]}/chats/mass-messages"):
        for lists in (
            {"includedLists": unknown},
            {"includedLists": everybody, "excludedLists": unknown},
        ):
            answer = await call("POST", path, {"text": "hello", **lists})
            assert answer == (400, {"message": "List not found"})


async def test_a_message_needs_a_chat_which_can_be_opened(app, call):
    creator = app.sandbox.world.first_creator
    stranger = next(fan for fan in app.sandbox.world.fans.values() if fan.uuid not in creator.chats)
    await app.control("act", do="subscribe", fan=stranger.handle)
    message = ("POST", f"/chats/{stranger.uuid}/message", {"text": "welcome"})
    assert await call(*message) == (400, {"message": "This user cannot be contacted"})
    assert (await call("POST", "/chats", {"userUuid": stranger.uuid}))[0] == 201
    assert (await call(*message))[0] == 201


async def upload(app, call, **headers):
    _, session = await call(
        "POST", "/media/uploads", {"name": "beach", "filename": "beach.jpg", "mediaType": "image"}
    )
    _, url = await call("GET", f"/media/uploads/{session['uploadId']}/parts/1/url")
    path = url.decode().removeprefix(app.sandbox.base_url)
    return session, path, await app.call("PUT", path, b"picture", headers)


async def test_media_is_uploaded_in_three_steps_and_gets_ready(app, call):
    session, _, put = await upload(app, call)
    etag = put.headers["etag"]
    assert etag.strip('"') == hashlib.md5(b"picture").hexdigest()
    media = f"/media/{session['mediaUuid']}"
    assert (await call("GET", media))[1] == {"uuid": session["mediaUuid"], "status": "created"}
    parts = f"/media/uploads/{session['uploadId']}"
    assert (await call("PATCH", parts, {"parts": [{"PartNumber": 1, "ETag": "wrong"}]}))[0] == 400
    _, done = await call("PATCH", parts, {"parts": [{"PartNumber": 1, "ETag": etag}]})
    assert done == {"status": "processing"}
    await app.control("clock", advance=3)
    _, bare = await call("GET", media)
    assert (bare["status"], bare["variants"]) == ("ready", [])
    _, shown = await call("GET", f"{media}?variants=main,thumbnail")
    assert [one["variantType"] for one in shown["variants"]] == ["main", "thumbnail"]


async def test_an_upload_larger_than_fanvue_takes_is_refused(call):
    body = {"name": "film", "filename": "film.mp4", "mediaType": "video"}
    for size, expected in ((1_610_612_736, 200), (1_610_612_737, 400)):
        assert (await call("POST", "/media/uploads", {**body, "sizeBytes": size}))[0] == expected
    assert (await call("POST", "/media/uploads", {**body, "name": "x" * 256}))[0] == 400


async def test_a_part_is_refused_with_an_authorization_a_wrong_signature_or_too_late(app, call):
    _, path, refused = await upload(app, call, Authorization="Bearer x")
    assert refused.status == 400
    assert (await app.call("PUT", path[:-1] + ("0" if path[-1] != "0" else "1"), b"x")).status == 403
    assert (await app.call("PUT", path.partition("?")[0], b"x")).status == 403
    await app.control("clock", advance=3601)
    assert (await app.call("PUT", path, b"x")).status == 403


async def test_a_folder_holds_media_and_leaves_them_when_it_goes(call):
    _, page = await call("GET", "/media?size=1")
    media = page["data"][0]["uuid"]
    assert (await call("POST", "/vault/folders", {"name": "Winter days"}))[0] == 201
    assert (await call("POST", "/vault/folders", {"name": "Winter days"}))[0] == 409
    path = "/vault/folders/Winter%20days"
    assert (await call("POST", f"{path}/media", {"mediaUuids": [media]}))[1] == {"addedCount": 1}
    assert (await call("GET", path))[1]["mediaCount"] == 1
    assert [row["uuid"] for row in (await call("GET", "/media?folderName=Winter%20days"))[1]["data"]] == [
        media
    ]
    assert (await call("PATCH", path, {"name": "Snow"}))[0] == 204
    assert (await call("DELETE", "/vault/folders/Snow"))[0] == 204
    assert (await call("GET", f"/media/{media}"))[0] == 200


async def test_earnings_are_what_happened_and_a_refund_is_a_row_below_zero(app, call):
    fan = app.sandbox.world.first_creator.followers[0].uuid
    before = (await call("GET", "/users/account"))[1]["account"]["earnings"]["total"]
    await app.control("act", do="tip", fan=fan, price=1000)
    _, page = await call("GET", "/insights/earnings?size=1")
    (tip,) = page["data"]
    assert (tip["gross"], tip["net"], tip["source"], tip["user"]["uuid"]) == (1000, 800, "tip", fan)
    assert (await call("GET", "/users/account"))[1]["account"]["earnings"]["total"] == before + 1000
    await app.control("act", do="refund", fan=fan)
    _, page = await call("GET", "/insights/earnings?size=2")
    assert [(row["gross"], row["net"]) for row in page["data"]] == [(-1000, -800), (1000, 800)]
    assert (await call("GET", "/users/account"))[1]["account"]["earnings"]["total"] == before


async def test_earnings_page_by_cursor_to_the_end(app, call):
    rows, path = [], "/insights/earnings?size=7"
    cursor = ""
    while cursor is not None:
        _, page = await call("GET", path + (f"&cursor={cursor}" if cursor else ""))
        rows += page["data"]
        cursor = page["nextCursor"]
    assert len(rows) == len(app.sandbox.world.first_creator.payments)


async def test_a_tracking_link_comes_and_goes(call):
    body = {"name": "Autumn", "externalSocialPlatform": "reddit"}
    _, link = await call("POST", "/tracking-links", body)
    assert (await call("GET", "/tracking-links?limit=1"))[1]["data"] == [link]
    assert (await call("DELETE", f"/tracking-links/{link['uuid']}"))[0] == 204
    assert link not in (await call("GET", "/tracking-links"))[1]["data"]


async def test_an_agency_sees_the_same_content_as_the_creator_whom_it_manages(app):
    agency = next(one for one in app.sandbox.world.creators.values() if one.manages)
    managed = app.sandbox.world.creators[agency.manages[0]]
    boss = (await app.connect(agency.handle, scope=EVERYTHING))["access_token"]
    own = (await app.connect(managed.handle, scope=EVERYTHING))["access_token"]
    prefix = f"/creators/{managed.uuid}"
    body = {"audience": "subscribers", "text": "by the agency"}
    made = (await app.api("POST", f"{prefix}/posts", boss, body)).json
    assert (await app.api("GET", f"/posts/{made['uuid']}", own)).json["text"] == "by the agency"
    for path in ("/posts", "/media", "/vault/folders", "/chats/lists/custom", "/tracking-links"):
        seen = (await app.api("GET", prefix + path, boss)).json
        assert seen == (await app.api("GET", path, own)).json
        assert seen["data"]
    listed = (await app.api("GET", "/creators", boss)).json["data"]
    assert [row["uuid"] for row in listed] == list(agency.manages)
