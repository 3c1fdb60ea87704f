"""Calls of our own, over a real socket."""

import json

import pytest

from fankeep.client import ApiError
from fankeep.errors import (
    ConfigurationError,
    ProviderError,
    ReconnectRequired,
    RefreshPending,
    RetryableError,
    TransportError,
)

FAN = "7f3c0b6e-0000-4000-8000-000000000002"


async def test_a_call_goes_to_its_path_with_token_and_version(api, client, answer):
    api.reply = lambda _: answer(data={"uuid": "u", "isNew": True}, x_request_id="r-1")
    result = await client.call("getCurrentUser")
    assert result.data == {"uuid": "u", "isNew": True}
    assert result.request_id == "r-1"
    request = api.requests[0]
    assert (request.method, request.path, request.query, request.body) == ("GET", "/users/me", [], b"")
    assert request.token == "token-1"
    assert request.headers["x-fanvue-api-version"] == "2025-06-26"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_write_sends_its_body_as_json_once(api, client, answer):
    api.reply = lambda _: answer(201, {"messageUuid": "m"})
    result = await client.call("sendMessage", params={"userUuid": FAN}, body={"text": "hé"})
    assert result.status == 201
    request = api.requests[0]
    assert request.path == f"/chats/{FAN}/message"
    assert json.loads(request.body) == {"text": "hé"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.body))
    assert len(api.requests) == 1


async def test_reading_messages_does_not_mark_them_as_read_unless_asked_to(api, client):
    await client.call("listMessages", params={"userUuid": FAN})
    await client.call("listMessages", params={"userUuid": FAN}, query={"size": 5, "markAsRead": True})
    await client.call("listChats", query={"size": 5})
    assert [request.query for request in api.requests] == [
        [("markAsRead", "false")],
        [("size", "5"), ("markAsRead", "true")],
        [("size", "5")],
    ]


async def test_a_401_is_reported_and_the_call_made_again_with_a_newer_token(api, client, tokens, answer):
    tokens.newest = 2
    api.reply = lambda request: answer(401) if request.token == "token-1" else answer(data={"ok": 1})
    result = await client.call("sendMessage", params={"userUuid": FAN}, body={"text": "once"})
    assert result.data == {"ok": 1}
    assert tokens.refusals == [1]
    assert [request.token for request in api.requests] == ["token-1", "token-2"]
    assert api.requests[0].body == api.requests[1].body != b""


async def test_a_401_without_a_newer_token_is_passed_on(api, client, tokens, answer):
    api.reply = lambda _: answer(401, {"error": "Unauthorized"})
    with pytest.raises(ApiError) as caught:
        await client.call("getCurrentUser")
    assert caught.value.http_status == 401
    assert tokens.refusals == [1]
    assert len(api.requests) == 1


async def test_a_second_401_is_passed_on(api, client, tokens, answer):
    tokens.newest = 9
    api.reply = lambda _: answer(401)
    with pytest.raises(ApiError):
        await client.call("getCurrentUser")
    assert len(api.requests) == 2
    assert tokens.refusals == [1]


@pytest.mark.parametrize("failure", [ReconnectRequired("revoked_at_fanvue"), RefreshPending()])
async def test_without_a_token_nothing_is_sent(api, client, tokens, failure):
    tokens.failure = failure
    with pytest.raises(type(failure)):
        await client.call("getCurrentUser")
    assert api.requests == []


async def test_the_rate_limit_is_handed_to_the_caller_and_nothing_is_repeated(api, client, answer):
    api.reply = lambda _: answer(429, {"error": "slow"}, retry_after="17")
    with pytest.raises(RetryableError) as caught:
        await client.call("sendMessage", params={"userUuid": FAN}, body={"text": "x"})
    assert caught.value.retry_after == 17
    assert len(api.requests) == 1


async def test_a_server_error_is_not_repeated_and_its_outcome_unknown(api, client, answer):
    api.reply = lambda _: answer(503)
    with pytest.raises(TransportError) as caught:
        await client.call("sendMessage", params={"userUuid": FAN}, body={"text": "x"})
    assert caught.value.outcome_unknown is True
    assert len(api.requests) == 1


async def test_a_redirect_is_a_refusal_and_the_token_stays_here(api, client, answer):
    api.reply = lambda _: answer(302, location="/elsewhere")
    with pytest.raises(ApiError) as caught:
        await client.call("getCurrentUser")
    assert caught.value.http_status == 302
    assert len(api.requests) == 1


async def test_an_answer_over_the_limit_is_not_read_to_its_end(api, client, answer):
    api.reply = lambda _: answer(data="x" * (9 << 20))
    with pytest.raises(TransportError):
        await client.call("getCurrentUser")


async def test_mistakes_in_a_call_are_told_before_anything_is_sent(api, client):
    with pytest.raises(ConfigurationError):
        await client.call("noSuchOperation")
    for params in ({}, {"userUuid": "../../users/me"}, {"userUuid": FAN, "other": "x"}):
        with pytest.raises(ValueError):
            await client.call("sendMessage", params=params)
    assert api.requests == []


async def test_numbered_pages_are_read_to_the_last(api, client, answer):
    def reply(request):
        page = int(dict(request.query).get("page", "1"))
        return answer(data={"data": [page], "pagination": {"page": page, "size": 1, "hasMore": page < 3}})

    api.reply = reply
    pages = [page.data["data"] async for page in client.pages("listFollowers", query={"size": 1})]
    assert pages == [[1], [2], [3]]
    assert [request.query for request in api.requests] == [
        [("size", "1")],
        [("size", "1"), ("page", "2")],
        [("size", "1"), ("page", "3")],
    ]


async def test_cursors_are_followed_to_the_last(api, client, answer):
    following = {None: "a/+", "a/+": "b", "b": None}

    def reply(request):
        cursor = dict(request.query).get("cursor")
        return answer(data={"data": [cursor], "nextCursor": following[cursor]})

    api.reply = reply
    pages = [page.data["data"] async for page in client.pages("getEarnings", query={"size": 50})]
    assert pages == [[None], ["a/+"], ["b"]]


async def test_pages_that_lead_in_a_circle_end_in_an_error(api, client, answer):
    api.reply = lambda _: answer(data={"data": [1], "nextCursor": "same"})
    with pytest.raises(ProviderError):
        [page async for page in client.pages("getEarnings")]
    assert len(api.requests) == 2


async def test_pages_of_messages_stay_unread_on_every_page(api, client, answer):
    def reply(request):
        return answer(data={"data": [1], "pagination": {"hasMore": dict(request.query).get("page") is None}})

    api.reply = reply
    assert len([page async for page in client.pages("listMessages", params={"userUuid": FAN})]) == 2
    assert all(("markAsRead", "false") in request.query for request in api.requests)
