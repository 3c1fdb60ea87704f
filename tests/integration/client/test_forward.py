"""Somebody's request passed on as a creator's, over a real socket."""

import pytest

from fankeep.client.body import REPLAY_BYTES
from fankeep.errors import HostileInputError, ReconnectRequired, TransportError
from fankeep.fanvue.operations import operation

FAN = "7f3c0b6e-0000-4000-8000-000000000002"


async def source(*pieces: bytes):
    for piece in pieces:
        yield piece


@pytest.fixture
def send(fanvue, user):
    """Forward a message and read the whole answer."""

    async def forward(*pieces, headers=(), query=(), op="sendMessage", **kwargs):
        params = {"userUuid": FAN}
        body = source(*pieces) if pieces else None
        async with fanvue.forward(user, operation(op), params, query, headers, body=body, **kwargs) as answer:
            return answer, b"".join([chunk async for chunk in answer.chunks])

    return forward


async def test_only_listed_headers_pass_in_either_direction(api, send, answer):
    api.reply = lambda _: answer(
        data={}, set_cookie="a=b", location="/x", x_ratelimit_remaining="7", access_control_allow_origin="*"
    )
    headers = [
        ("Cookie", "__Host-fankeep=secret"),
        ("Authorization", "Bearer theirs"),
        ("X-Fanvue-API-Version", "1999-01-01"),
        ("X-Forwarded-Host", "evil.example"),
        ("Accept-Language", "de"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "k-1"),
    ]
    got, _ = await send(b"{}", headers=headers)
    request = api.requests[0]
    assert request.token == "token-1"
    assert request.headers["x-fanvue-api-version"] == "2025-06-26"
    assert request.headers["accept-language"] == "de"
    assert request.headers["idempotency-key"] == "k-1"
    assert not {"cookie", "x-forwarded-host"} & request.headers.keys()
    assert dict(got.headers) == {
        "content-type": "application/json",
        "content-length": "2",
        "x-ratelimit-remaining": "7",
    }


@pytest.mark.parametrize("status", [200, 204, 302, 400, 403, 404, 429, 500, 503])
async def test_every_status_is_passed_through_with_its_body(api, send, answer, status):
    data = None if status == 204 else {"error": "as it is"}
    api.reply = lambda _: answer(status, data, retry_after="9")
    got, body = await send(b"{}")
    assert got.status == status
    assert body == (b"" if status == 204 else b'{"error": "as it is"}')
    assert ("retry-after", "9") in got.headers
    assert len(api.requests) == 1


async def test_the_query_is_built_anew_in_its_order(api, send):
    query = [("markAsRead", "true"), ("a&b", "c=d#?/ é"), ("markAsRead", "")]
    await send(op="listMessages", query=query)
    assert api.requests[0].query == query
    assert api.requests[0].path == f"/chats/{FAN}/messages"


async def test_a_small_body_is_sent_again_after_a_401(api, send, tokens, answer):
    tokens.newest = 2
    api.reply = lambda request: answer(401 if request.token == "token-1" else 200, {})
    got, _ = await send(b"a" * 1000, b"b" * 1000)
    assert got.status == 200
    assert tokens.refusals == [1]
    assert [request.body for request in api.requests] == [b"a" * 1000 + b"b" * 1000] * 2


async def test_a_body_over_the_replay_buffer_is_not_sent_again(api, send, tokens, answer):
    tokens.newest = 2
    api.reply = lambda request: answer(401 if request.token == "token-1" else 200, {})
    got, _ = await send(b"a" * REPLAY_BYTES, b"b")
    assert got.status == 401
    assert tokens.refusals == [1]
    assert [len(request.body) for request in api.requests] == [REPLAY_BYTES + 1]
    assert (await send(b"{}"))[0].status == 200


async def test_a_401_that_no_newer_token_answers_is_passed_on_unchanged(api, send, tokens, answer):
    api.reply = lambda _: answer(401, {"error": "Unauthorized"})
    got, body = await send(b"{}")
    assert (got.status, body) == (401, b'{"error": "Unauthorized"}')
    assert tokens.refusals == [1]


async def test_a_grant_found_dead_after_a_401_is_told_as_such(api, send, tokens, answer):
    async def refused(user, generation):
        tokens.failure = ReconnectRequired("revoked_at_fanvue")

    tokens.refused = refused
    api.reply = lambda _: answer(401)
    with pytest.raises(ReconnectRequired):
        await send(b"{}")


async def test_a_large_body_of_known_length_keeps_it(api, send):
    pieces = [b"x" * 40_000] * 3
    await send(*pieces, headers=[("Content-Length", "120000")])
    assert api.requests[0].headers["content-length"] == "120000"
    assert api.requests[0].body == b"".join(pieces)


async def test_a_large_body_of_unknown_length_is_chunked(api, send):
    pieces = [b"x" * 40_000] * 3
    await send(*pieces)
    assert api.requests[0].headers["transfer-encoding"] == "chunked"
    assert api.requests[0].body == b"".join(pieces)


async def test_a_header_that_cannot_be_sent_stops_the_request(api, send):
    with pytest.raises(HostileInputError):
        await send(b"{}", headers=[("Accept", "a\r\nauthorization: Bearer theirs")])
    assert api.requests == []


async def test_a_query_that_cannot_be_encoded_stops_the_request(api, send):
    with pytest.raises(HostileInputError):
        await send(op="listMessages", query=[("a", "\udc80")])
    assert api.requests == []


async def test_what_the_source_of_a_body_raises_is_not_hidden(fanvue, user):
    class Gone(Exception):
        pass

    async def broken():
        yield b"x" * (REPLAY_BYTES + 1)
        raise Gone

    with pytest.raises(Gone):
        async with fanvue.forward(user, operation("sendMessage"), {"userUuid": FAN}, (), (), body=broken()):
            pass


async def test_a_lost_connection_says_that_the_outcome_is_unknown(api, send):
    api.reply = lambda _: (
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello" if api.requests[1:] else b"garbage\r\n\r\n"
    )
    for _ in range(2):
        with pytest.raises(TransportError) as caught:
            await send(b"{}", timeout=1)
        assert caught.value.outcome_unknown is True
    assert len(api.requests) == 2
