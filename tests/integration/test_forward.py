"""Events that are sent on to an app verify with a Standard Webhooks library and are retried when refused."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from fankeep.errors import ConfigurationError, TransportError
from fankeep.inbox import ReceivedEvent
from fankeep.inbox.forward import Forwarder
from fankeep.secret import Secret
from fankeep.transport import Transport
from fankeep.types import UserId

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
CREATOR = UserId("00000000-0000-4000-8000-000000000001")


@dataclass
class App:
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        app.requests.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {app.status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    app.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    yield app
    server.close()


@pytest.fixture
async def forward(app: App) -> AsyncIterator[Forwarder]:
    transport = Transport(https_only=False)
    yield Forwarder(transport, app.url, Secret(SECRET))
    await transport.close()


def event(**changes) -> ReceivedEvent:
    values = {
        "id": "0f" * 16,
        "type": "creator.message.received",
        "family": "creator",
        "creator": CREATOR,
        "occurred_at": 1700000000.5,
        "received_at": 1700000003.0,
        "data": {"uuid": "u", "price": 500},
        "attempt": 1,
        "replayed": False,
    }
    return ReceivedEvent(**{**values, **changes})


async def test_the_published_library_verifies_what_is_sent(app, forward) -> None:
    await forward(event())
    headers, body = app.requests[0]
    verified = Webhook(SECRET).verify(body, headers)
    assert verified == {
        "id": "0f" * 16,
        "type": "creator.message.received",
        "timestamp": "2023-11-14T22:13:20.500000Z",
        "family": "creator",
        "creator": CREATOR,
        "replayed": False,
        "data": {"uuid": "u", "price": 500},
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"500", b"900", 1), headers)


async def test_an_event_that_did_not_say_when_it_happened_carries_when_it_arrived(app, forward) -> None:
    await forward(event(occurred_at=None))
    assert json.loads(app.requests[0][1])["timestamp"] == "2023-11-14T22:13:23Z"


@pytest.mark.parametrize("status", [301, 400, 401, 500, 503])
async def test_anything_but_a_2xx_is_an_error_so_that_it_is_tried_again(app, forward, status: int) -> None:
    app.status = status
    with pytest.raises(TransportError):
        await forward(event())


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "plain text", "whsec_not base64!", SECRET[6:]]
)
def test_a_secret_that_the_libraries_would_not_take_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Forwarder(Transport(https_only=False), "http://localhost:1/events", Secret(secret))
    assert secret in ("", "whsec_") or secret not in str(refused.value)
