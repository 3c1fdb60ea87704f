"""The eight rules under which the HTTP library is used, each as one test."""

import asyncio
import time
import traceback

import pytest

from fankeep.errors import TransportError
from fankeep.transport import NotSent, Transport
from fankeep.types import HttpRequest

PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def post(url: str, body: bytes = b"refresh_token=1", **headers: str) -> HttpRequest:
    return HttpRequest("POST", url, headers, body)


async def test_rule_1_no_proxy_no_redirect_no_cookie_and_both_time_outs(server, other_server, monkeypatch):
    for name in PROXY_VARIABLES:
        monkeypatch.setenv(name, other_server.origin)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    transport = Transport(https_only=False, connect_timeout=0.3)

    answer = await transport.send(HttpRequest("GET", server.origin + "/redirect"), timeout=30)
    assert answer.status == 302
    await transport.send(HttpRequest("GET", server.origin + "/cookie"), timeout=30)
    await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)
    assert [seen.target for seen in server.requests] == ["/redirect", "/cookie", "/ok"]
    assert not any(seen.values("cookie") or seen.values("referer") for seen in server.requests)
    assert other_server.connections == 0

    for too_short in (0.3, 0.1, 0, float("nan")):
        with pytest.raises(ValueError, match="time-out"):
            await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=too_short)
    began = time.monotonic()
    with pytest.raises(TransportError):
        await transport.send(HttpRequest("GET", server.origin + "/silent"), timeout=0.5)
    assert time.monotonic() - began < 30
    await transport.close()


@pytest.mark.parametrize("kind", ["wrong name", "expired", "foreign CA", "TLS 1.1"])
async def test_rule_1_a_server_that_cannot_prove_who_it_is_gets_nothing(tls_server, tls_transport, kind):
    async with tls_server(kind) as impostor:
        with pytest.raises(TransportError) as caught:
            await tls_transport.send(post(impostor.origin + "/ok"), timeout=30)
        assert caught.value.outcome_unknown is False
        assert impostor.connections == 1
        assert impostor.requests == []


async def test_rule_1_the_right_server_is_reached_over_tls(tls_server, tls_transport):
    async with tls_server("good") as genuine:
        answer = await tls_transport.send(post(genuine.origin + "/echo", b"hello"), timeout=30)
    assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize("https_only", [True, False])
@pytest.mark.parametrize("url", ["http://api.example/", "http://10.0.0.1/", "http://localhost.example/"])
async def test_rule_1_plain_http_never_leaves_the_machine(url, https_only):
    transport = Transport(https_only=https_only)
    with pytest.raises(ValueError, match="not https"):
        await transport.send(HttpRequest("GET", url), timeout=30)


async def test_rule_1_plain_http_to_loopback_needs_an_explicit_permission(server):
    transport = Transport()
    with pytest.raises(ValueError, match="not https"):
        await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)
    assert server.connections == 0


async def test_rule_2_never_sent_is_said_only_when_nothing_was_sent(server, transport, unused_tcp_port):
    with pytest.raises(TransportError) as refused:
        await transport.send(post(f"http://127.0.0.1:{unused_tcp_port}/"), timeout=30)
    assert refused.value.outcome_unknown is False

    # The library calls both of these connection errors as well.
    for path in ("/fin", "/rst"):
        with pytest.raises(TransportError) as lost:
            await transport.send(post(server.origin + path), timeout=30)
        assert lost.value.outcome_unknown is True
    assert [seen.complete for seen in server.requests] == [True, True]


async def test_rule_3_without_keep_alive_no_call_meets_a_closing_connection(server):
    transport = Transport(https_only=False, keep_alive=False)
    for _ in range(150):
        answer = await transport.send(post(server.origin + "/closing"), timeout=30)
        assert answer.status == 200
        await asyncio.sleep(0.0015)
    assert server.connections == 150
    await transport.close()


async def test_rule_4_a_cancelled_call_counts_as_sent(server, transport):
    calls = [
        asyncio.create_task(transport.send(post(server.origin + "/silent"), timeout=30)) for _ in range(10)
    ]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    async with asyncio.timeout(30):
        while sum(seen.complete for seen in server.requests) < 10:
            await asyncio.sleep(0.01)
    assert all(call.cancelled() for call in calls)


async def test_rule_5_an_answer_passes_through_as_it_comes(server, transport):
    async with transport.stream(HttpRequest("GET", server.origin + "/in-two-parts"), timeout=30) as answer:
        assert await anext(answer.chunks) == b"first"
        server.go_on.set()
        assert await anext(answer.chunks) == b"later"
        with pytest.raises(StopAsyncIteration):
            await anext(answer.chunks)


async def test_rule_5_a_request_body_passes_through_as_it_comes(server, transport):
    async def pieces():
        yield b"first"
        await asyncio.wait_for(server.body_arrived.wait(), 30)
        yield b"later"

    request = HttpRequest("POST", server.origin + "/echo")
    async with transport.stream(request, pieces(), timeout=30) as answer:
        assert b"".join([chunk async for chunk in answer.chunks]) == b"firstlater"
    assert server.requests[0].values("transfer-encoding") == ["chunked"]


async def test_rule_5_every_read_has_a_cap_and_nothing_is_unpacked(server, transport):
    with pytest.raises(TransportError, match="too large"):
        await transport.send(HttpRequest("GET", server.origin + "/endless"), timeout=10, max_bytes=1 << 20)
    assert server.bytes_out < 30 << 20

    packed = await transport.send(HttpRequest("GET", server.origin + "/gzip-bomb"), timeout=30)
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < 1 << 17
    assert server.requests[-1].values("accept-encoding") == ["identity"]


@pytest.mark.parametrize(
    "path",
    [
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/%2E./b",
        "/a/.%2e",
        "/a\\b",
        "/a b",
        "/a\tb",
        "/é",
        "//../b",
        "/a#f",
    ],
)
async def test_rule_6_the_path_asked_for_is_the_path_given(server, transport, path):
    with pytest.raises(ValueError, match="address"):
        await transport.send(HttpRequest("GET", server.origin + path), timeout=30)
    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f000001", "2130706433", "[0:0:0:0:0:0:0:1]", "a..b@c", "a.example\\@b"]
)
async def test_rule_6_the_host_asked_for_is_the_host_given(transport, host):
    with pytest.raises(ValueError, match="address"):
        await transport.send(HttpRequest("GET", f"http://{host}/ok"), timeout=30)


@pytest.mark.parametrize(
    "target",
    ["/ok", "/ok?q=a%20b&c=%2e%2e/..%2f", "/ok?", "/ok?filter[a]=1|2&b={c}^`~", "/x;y|[z]/@:!$&()*+,=%2F%zz"],
)
async def test_rule_6_a_path_that_means_itself_arrives_unchanged(server, transport, target):
    await transport.send(HttpRequest("GET", server.origin + target), timeout=30)
    assert server.requests[0].target == target


@pytest.mark.parametrize(
    "name",
    [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
    ],
)
async def test_rule_7_framing_and_connection_headers_never_come_from_the_caller(server, transport, name):
    with pytest.raises(ValueError, match="belongs to the transport"):
        await transport.send(HttpRequest("POST", server.origin + "/ok", {name: "1"}, b"x"), timeout=30)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x", "a\0b"),
        ("x", "\x7f"),
        ("x", " a"),
        ("x", "é"),
        ("x y", "a"),
        ("", "a"),
    ],
)
async def test_rule_7_a_header_that_could_become_two_is_refused(server, transport, name, value):
    with pytest.raises(ValueError, match="header"):
        await transport.send(HttpRequest("GET", server.origin + "/ok", {name: value}), timeout=30)
    assert server.connections == 0


@pytest.mark.parametrize(
    "path",
    [
        "/fin",
        "/rst",
        "/half-a-head",
        "/garbage",
        "/short",
        "/many-headers",
        "/silent",
        "/refused",
        "/guarded",
    ],
)
async def test_rule_8_an_error_holds_nothing_of_the_call(server, transport, unused_tcp_port, path, time_out):
    def guard():
        if path == "/guarded":
            raise NotSent

    origin = f"http://127.0.0.1:{unused_tcp_port}" if path == "/refused" else server.origin
    request = post(
        f"{origin}{path.replace('guarded', 'ok')}?q=marked", b"marked", authorization="Bearer marked"
    )
    with pytest.raises(TransportError) as caught:
        await transport.send(request, timeout=time_out, guard=guard)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for part in ("marked", "127.0.0.1", str(server.port), path):
        assert part not in text.replace("test_rules.py", "")


@pytest.mark.parametrize(
    "url", ["https://u:marked@a.example/", "https://a.example:99999/?marked", "https://marked.1/"]
)
async def test_rule_8_a_refused_address_is_not_repeated_in_the_error(transport, url):
    with pytest.raises(ValueError, match="address") as caught:
        await transport.send(HttpRequest("GET", url), timeout=30)
    assert "marked" not in str(caught.value)
    assert caught.value.__context__ is None
