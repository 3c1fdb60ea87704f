"""What is said about each kind of failure: nothing was sent, or nobody knows."""

import asyncio
import contextlib
import socket

import pytest

from fankeep.errors import TransportError
from fankeep.transport import NotSent, Transport
from fankeep.types import HttpRequest

AFTER_SENDING = [
    "/fin",
    "/rst",
    "/half-a-head",
    "/silent",
    "/short",
    "/short-chunked",
    "/rst-in-body",
    "/stalled-body",
    "/drip",
    "/garbage",
    "/two-lengths",
    "/many-headers",
    "/huge-header",
]


def no_guard() -> None:
    """Let everything pass."""


@contextlib.asynccontextmanager
async def full_backlog():
    """A port whose queue of connections is full: a further TCP connect gets no answer."""
    with socket.socket() as listener, contextlib.ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(listener.getsockname())
        await asyncio.sleep(0.05)
        yield listener.getsockname()[1]


@contextlib.asynccontextmanager
async def mute_server():
    """A port that accepts and never says a word, not even in TLS."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


@pytest.mark.parametrize("guard", [None, no_guard])
@pytest.mark.parametrize("path", AFTER_SENDING)
async def test_a_failure_after_sending_is_unknown(server, transport, path, guard, time_out):
    request = HttpRequest("POST", server.origin + path, {}, b"once")
    with pytest.raises(TransportError) as caught:
        await transport.send(request, timeout=time_out, guard=guard)
    assert caught.value.outcome_unknown is True
    assert [bytes(seen.body) for seen in server.requests] == [b"once"]


@pytest.mark.parametrize("guard", [None, no_guard])
async def test_a_tcp_connection_that_does_not_come_about_is_never_sent(transport, guard):
    async with full_backlog() as port:
        request = HttpRequest("POST", f"http://127.0.0.1:{port}/", {}, b"once")
        with pytest.raises(TransportError) as caught:
            await transport.send(request, timeout=30, guard=guard)
    assert caught.value.outcome_unknown is False


@pytest.mark.parametrize("guard", [None, no_guard])
async def test_a_tls_handshake_that_does_not_come_about_is_never_sent(hasty_tls_transport, guard):
    async with mute_server() as port:
        request = HttpRequest("POST", f"https://127.0.0.1:{port}/", {}, b"once")
        with pytest.raises(TransportError) as caught:
            await hasty_tls_transport.send(request, timeout=30, guard=guard)
    assert caught.value.outcome_unknown is False


async def test_a_name_that_does_not_exist_is_never_sent(hasty_tls_transport):
    request = HttpRequest("POST", "https://no-such-name.invalid/", {}, b"once")
    with pytest.raises(TransportError) as caught:
        await hasty_tls_transport.send(request, timeout=30)
    assert caught.value.outcome_unknown is False


async def test_a_guarded_call_waits_as_long_for_its_turn_as_for_a_connection_and_is_then_never_sent(server):
    transport = Transport(https_only=False, connect_timeout=0.2, max_connections=1)
    request = HttpRequest("POST", server.origin + "/silent", {}, b"once")
    first = asyncio.create_task(transport.send(request, timeout=60))
    await asyncio.wait_for(server.body_arrived.wait(), 30)
    async with asyncio.timeout(30):
        with pytest.raises(TransportError) as caught:
            await transport.send(request, timeout=60, guard=no_guard)
    assert caught.value.outcome_unknown is False
    assert len(server.requests) == 1
    first.cancel()
    await transport.close()


async def test_a_guard_is_asked_once_when_the_connection_stands_and_no_body_has_left(
    tls_server, tls_transport
):
    asked = []
    async with tls_server("good", tls_delay=0.2) as server:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def guard():
            asked.append(
                (loop.time() - began, server.connections, [bytes(seen.body) for seen in server.requests])
            )

        request = HttpRequest("POST", server.origin + "/echo", {}, b"hello")
        answer = await tls_transport.send(request, timeout=30, guard=guard)
    assert answer.body == b"hello"
    assert len(asked) == 1
    waited, connections, bodies = asked[0]
    assert waited >= 0.2
    assert connections == 1
    assert b"hello" not in bodies
    assert server.requests[0].values("content-length") == ["5"]


async def test_a_guard_that_says_no_keeps_the_body_back(server, transport):
    def guard():
        raise NotSent

    request = HttpRequest("POST", server.origin + "/echo", {}, b"secret")
    with pytest.raises(TransportError) as caught:
        await transport.send(request, timeout=30, guard=guard)
    assert caught.value.outcome_unknown is False
    await asyncio.sleep(0.1)
    assert [(bytes(seen.body), seen.complete) for seen in server.requests] in ([], [(b"", False)])


async def test_a_guard_is_not_asked_when_there_is_no_connection(transport, unused_tcp_port):
    asked = []
    request = HttpRequest("POST", f"http://127.0.0.1:{unused_tcp_port}/", {}, b"x")
    with pytest.raises(TransportError):
        await transport.send(request, timeout=30, guard=lambda: asked.append(1))
    assert asked == []


async def test_what_a_guard_raises_by_mistake_is_not_hidden(server, transport):
    def guard():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await transport.send(HttpRequest("POST", server.origin + "/ok", {}, b"x"), timeout=30, guard=guard)


async def test_a_guard_without_a_body_to_hold_back_is_a_mistake(server, transport):
    with pytest.raises(ValueError, match="guard"):
        await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30, guard=no_guard)


async def test_a_guarded_call_cancelled_before_the_connection_stands_does_not_leave(
    tls_server, tls_transport
):
    asked = []
    async with tls_server("good", tls_delay=0.2) as server:
        request = HttpRequest("POST", server.origin + "/ok", {}, b"secret")
        call = asyncio.create_task(tls_transport.send(request, timeout=30, guard=lambda: asked.append(1)))
        async with asyncio.timeout(30):
            while not server.connections:
                await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.sleep(0.4)
        assert server.connections == 1
        assert asked == []
        assert not any(seen.body for seen in server.requests)


async def test_a_call_on_a_closed_transport_fails_as_ours(server, transport):
    await transport.close()
    with pytest.raises(TransportError):
        await transport.send(HttpRequest("GET", server.origin + "/ok"), timeout=30)
