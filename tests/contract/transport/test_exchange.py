"""Answers, bodies, connections: what goes over the wire and what comes back."""

import asyncio

import pytest

from fankeep.errors import ConfigurationError, TransportError
from fankeep.transport import Transport
from fankeep.types import HttpRequest


async def test_every_status_is_an_answer(server, transport):
    answer = await transport.send(
        HttpRequest("POST", server.origin + "/early-answer", {}, b"x" * 10), timeout=30
    )
    assert (answer.status, answer.body) == (413, b"too big")


async def test_repeated_header_fields_are_joined_and_unreadable_ones_left_out(server, transport):
    answer = await transport.send(HttpRequest("GET", server.origin + "/unreadable-header"), timeout=30)
    assert answer.body == b"ok"
    assert answer.headers["x-a"] == "1, 2"
    assert "x-name" not in answer.headers


async def test_headers_arrive_as_given_with_our_own_around_them(server, transport):
    headers = {"authorization": "Bearer abc", "x-fanvue-api-version": "2025-06-26", "accept-encoding": "gzip"}
    await transport.send(HttpRequest("GET", server.origin + "/ok", headers), timeout=30)
    seen = server.requests[0]
    for name, value in headers.items():
        assert seen.values(name) == [value]
    assert seen.values("user-agent") == ["fankeep"]
    assert seen.values("host") == [f"127.0.0.1:{server.port}"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_an_empty_body_is_announced_as_empty(server, transport, method):
    await transport.send(HttpRequest(method, server.origin + "/ok"), timeout=30)
    assert server.requests[0].values("content-length") == ["0"]


async def test_a_method_that_is_not_a_plain_request_is_refused(server, transport):
    for method in ("CONNECT", "TRACE", "get", "GET /ok HTTP/1.1\r\nx: y\r\n\r\nGET"):
        with pytest.raises(ValueError, match="method"):
            await transport.send(HttpRequest(method, server.origin + "/ok"), timeout=30)
    assert server.connections == 0


async def test_an_answer_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not(server, transport):
    request = HttpRequest("POST", server.origin + "/echo", {}, b"x" * 1000)
    assert len((await transport.send(request, timeout=30, max_bytes=1000)).body) == 1000
    with pytest.raises(TransportError) as caught:
        await transport.send(request, timeout=30, max_bytes=999)
    assert caught.value.outcome_unknown is True


async def test_a_streamed_body_of_known_length_is_sent_with_that_length(server, transport):
    async def pieces():
        yield b"hel"
        yield b"lo"

    request = HttpRequest("POST", server.origin + "/echo")
    async with transport.stream(request, pieces(), length=5, timeout=30) as answer:
        assert b"".join([chunk async for chunk in answer.chunks]) == b"hello"
    assert server.requests[0].values("content-length") == ["5"]
    assert server.requests[0].values("transfer-encoding") == []


@pytest.mark.parametrize("length", [3, 8])
async def test_a_streamed_body_of_another_length_than_announced_is_broken_off(server, transport, length):
    async def pieces():
        yield b"hello"

    with pytest.raises(ValueError, match="length"):
        async with transport.stream(
            HttpRequest("POST", server.origin + "/echo"), pieces(), length=length, timeout=30
        ):
            pass
    await asyncio.sleep(0.05)
    assert not any(seen.complete for seen in server.requests)


async def test_what_the_source_of_a_body_raises_reaches_the_caller(server, transport):
    class Gone(Exception):
        pass

    async def pieces():
        yield b"hello"
        raise Gone

    with pytest.raises(Gone):
        async with transport.stream(HttpRequest("POST", server.origin + "/echo"), pieces(), timeout=30):
            pass


async def test_what_happens_inside_a_streamed_answer_is_not_rewritten(server, transport):
    with pytest.raises(KeyError):
        async with transport.stream(HttpRequest("GET", server.origin + "/ok"), timeout=30):
            raise KeyError


@pytest.mark.parametrize("path", ["/short", "/short-chunked", "/rst-in-body", "/stalled-body"])
async def test_a_streamed_answer_that_breaks_off_is_an_error_and_not_an_end(
    server, transport, path, time_out
):
    async with transport.stream(HttpRequest("GET", server.origin + path), timeout=time_out) as answer:
        assert await anext(answer.chunks) == b"hello"
        with pytest.raises(TransportError):
            await anext(answer.chunks)


async def test_an_answer_left_unread_stops_the_server(server, transport):
    async with transport.stream(HttpRequest("GET", server.origin + "/endless"), timeout=60) as answer:
        await anext(answer.chunks)
    async with asyncio.timeout(30):
        while server.open:
            await asyncio.sleep(0.01)
    assert server.bytes_out < 30 << 20


async def test_one_connection_serves_calls_one_after_the_other(server, transport):
    for _ in range(5):
        await transport.send(HttpRequest("POST", server.origin + "/echo", {}, b"x"), timeout=30)
    assert server.connections == 1


async def test_a_connection_idle_for_longer_than_common_servers_keep_it_is_not_used_again(server, transport):
    await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)
    await asyncio.sleep(4.9)
    await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)
    assert server.connections == 2


async def test_a_hundred_calls_at_once_all_get_their_own_answer(server, transport):
    async def call(number: int) -> bool:
        body = b"%d" % number
        answer = await transport.send(HttpRequest("POST", server.origin + "/echo", {}, body), timeout=30)
        return answer.body == body

    assert all(await asyncio.gather(*map(call, range(100))))
    assert server.connections <= 100


async def test_more_calls_than_connections_take_turns(server):
    transport = Transport(https_only=False, max_connections=4)
    calls = [transport.send(HttpRequest("GET", server.origin + "/busy"), timeout=30) for _ in range(40)]
    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
    assert server.most_at_once == 4
    await transport.close()


async def test_a_cancelled_call_gives_its_connection_back_when_its_time_is_over(server):
    transport = Transport(https_only=False, connect_timeout=0.2, max_connections=1)
    call = asyncio.create_task(transport.send(HttpRequest("GET", server.origin + "/silent"), timeout=0.5))
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await asyncio.sleep(1.5)
    assert (await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)).status == 200
    await transport.close()


async def test_on_a_closing_connection_nothing_is_sent_twice_and_every_failure_is_unknown(server, transport):
    outcomes = []
    for _ in range(100):
        try:
            await transport.send(HttpRequest("POST", server.origin + "/closing", {}, b"x"), timeout=30)
        except TransportError as error:
            outcomes.append(error.outcome_unknown)
        await asyncio.sleep(0.002)
    assert all(outcomes)
    assert len(server.requests) <= 100
    assert len(server.requests) + len(outcomes) >= 100


@pytest.mark.parametrize(
    "content", [None, b"", b"nothing of the kind", b"-----BEGIN CERTIFICATE-----\nAAAA\n"]
)
def test_a_file_of_certificates_without_one_stops_the_start(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="certificate"):
        Transport(ca_file=path)
