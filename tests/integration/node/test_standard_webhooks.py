"""A receiver in Node.js, with the published Standard Webhooks library, takes what a real gateway forwards."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
import requests

from fankeep.cli.demo.browser import Browser
from fankeep.cli.stack import Stack
from fankeep.fanvue import sign_webhook
from fankeep.transport.ports import free_port

TYPE = "creator.payment.succeeded"
GENUINE, ALTERED = b'"gross":500', b'"gross":100'


class Meddler:
    """What lies on the way: one message passes with an altered price, all others as they are."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._running: set[asyncio.Task[None]] = set()
        self.altered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._running.add(task)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._copy(reader, upstream_writer, meddle=True))
                ways.create_task(self._copy(upstream_reader, writer, meddle=False))
        finally:
            self._running.discard(task)
            for end in (writer, upstream_writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def stop(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, meddle: bool) -> None:
        with suppress(ConnectionError):
            while part := await source.read(1 << 16):
                if meddle and not self.altered and GENUINE in part:
                    self.altered += 1
                    part = part.replace(GENUINE, ALTERED)
                to.write(part)
                await to.drain()
            to.write_eof()


@asynccontextmanager
async def meddling(port: int) -> AsyncIterator[tuple[Meddler, int]]:
    """Put one before a port; yields it and its own port."""
    meddler = Meddler(port)
    server = await asyncio.start_server(meddler.serve, "127.0.0.1", 0)
    try:
        yield meddler, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await meddler.stop()


def connected(stack: Stack) -> str:
    """Let a creator connect through the pages; returns who it is."""
    state = requests.get(f"{stack.sandbox_url}/sandbox/state", timeout=10).json()
    creator = state["creators"][0]["uuid"]
    browser = Browser()
    page = browser.open(f"{stack.gateway_url}/auth/login")
    page = browser.submit(page, page.form("/auth/login"))
    page = browser.submit(page, page.form("/login"), {"creator": creator})
    page = browser.submit(page, page.form("/consent"), {"decision": "allow"})
    assert page.url.startswith(stack.gateway_url)
    return creator


def delivery(number: int, creator: str, price: int) -> bytes:
    data = {"id": f"pay_{number}", "creator": {"uuid": creator}, "gross": price, "currency": "usd"}
    return json.dumps({"id": f"evt_{number}", "type": TYPE, "data": data}).encode()


@pytest.fixture
def stack(tmp_path) -> Iterator[Stack]:
    with Stack(
        tmp_path / "stack", gateway_port=free_port(), sandbox_port=free_port(), logs=tmp_path / "logs"
    ) as stack:
        yield stack


def deliver(stack: Stack, body: bytes) -> None:
    signature = sign_webhook(body, stack.credentials.webhook_secret, timestamp=int(time.time()))
    headers = {"content-type": "application/json", "x-fanvue-signature": signature}
    answer = requests.post(f"{stack.gateway_url}/webhooks/fanvue", data=body, headers=headers, timeout=10)
    assert answer.status_code // 100 == 2, answer.text


async def test_every_event_verifies_there_and_one_that_was_altered_on_the_way_is_refused_and_sent_again(
    stack, node
) -> None:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    receiver = node("receiver.mjs", secret)
    prices = {1: 300, 2: 500, 3: 700}
    async with meddling(receiver.read()["port"]) as (meddler, port):
        await asyncio.to_thread(stack.start_sandbox)
        gateway = await asyncio.to_thread(
            stack.start_gateway,
            FANKEEP_FORWARD_URL=f"http://127.0.0.1:{port}/events",
            FANKEEP_FORWARD_SECRET=secret,
        )
        creator = await asyncio.to_thread(connected, stack)
        for number, price in prices.items():
            await asyncio.to_thread(deliver, stack, delivery(number, creator, price))
        came = [await asyncio.to_thread(receiver.read) for _ in range(len(prices) + 1)]
        await asyncio.to_thread(gateway.stop)
    assert meddler.altered == 1
    (refused,) = [line for line in came if "refused" in line]
    events = {line["id"]: line["event"] for line in came if "event" in line}
    assert refused["refused"] == "WebhookVerificationError"
    assert events[refused["id"]]["data"]["gross"] == 500
    assert sorted(event["data"]["gross"] for event in events.values()) == sorted(prices.values())
    assert {event["id"] for event in events.values()} == events.keys()
    assert {(event["type"], event["creator"]) for event in events.values()} == {(TYPE, creator)}
