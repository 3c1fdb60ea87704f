"""The API over sockets: every operation, its scopes, versions, limits, and what really works together."""

from urllib.parse import quote, urlencode

import pytest

from fankeep.fanvue.operations import OPERATIONS, answer_schema, body_schema, query_schema
from fankeep.fanvue.schema import Array, Enum, Leaf, Object
from fankeep.fanvue.scopes import SCOPES
from fankeep.fanvue.validation import validate
from fankeep.sandbox import Switches
from fankeep.sandbox.api.handlers import handlers_for
from fankeep.sandbox.world import Entitlement, MassMessage, Upload
from fankeep.secret import Secret

EVERYTHING = " ".join(SCOPES)
CONTENT = {
    "posts": "posts",
    "media": "media",
    "links": "media_links",
    "custom": "lists",
    "tracking-links": "links",
    "folders": "folders",
    "collections": "collections",
    "templates": "templates",
}
PLAIN = {"bool": True, "date-time": "2026-05-01T00:00:00Z", "email": "nobody@fans.example", "str": "words"}


def fitting(node, name, known):
    """The plainest value that fits a schema; uuids are those of what is there."""
    match node:
        case Object():
            return {key: fitting(field.node, key, known) for key, field in node.fields.items()}
        case Array():
            return [fitting(node.element, name, known)] * max(node.minimum or 0, 1)
        case Enum():
            return node.values[0]
        case Leaf(type="uuid"):
            return known[name]
        case Leaf(type="num" | "int"):
            return node.minimum or 1
        case Leaf():
            return PLAIN[node.type]
    raise AssertionError(name)


def request_of(operation, sandbox, creator, client_id):
    """Path, query and body that satisfy an operation's contract."""
    chat = next(iter(creator.chats.values()))
    own = next((m for m in chat.messages if m.sender is creator), chat.messages[0])
    content = creator.content
    first = {kind: next(iter(getattr(content, kind).values())) for kind in CONTENT.values()}
    first["posts"] = post = next(post for post in content.posts.values() if post.comments)
    media, folder = first["media"], first["folders"]
    media.upload, media.completed_at = Upload("upload-1", Secret("key"), {1: "etag"}), None
    waiting = MassMessage("7f3a1c9e-63a7-4b52-8f4f-0f1f6f6f1a01", 0.0, "x", None, (), (), scheduled_at=1e11)
    content.mass_messages = {waiting.uuid: waiting}
    folder.media = folder.media or [media.uuid]
    first["lists"].members = [chat.fan.uuid]
    link = first["links"]
    creator.invites.clear()
    fixed = {
        "userUuid": link.visits[0].fan if "/tracking-links/" in operation.path else chat.fan.uuid,
        "creatorUserUuid": creator.uuid,
        "messageUuid": waiting.uuid if "/mass-messages/" in operation.path else own.uuid,
        "templateUuid": first["templates"].uuid,
        "folderName": folder.name,
        "mediaUuid": folder.media[0],
        "commentUuid": post.comments[0].uuid,
        "userId": next(iter(creator.team)),
        "appUuid": client_id,
        "partNumber": "1",
        "uploadId": "upload-1",
    }
    for part, kind in CONTENT.items():
        if f"/{part}/" in operation.path and kind != "folders":
            fixed["uuid"] = first[kind].uuid
    if "/smart/" in operation.path:
        fixed["uuid"] = "subscribers"
    parts = [
        quote(fixed[part.strip("{}")]) if part.startswith("{") else part for part in operation.path.split("/")
    ]
    known = {
        **fixed,
        "creatorUuids": creator.manages[0],
        "customListUuids": first["lists"].uuid,
        "mediaUuids": media.uuid,
        "mediaPreviewUuid": media.uuid,
        "collectionUuids": first["collections"].uuid,
        "sinceMessageUuid": own.uuid,
    }
    known |= dict.fromkeys(("userUuids", "chatUuids", "consumerId"), chat.fan.uuid)
    content.entitlements = [Entitlement("entitlement-1", media.uuid, chat.fan.uuid, "shop", "order-1")]
    query = {"fanUuids": chat.fan.uuid} if "fanUuids" in query_schema(operation).fields else {}
    for name, field in query_schema(operation).fields.items():
        if not field.optional and name not in query:
            uuids = name == "mediaUuids"
            query[name] = media.uuid if uuids else fitting(field.node, name, known)
    schema = body_schema(operation)
    body = None if schema is None else fitting(schema, "", known)
    if body:
        body |= {key: operation.id for key in ("name", "label") if key in body}
        body |= MEANINGFUL.get(operation.id.replace("Creator", ""), {})
    if operation.id == "createCreatorInvite":
        body["email"] = creator.email
    if operation.id == "createAgencyInvite":
        body["email"] = chat.fan.email
    text = urlencode(query)
    return "/".join(parts) + (f"?{text}" if text else ""), body


# What a body has to say besides fitting its schema.
MEANINGFUL = {
    "sendMassMessage": {"excludedLists": {}},
    "completeUploadSession": {"parts": [{"PartNumber": 1, "ETag": "etag"}]},
}


@pytest.fixture
async def agency(launch):
    """An app connected with every scope, by the creator who is an agency as well."""
    app = await launch(rate_limit=10_000)
    creator = next(creator for creator in app.sandbox.world.creators.values() if creator.manages)
    tokens = await app.connect(creator.handle, scope=EVERYTHING)
    return app, creator, tokens["access_token"]


def test_every_operation_has_a_handler():
    assert set(handlers_for(OPERATIONS.values())) == set(OPERATIONS)
    assert len(OPERATIONS) == 143


async def test_every_operation_answers_strictly_by_the_contract(agency):
    app, creator, token = agency
    for operation in OPERATIONS.values():
        path, body = request_of(operation, app.sandbox, creator, app.client_id)
        answer = await app.api(operation.method, path, token, body)
        assert answer.status == operation.status, (operation.id, answer.body)
        schema = answer_schema(operation)
        if schema is None:
            assert answer.body == b""
        elif answer.headers["content-type"].startswith("text/plain"):
            assert answer.body.startswith(b"http://127.0.0.1")
        else:
            assert validate(schema, answer.json, strict=True) == [], operation.id


async def test_every_operation_is_refused_without_its_scopes(agency):
    app, creator, _ = agency
    bare = (await app.connect(creator.handle, scope="openid offline_access"))["access_token"]
    for operation in OPERATIONS.values():
        path, body = request_of(operation, app.sandbox, creator, app.client_id)
        answer = await app.api(operation.method, path, bare, body)
        assert (answer.status, answer.json) == (403, {"error": "Forbidden"}), operation.id


async def test_every_operation_needs_its_own_scopes_and_no_others(agency):
    app, creator, _ = agency
    tokens = {}
    for operation in OPERATIONS.values():
        if operation.scopes not in tokens:
            granted = " ".join(("openid", "offline_access", *operation.scopes))
            tokens[operation.scopes] = (await app.connect(creator.handle, scope=granted))["access_token"]
        path, body = request_of(operation, app.sandbox, creator, app.client_id)
        answer = await app.api(operation.method, path, tokens[operation.scopes], body)
        assert answer.status == operation.status, (operation.id, answer.body)


async def test_every_operation_is_refused_when_one_of_its_scopes_is_missing(agency):
    app, creator, _ = agency
    for missing in sorted({scope for operation in OPERATIONS.values() for scope in operation.scopes}):
        rest = " ".join(scope for scope in SCOPES if scope != missing)
        token = (await app.connect(creator.handle, scope=rest))["access_token"]
        for operation in (one for one in OPERATIONS.values() if missing in one.scopes):
            path, body = request_of(operation, app.sandbox, creator, app.client_id)
            answer = await app.api(operation.method, path, token, body)
            assert (answer.status, answer.json) == (403, {"error": "Forbidden"}), (operation.id, missing)


async def test_the_prefix_v1_serves_the_same_operations(agency):
    app, _, token = agency
    plain = (await app.api("GET", "/users/me", token)).json
    assert (await app.api("GET", "/v1/users/me", token)).json == plain
    entries = await app.show("journal?operation=getCurrentUser")
    assert [entry["versioned"] for entry in entries] == [False, True]


async def test_under_v1_chats_and_media_can_be_cursor_lists(launch):
    app = await launch(switches=Switches(v1_cursor_lists=True))
    token = (await app.connect(scope=EVERYTHING))["access_token"]
    for path in ("/chats", "/media"):
        pages, cursor = [], ""
        while cursor is not None:
            page = (await app.api("GET", f"/v1{path}?size=3&cursor={cursor}", token)).json
            pages, cursor = [*pages, page["data"]], page["nextCursor"]
        rows = [row for page in pages for row in page]
        assert len(pages) > 1
        assert {len(page) for page in pages[:-1]} == {3}
        plain = (await app.api("GET", f"{path}?size=50", token)).json
        assert set(plain) == {"data", "pagination"}
        assert sorted(map(str, rows)) == sorted(map(str, plain["data"]))
        assert (await app.api("GET", f"/v1{path}?cursor=nonsense", token)).status == 400


async def test_version_token_and_path_are_checked(app):
    token = (await app.connect())["access_token"]
    bare = await app.call("GET", "/users/me", headers={"Authorization": f"Bearer {token}"})
    assert (bare.status, bare.json["error"]) == (400, "Unsupported API version")
    unknown = {"X-Fanvue-API-Version": "1999-01-01"}
    assert (await app.api("GET", "/users/me", token, **unknown)).status == 400
    refused = await app.api("GET", "/users/me", "ory_at_nonsense")
    assert (refused.status, refused.json) == (401, {"error": "Unauthorized"})
    missing = await app.api("GET", "/v1/me", token)
    assert (missing.status, missing.json) == (404, {"message": "Not Found"})


async def test_the_bucket_empties_refills_and_says_so(launch):
    app = await launch(rate_limit=3)
    token = (await app.connect())["access_token"]
    remaining = [
        (await app.api("GET", "/users/me", token)).headers["x-ratelimit-remaining"] for _ in range(3)
    ]
    assert remaining == ["2", "1", "0"]
    refused = await app.api("GET", "/users/me", token)
    assert (refused.status, refused.json) == (429, {"error": "Too Many Requests"})
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    await app.control("clock", advance=60)
    assert (await app.api("GET", "/users/me", token)).status == 200


async def test_bad_input_has_fanvues_shapes(app):
    token = (await app.connect())["access_token"]
    assert set((await app.api("GET", "/chats/nonsense/messages", token)).json) == {"message"}
    assert "errors" in (await app.api("GET", "/chats?size=51", token)).json
    assert "errors" in (await app.api("POST", "/chats", token, {"userUuid": "x"})).json
    unknown = "00000000-0000-4000-8000-000000000001"
    gone = await app.api("GET", f"/chats/{unknown}/messages", token)
    assert (gone.status, set(gone.json)) == (404, {"message"})
    stranger = await app.api("POST", f"/chats/{unknown}/message", token, {"text": "hi"})
    assert (stranger.status, set(stranger.json)) == (400, {"message"})


async def test_a_sent_message_is_in_the_history_and_can_be_taken_back(app):
    token = (await app.connect())["access_token"]
    chat = (await app.api("GET", "/chats?size=1", token)).json["data"][0]
    fan = chat["user"]["uuid"]
    sent = (await app.api("POST", f"/chats/{fan}/message", token, {"text": "see you"})).json["messageUuid"]
    newest = (await app.api("GET", f"/chats/{fan}/messages", token)).json["data"][0]
    assert (newest["uuid"], newest["text"]) == (sent, "see you")
    assert (await app.api("DELETE", f"/chats/{fan}/messages/{sent}", token)).status == 204
    assert (await app.api("DELETE", f"/chats/{fan}/messages/{sent}", token)).status == 404


async def test_a_locked_message_is_unlocked_by_a_purchase_and_then_cannot_be_taken_back(app):
    token = (await app.connect())["access_token"]
    fan = next(iter(app.sandbox.world.first_creator.chats.values())).fan.uuid
    media = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
    refused = await app.api("POST", f"/chats/{fan}/message", token, {"text": "hi", "price": 500})
    assert (refused.status, set(refused.json)) == (400, {"message"})
    offer = {"text": "hi", "price": 500, "mediaUuids": [media]}
    sent = (await app.api("POST", f"/chats/{fan}/message", token, offer)).json["messageUuid"]
    await app.control("act", do="purchase", fan=fan)
    newest = (await app.api("GET", f"/chats/{fan}/messages", token)).json["data"][0]
    assert newest["pricing"] == {"USD": {"price": 500}}
    assert newest["purchasedAt"] is not None
    assert (await app.api("DELETE", f"/chats/{fan}/messages/{sent}", token)).status == 400


async def test_reading_marks_a_chat_as_read_unless_told_not_to(app):
    token = (await app.connect())["access_token"]
    creator = app.sandbox.world.first_creator
    fan = next(iter(creator.chats.values())).fan

    async def unread():
        await app.control("act", do="message", fan=fan.uuid)
        chats = (await app.api("GET", "/chats?size=50", token)).json["data"]
        return next(chat for chat in chats if chat["user"]["uuid"] == fan.uuid)["unreadMessagesCount"]

    before = await unread()
    await app.api("GET", f"/chats/{fan.uuid}/messages?markAsRead=false", token)
    await app.api("GET", f"/v1/chats/{fan.uuid}/messages", token)
    assert await unread() == before + 1
    await app.api("GET", f"/chats/{fan.uuid}/messages", token)
    assert await unread() == 1
    counts = (await app.api("GET", "/chats/unread", token)).json
    assert counts["unreadMessagesCount"] >= 1


async def test_pages_add_up(app):
    token = (await app.connect())["access_token"]
    first = (await app.api("GET", "/followers?page=1&size=4", token)).json
    second = (await app.api("GET", "/followers?page=2&size=4", token)).json
    assert first["pagination"] == {"page": 1, "size": 4, "hasMore": True}
    together = [row["uuid"] for row in first["data"] + second["data"]]
    assert together == [fan.uuid for fan in app.sandbox.world.first_creator.mere_followers[:8]]


async def test_an_agency_acts_for_managed_creators_only(agency):
    app, creator, token = agency
    managed = app.sandbox.world.creators[creator.manages[0]]
    account = (await app.api("GET", f"/creators/{managed.uuid}/account", token)).json
    assert account["handle"] == managed.handle
    stranger = app.sandbox.world.first_creator
    assert (await app.api("GET", f"/creators/{stranger.uuid}/account", token)).status == 403
    nobody = "00000000-0000-4000-8000-000000000001"
    assert (await app.api("GET", f"/creators/{nobody}/account", token)).status == 404


async def test_api_answers_go_wrong_on_command(app):
    token = (await app.connect())["access_token"]
    await app.control("faults", target="api", kind="status", status=429, seconds=7)
    refused = await app.api("GET", "/users/me", token)
    assert (refused.status, refused.json, refused.headers["retry-after"]) == (
        429,
        {"error": "Too Many Requests"},
        "7",
    )
    await app.control("faults", target="api", kind="firewall")
    assert b"<title>" in (await app.api("GET", "/users/me", token)).body
    assert (await app.api("GET", "/users/me", token)).status == 200
