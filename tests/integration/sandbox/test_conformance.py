"""Single facts about Fanvue that the sandbox is held to and that no other test is about."""

import base64
import json
import re
from uuid import UUID

import pytest

from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox import AppRegistration, Switches

CALLBACK = "http://localhost:9999/auth/callback"
UNKNOWN = "00000000-0000-4000-8000-000000000001"


async def test_discovery_names_the_endpoints_and_what_they_support(app):
    found = (await app.call("GET", "/.well-known/openid-configuration")).json
    base = app.sandbox.base_url
    assert found["authorization_endpoint"] == f"{base}/oauth2/auth"
    assert found["token_endpoint"] == f"{base}/oauth2/token"
    assert found["revocation_endpoint"] == f"{base}/oauth2/revoke"
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    assert not {"introspection_endpoint", "end_session_endpoint"} & set(found)


async def test_the_scopes_are_the_official_ones(app):
    found = (await app.call("GET", "/.well-known/openid-configuration")).json
    assert found["scopes_supported"] == list(SCOPES)
    assert not {"read:subscribers", "read:earnings", "write:messages", "write:posts"} & set(SCOPES)


@pytest.mark.parametrize(
    "path", ["/oauth/authorize", "/oauth/token", "/oauth2/introspect", "/oauth2/sessions/logout"]
)
async def test_endpoints_that_only_public_code_believes_in_do_not_exist(app, path):
    for method in ("GET", "POST"):
        assert (await app.call(method, path)).status == 404


@pytest.mark.parametrize(
    "grant_type", ["password", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", ""]
)
async def test_only_code_and_refresh_token_are_grants(app, grant_type):
    answer = await app.form("/oauth2/token", {"grant_type": grant_type}, app.basic)
    assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type")


async def test_refusals_have_hydras_words(app):
    tokens = await app.connect()
    wrong = await app.form("/oauth2/token", {"grant_type": "refresh_token"}, {"Authorization": "Basic eDp5"})
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    assert wrong.json["error_description"].startswith("Client authentication failed (e.g., unknown client,")
    posted = await app.form("/oauth2/token", {"client_id": app.client_id, "client_secret": "x"})
    assert "supports client authentication method 'client_secret_basic'" in posted.json["error_description"]
    unknown = await app.refresh("ory_rt_unknown")
    assert unknown.json["error_description"].startswith("The provided authorization grant (e.g.,")
    await app.control("app", scopes=["openid"])
    left = await app.refresh(tokens["refresh_token"])
    assert "is not allowed to request scope" in left.json["error_description"]


async def test_every_way_to_ask_names_the_same_creator(app):
    tokens = await app.connect()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    payload = tokens["id_token"].split(".")[1]
    named = {
        (await app.api("GET", "/users/me", tokens["access_token"])).json["uuid"],
        (await app.call("GET", "/userinfo", headers=bearer)).json["sub"],
        (await app.form("/userinfo", {}, bearer)).json["sub"],
        json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"],
    }
    assert named == {app.sandbox.world.first_creator.uuid}
    refused = await app.call("GET", "/userinfo", headers={"Authorization": "Bearer nonsense"})
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_a_client_id_is_a_uuid_and_a_client_secret_64_hex_digits(app):
    assert str(UUID(app.client_id)) == app.client_id
    assert re.fullmatch(r"[0-9a-f]{64}", app.client_secret)
    assert re.fullmatch(r"[0-9a-f]{64}", (await app.control("reset-secret"))["client_secret"])


async def test_a_token_answer_has_these_members_and_is_not_cached(app):
    answer = await app.exchange(await app.code())
    assert set(answer.json) == {
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "scope",
        "token_type",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert set((await app.refresh(answer.json["refresh_token"])).json) == set(answer.json)


async def test_without_openid_there_is_no_id_token(app):
    assert "id_token" not in await app.connect(scope="offline_access read:self")


async def test_the_client_id_may_be_repeated_in_the_form(app):
    tokens = await app.connect()
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": app.client_id,
    }
    assert (await app.form("/oauth2/token", fields, app.basic)).status == 200


async def test_a_refresh_that_asks_for_more_is_refused_and_spends_nothing(app):
    tokens = await app.connect(scope="openid offline_access read:self")
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "scope": "openid read:post",
    }
    refused = await app.form("/oauth2/token", fields, app.basic)
    assert (refused.status, refused.json["error"]) == (400, "invalid_scope")
    assert (await app.refresh(tokens["refresh_token"])).status == 200


async def test_revocation_needs_the_client(app):
    tokens = await app.connect()
    refused = await app.form("/oauth2/revoke", {"token": tokens["refresh_token"]})
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert (await app.refresh(tokens["refresh_token"])).status == 200


async def test_several_redirect_uris_work_and_the_code_is_bound_to_one(launch):
    other = "http://127.0.0.1:8790/callback"
    app = await launch(apps=(AppRegistration(redirect_uris=(CALLBACK, other)),))
    assert (await app.exchange(await app.code(redirect_uri=other), redirect_uri=other)).status == 200
    mixed = await app.exchange(await app.code(redirect_uri=other))
    assert (mixed.status, mixed.json["error"]) == (400, "invalid_grant")


async def test_a_scope_added_to_the_app_works_only_after_a_new_authorization(app):
    few = ["openid", "offline_access", "offline", "read:self"]
    await app.control("app", scopes=few)
    tokens = await app.connect(scope=" ".join(few))
    await app.control("app", scopes=[*few, "read:post"])
    renewed = (await app.refresh(tokens["refresh_token"])).json
    assert set(renewed["scope"].split()) == set(few)
    assert (await app.api("GET", "/posts", renewed["access_token"])).status == 403
    again = await app.connect(scope=" ".join([*few, "read:post"]))
    assert (await app.api("GET", "/posts", again["access_token"])).status == 200


async def test_agency_operations_need_an_agency(app):
    creators = app.sandbox.world.creators.values()
    agency = next(one for one in creators if one.manages)
    alone = next(one for one in creators if not one.manages)
    for creator, status in ((agency, 200), (alone, 403)):
        token = (await app.connect(creator.handle, scope=" ".join(SCOPES)))["access_token"]
        assert (await app.api("GET", "/agencies/team-members", token)).status == status


async def test_api_keys_and_other_headers_do_not_authenticate(app):
    token = (await app.connect())["access_token"]
    version = {"X-Fanvue-API-Version": "2025-06-26"}
    for header in ({"X-Fanvue-API-Key": token}, {"X-Authorization": f"Bearer {token}"}, {}):
        answer = await app.call("GET", "/users/me", headers={**version, **header})
        assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})


async def test_the_bucket_is_200_in_60_seconds_and_every_answer_says_so(app):
    token = (await app.connect())["access_token"]
    good = await app.api("GET", "/users/me", token)
    bad = await app.api("GET", "/chats?size=51", token)
    for answer, left in ((good, "199"), (bad, "198")):
        assert answer.headers["x-ratelimit-limit"] == "200"
        assert answer.headers["x-ratelimit-remaining"] == left
        assert 0 < int(answer.headers["x-ratelimit-reset"]) - app.sandbox.now() <= 61


async def test_each_managed_creator_has_a_bucket_of_its_own_and_agency_calls_have_none(launch):
    app = await launch(rate_limit=2)
    agency = next(one for one in app.sandbox.world.creators.values() if one.manages)
    token = (await app.connect(agency.handle, scope=" ".join(SCOPES)))["access_token"]
    managed = f"/creators/{agency.manages[0]}/account"
    assert [(await app.api("GET", "/users/me", token)).status for _ in range(2)] == [200, 200]
    assert (await app.api("GET", "/agencies/team-members", token)).status == 429
    assert [(await app.api("GET", managed, token)).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(("apart", "status"), [(True, 200), (False, 429)])
async def test_two_apps_of_one_creator_share_a_bucket_only_if_switched_so(launch, app_of, apart, status):
    both = tuple(AppRegistration(name=name, redirect_uris=(CALLBACK,)) for name in ("One", "Another"))
    app = await launch(rate_limit=1, switches=Switches(bucket_per_app=apart), apps=both)
    other = app_of(app.sandbox, list(app.sandbox.apps)[1])
    tokens = [(await one.connect())["access_token"] for one in (app, other)]
    assert (await app.api("GET", "/users/me", tokens[0])).status == 200
    assert (await app.api("GET", "/users/me", tokens[1])).status == status


async def test_pages_have_15_rows_by_default_and_at_most_50(app):
    token = (await app.connect())["access_token"]
    page = (await app.api("GET", "/followers", token)).json
    assert (page["pagination"]["page"], page["pagination"]["size"], len(page["data"])) == (1, 15, 15)
    assert (await app.api("GET", "/followers?size=50", token)).status == 200
    for query in ("size=51", "size=0", "page=0"):
        answer = await app.api("GET", f"/followers?{query}", token)
        assert (answer.status, set(answer.json)) == (400, {"errors"})


async def test_cursor_lists_have_a_next_cursor(app):
    token = (await app.connect(scope=" ".join(SCOPES)))["access_token"]
    answer = await app.api("GET", "/tracking-links", token)
    assert set(answer.json) == {"data", "nextCursor"}
    assert (await app.api("GET", "/tracking-links?limit=0", token)).status == 400
    fan = next(iter(app.sandbox.world.first_creator.chats))
    assert set((await app.api("GET", f"/chats/{fan}/media", token)).json) == {"data", "nextCursor"}
    assert (await app.api("GET", f"/chats/{fan}/media?limit=51", token)).status == 400


async def test_a_batch_names_the_error_of_each_key_and_keeps_the_rest(app):
    token = (await app.connect())["access_token"]
    fan = next(iter(app.sandbox.world.first_creator.chats))
    answer = await app.api("POST", "/chats/messages/batch", token, {"chatUuids": [fan, UNKNOWN]})
    assert answer.status == 200
    assert answer.json["byChat"][UNKNOWN] == {"error": "not_found"}
    assert answer.json["byChat"][fan]["messages"]


async def test_a_write_that_is_repeated_is_done_again_whatever_its_key(app):
    token = (await app.connect())["access_token"]
    fan, chat = next(iter(app.sandbox.world.first_creator.chats.items()))
    before, key = len(chat.messages), {"Idempotency-Key": "4b9f6a52-6d7b-4a34-9a57-2f0b7f0a4e02"}
    sent = [await app.api("POST", f"/chats/{fan}/message", token, {"text": "hi"}, **key) for _ in range(2)]
    assert len({answer.json["messageUuid"] for answer in sent}) == 2
    assert len(chat.messages) == before + 2


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "x" * 5001},
        {"text": "hi", "price": 299, "mediaUuids": [UNKNOWN]},
        {"text": "hi", "price": "500", "mediaUuids": [UNKNOWN]},
    ],
    ids=["empty", "long", "cheap", "price as text"],
)
async def test_a_message_keeps_the_limits_of_text_and_price(app, body):
    token = (await app.connect())["access_token"]
    fan = next(iter(app.sandbox.world.first_creator.chats))
    answer = await app.api("POST", f"/chats/{fan}/message", token, body)
    assert (answer.status, set(answer.json)) == (400, {"errors"})


async def test_a_receiver_that_is_slower_than_the_limit_has_failed(launch, receiver):
    app = await launch(delivery_timeout=1.5, retry_delays=())
    receiver.open.clear()
    await app.control("endpoints", url=receiver.url)
    told = await app.control("fire", event="tip.new", wait=True)
    assert len(receiver.requests) == 1
    assert told["deliveries"][0]["attempts"][0]["status"] is None
    assert not told["deliveries"][0]["succeeded"]


async def test_a_delivery_has_ten_seconds_by_default(app):
    assert app.sandbox.settings.delivery_timeout == 10


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://127.0.0.1/", "//127.0.0.1/", "http://["])
async def test_an_endpoint_is_https_or_on_this_machine(app, url):
    body = f'{{"url": "{url}"}}'
    answer = await app.call("POST", "/sandbox/endpoints", body, {"Content-Type": "application/json"})
    assert answer.status == 400


async def test_the_headers_that_only_some_have_seen_can_be_left_out(launch, receiver):
    app = await launch(switches=Switches(topic_headers=False))
    await app.control("endpoints", url=receiver.url)
    await app.control("fire", event="message.received", wait=True)
    headers, _ = receiver.requests[0]
    assert "x-fanvue-signature" in headers
    assert not {"x-fanvue-topic", "x-fanvue-event-id", "webhook-id", "webhook-signature"} & set(headers)


async def test_an_endpoint_hears_what_it_was_made_with_of_any_family(app, receiver):
    chosen = ["message.received", "creator.message.received", "checkout_link.payment.succeeded"]
    for topics in (chosen, ["tip.new"]):
        await app.control("endpoints", url=receiver.url, topics=topics)
    await app.connect()
    await app.control("act", do="message", wait=True)
    await app.control("act", do="follow", wait=True)
    await receiver.wait(2)
    assert sorted(headers["x-fanvue-topic"] for headers, _ in receiver.requests) == sorted(chosen[:2])


async def test_the_signing_secret_is_not_the_client_secret(app, receiver):
    secret = (await app.control("endpoints", url=receiver.url))["secret"]
    assert secret != app.client_secret
    assert re.fullmatch(r"whsec_[0-9a-f]{64}", secret)
