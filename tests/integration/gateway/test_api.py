import asyncio
from contextlib import asynccontextmanager

import pytest

from fankeep.errors import (
    HostileInputError,
    NotConnected,
    ReconnectRequired,
    RefreshPending,
    StorageUnavailable,
    TransportError,
)
from fankeep.gateway import Limits
from fankeep.transport import StreamedResponse

CHAT = "/api/fanvue/chats/00000000-0000-4000-8000-0000000000aa/messages"


async def test_a_call_of_our_own_page_goes_out_as_the_session_s_user(site, user):
    site.api.headers = [("content-type", "application/json"), ("x-ratelimit-remaining", "7"), ("etag", '"x"')]
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in())
    assert (answer.status, answer.json) == (200, {"ok": True})
    assert answer.complete
    assert answer.one("x-ratelimit-remaining") == "7"
    assert answer.one("cache-control") == "no-store"
    assert "sandbox" in answer.one("content-security-policy")
    (call,) = site.api.calls
    assert (call.user, call.operation, call.params, call.body) == (user, "getCurrentUser", {}, None)


async def test_a_read_of_messages_leaves_them_unread_unless_it_asks_for_more(site):
    cookie = await site.sign_in()
    await site.call("GET", f"{CHAT}?page=2", cookie=cookie)
    await site.call("GET", f"{CHAT}?markAsRead=true", cookie=cookie)
    assert [call.query for call in site.api.calls] == [
        [("page", "2"), ("markAsRead", "false")],
        [("markAsRead", "true")],
    ]
    await site.call("GET", "/api/fanvue/users/me", cookie=cookie)
    assert site.api.calls[-1].query == []


async def test_a_body_goes_out_as_it_came(site):
    answer = await site.call(
        "POST", CHAT.replace("/messages", "/message"), b'{"text": "hi"}', cookie=await site.sign_in(),
        content_type="application/json",
    )  # fmt: skip
    assert answer.status == 200
    assert (site.api.calls[0].operation, site.api.calls[0].body) == ("sendMessage", b'{"text": "hi"}')


@pytest.mark.parametrize(
    "headers",
    [
        {"fankeep_request": None},
        {"fankeep_request": "0"},
        {"fankeep_request": ["1", "1"]},
        {"sec_fetch_site": None},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "https://evil.example"},
        {"sec_fetch_site": None, "origin": "https://evil.example"},
    ],
)
async def test_a_call_of_somebody_else_s_page_is_refused(site, headers):
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in(), **headers)
    assert (answer.status, answer.json["error"]) == (403, "forbidden")
    assert site.api.calls == []


@pytest.mark.parametrize(
    "cookie", [None, "__Host-fankeep-session=" + "x" * 43, "__Host-fankeep-session=short"]
)
async def test_without_a_session_a_call_gets_json_and_no_redirect(site, cookie):
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=cookie, accept="text/html")
    assert (answer.status, answer.json["error"]) == (401, "not_connected")
    assert answer.one("location") is None
    assert site.api.calls == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/fanvue/posts", 403),  # a real operation, not on the app's list
        ("GET", "/api/fanvue/nothing", 404),
        ("GET", "/api/fanvue/", 404),
        ("GET", "/api/fanvue/users/me/", 404),
        ("GET", "/api/fanvue//users/me", 404),
        ("GET", "/api/fanvue/users/%6de", 200),
        ("GET", "/api/fanvue/users/..%2fusers/me", 404),
        ("GET", "/api/fanvue/x/../users/me", 404),
        ("GET", "/api/fanvue/%2e%2e/users/me", 404),
        ("GET", "/api/fanvue/users%2fme", 404),
        ("GET", "/api/fanvue/users\\me", 404),
        ("GET", "/api/fanvue/chats/not-a-uuid/messages", 404),
        ("DELETE", "/api/fanvue/users/me", 404),
        ("HEAD", "/api/fanvue/users/me", 405),
        ("OPTIONS", "/api/fanvue/users/me", 405),
        ("TRACE", "/api/fanvue/users/me", 405),
    ],
)
async def test_only_operations_on_the_app_s_list_are_passed_on(site, method, path, status):
    answer = await site.call(method, path, cookie=await site.sign_in())
    assert answer.status == status
    assert len(site.api.calls) == (status == 200)
    assert answer.all("access-control-allow-origin") == []


@pytest.mark.parametrize("query", ["a", "a=%zz%ff", "=%ff", "&".join(["a=b"] * 100), "a=%FF"])
async def test_a_query_that_cannot_be_read_is_refused(site, query):
    answer = await site.call("GET", f"/api/fanvue/users/me?{query}", cookie=await site.sign_in())
    assert answer.status == 400
    assert site.api.calls == []


async def test_a_body_over_the_cap_is_refused_announced_or_not(site):
    cookie = await site.sign_in()
    path = CHAT.replace("/messages", "/message")
    announced = await site.call("POST", path, b"x" * 5000, cookie=cookie)
    assert (announced.status, announced.json["error"]) == (413, "body_too_large")
    chunked = await site.call(
        "POST", path, b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n", cookie=cookie,
        content_length=None, transfer_encoding="chunked",
    )  # fmt: skip
    assert chunked.status == 413


async def test_a_body_that_stops_coming_is_refused_in_time(open_site, make_answer):
    async with open_site(limits=Limits(receive=0.5)) as site:
        cookie, path = await site.sign_in(), CHAT.replace("/messages", "/message")
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {site.host}\r\ncookie: {cookie}\r\n"
            "sec-fetch-site: same-origin\r\nfankeep-request: 1\r\ncontent-length: 100\r\n\r\nhalf"
        )
        answer = make_answer(await site.raw(head.encode()))
    assert (answer.status, answer.json["error"]) == (408, "body_too_slow")
    assert answer.one("connection") == "close"


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (NotConnected(), 401, "not_connected", None),
        (ReconnectRequired("revoked_at_fanvue"), 401, "reconnect_required", None),
        (RefreshPending(retry_after=2.5), 503, "refresh_pending", "3"),
        (StorageUnavailable(), 503, "storage_unavailable", "1"),
        (TransportError(outcome_unknown=True), 502, "upstream_unreachable", "1"),
        (HostileInputError("header_malformed"), 400, "invalid_request", None),
        (RuntimeError("hunter2"), 500, "error", None),
    ],
)
async def test_a_failure_behind_us_is_one_shape_of_json(site, error, status, code, retry_after):
    site.api.fails = error
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in())
    assert answer.status == status
    assert answer.json.keys() == {"error", "message", "reference"}
    assert answer.json["error"] == code
    assert len(answer.json["reference"]) == 32
    assert answer.one("retry-after") == retry_after
    assert b"hunter2" not in answer.body
    assert b"revoked" not in answer.body


async def test_an_answer_of_the_api_passes_with_its_status(site):
    site.api.status, site.api.chunks = 429, [b'{"error": "slow down"}']
    site.api.headers = [("content-type", "application/json"), ("retry-after", "9")]
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in())
    assert (answer.status, answer.one("retry-after"), answer.body) == (429, "9", b'{"error": "slow down"}')


async def test_an_answer_streams_and_does_not_wait_for_its_end(site):
    go_on = asyncio.Event()

    async def in_two_parts():
        yield b"first"
        await go_on.wait()
        yield b"second"

    site.api._stream = in_two_parts
    cookie = await site.sign_in()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(
        f"GET /api/fanvue/users/me HTTP/1.1\r\nhost: {site.host}\r\ncookie: {cookie}\r\n"
        "sec-fetch-site: same-origin\r\nfankeep-request: 1\r\n\r\n".encode()
    )
    async with asyncio.timeout(30):
        await reader.readuntil(b"first")
    go_on.set()
    writer.close()


async def test_an_answer_that_breaks_off_does_not_look_complete(site):
    site.api.chunks = [b"half of it", TransportError(outcome_unknown=True)]
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in())
    assert answer.status == 200
    assert not answer.complete


async def test_nothing_more_is_read_for_a_client_that_has_left(site):
    site.api.chunks, site.api.pause = [b"x" * 1000] * 400, 0.01
    cookie = await site.sign_in()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(
        f"GET /api/fanvue/users/me HTTP/1.1\r\nhost: {site.host}\r\ncookie: {cookie}\r\n"
        "sec-fetch-site: same-origin\r\nfankeep-request: 1\r\n\r\n".encode()
    )
    await reader.readuntil(b"xxx")
    writer.transport.abort()
    await asyncio.sleep(1.0)
    given = site.api.given
    await asyncio.sleep(0.3)
    assert site.api.given == given < 300


async def test_who_asks_and_does_not_read_is_let_go(open_site):
    async with open_site(limits=Limits(send=0.3)) as site:
        let_go = asyncio.Event()

        async def endless():
            while True:
                yield b"x" * 65_536

        @asynccontextmanager
        async def forward(*_, **__):
            try:
                yield StreamedResponse(200, [("content-type", "text/plain")], endless())
            finally:
                let_go.set()

        site.api.forward = forward
        head = (
            f"GET /api/fanvue/users/me HTTP/1.1\r\nhost: {site.host}\r\nsec-fetch-site: same-origin\r\n"
            f"fankeep-request: 1\r\ncookie: {await site.sign_in()}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1024)
        writer.write(head.encode())
        async with asyncio.timeout(20):  # without the limit of this site it takes half a minute
            await let_go.wait()
        writer.close()
