"""fankeep as a library: an app of its own, with a sandbox for Fanvue."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fankeep import Keep, Settings, sign_webhook
from fankeep.cli.demo.browser import Browser
from fankeep.errors import ConfigurationError, FankeepError, NotConnected, ReconnectRequired
from fankeep.inbox import ReceivedEvent
from fankeep.sandbox import AppRegistration, Sandbox, SandboxSettings, Switches, running_sandbox
from fankeep.secret import Secret
from fankeep.store import Command, open_data, trail
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port

CLIENT_SECRET = secrets.token_hex(32)
WEBHOOK_SECRET = "whsec_" + secrets.token_hex(32)
STRANGER = "00000000-0000-4000-8000-00000000dead"
SECONDS = 30


class House:
    """A sandbox, and a Keep that listens as its app."""

    def __init__(self, sandbox: Sandbox, keep: Keep, public_url: str) -> None:
        self.sandbox = sandbox
        self.keep = keep
        self.public_url = public_url
        self.creator = sandbox.world.first_creator.uuid

    async def connect(self) -> str:
        """Sign the first creator in, as a browser would, and return who it was."""
        return await asyncio.to_thread(self._connect)

    def _connect(self) -> str:
        browser = Browser()
        page = browser.open(f"{self.public_url}/auth/login?return_to=/auth/disconnect")
        fanvue = browser.submit(page, page.form("/auth/login"))
        if fanvue.forms() and urlsplit(fanvue.forms()[0].action).path == "/login":
            fanvue = browser.submit(fanvue, fanvue.form("/login"), {"creator": self.creator})
        if fanvue.url.startswith(self.sandbox.base_url):
            browser.submit(fanvue, fanvue.form("/consent"), {"decision": "allow"})
        return str(browser.fetch(f"{self.public_url}/auth/session").json()["user"])


@asynccontextmanager
async def house(
    folder: Path, *, switches: Switches | None = None, **settings: object
) -> AsyncIterator[House]:
    port = free_port()
    public_url = f"http://localhost:{port}"
    client_id = "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11"
    registration = AppRegistration(
        client_id=client_id,
        client_secret=Secret(CLIENT_SECRET),
        redirect_uris=(f"{public_url}/auth/callback",),
        webhook_url=f"{public_url}/webhooks/fanvue",
        webhook_secret=Secret(WEBHOOK_SECRET),
    )
    values = {"operations": "getCurrentUser listChats"} | settings
    async with running_sandbox(
        SandboxSettings(port=0, apps=(registration,), switches=switches or Switches())
    ) as sandbox:
        keep = Keep(
            Settings(
                env="development",
                public_url=public_url,
                client_id=client_id,
                client_secret=CLIENT_SECRET,
                webhook_secrets=f"main={WEBHOOK_SECRET}",
                issuer_url=sandbox.base_url,
                api_url=sandbox.base_url,
                database_url=f"sqlite:///{folder}/data.db",
                keys=f"file:{folder}/keys.json",
                **values,
            )
        )
        async with keep, listening(keep.gateway, host="127.0.0.1", port=port):
            yield House(sandbox, keep, public_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fankeep"
    made.mkdir(mode=0o700)
    return made


async def test_a_connected_creators_token_calls_the_api(folder) -> None:
    async with house(folder) as home:
        assert await home.connect() == home.creator
        token = await home.keep.access_token(home.creator.upper())
        assert token.reveal() in home.sandbox.needles.values()["access_token"]
        answer = await home.keep.client(home.creator).call("getCurrentUser")
        assert answer.data["uuid"] == home.creator


@pytest.mark.parametrize(
    ("switch", "setting"),
    [
        ({"echo_nonce": False}, {"nonce": "if_present"}),
        ({"issuer_trailing_slash": True}, {"issuer_slash": "either"}),
    ],
)
async def test_a_disputed_fact_stops_a_login_until_its_setting_allows_it(folder, switch, setting) -> None:
    async with house(folder, switches=Switches(**switch)) as home:
        with pytest.raises(KeyError, match="user"):
            await home.connect()
    async with house(folder, switches=Switches(**switch), **setting) as home:
        assert await home.connect() == home.creator


async def test_a_stranger_has_no_token(folder) -> None:
    async with house(folder) as home:
        with pytest.raises(NotConnected):
            await home.keep.access_token(STRANGER)
        with pytest.raises(ValueError, match="uuid"):
            await home.keep.access_token("not a uuid")


async def test_a_handler_gets_the_event_once_although_it_is_delivered_twice(folder) -> None:
    async with house(folder) as home:
        seen: asyncio.Queue[ReceivedEvent] = asyncio.Queue()

        @home.keep.on("creator.message.*")
        async def remember(event: ReceivedEvent) -> None:
            await seen.put(event)

        await home.connect()
        await asyncio.to_thread(_fire, home, "creator.message.received", 2)
        event = await asyncio.wait_for(seen.get(), SECONDS)
        await asyncio.sleep(0.3)
        assert (event.type, event.creator) == ("creator.message.received", home.creator)
        assert seen.empty()


async def test_deliveries_are_confirmed_while_their_handler_is_still_at_work(folder) -> None:
    async with house(folder) as home:
        begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        @home.keep.on("creator.message.received")
        async def slow(event: ReceivedEvent) -> None:
            begun.set()
            await may_end.wait()
            ended.set()

        await home.connect()
        await asyncio.to_thread(_fire, home, "creator.message.received", 1)
        await asyncio.wait_for(begun.wait(), SECONDS)
        await asyncio.to_thread(_fire, home, "creator.message.received", 1)
        deliveries = [delivery for endpoint in home.sandbox.endpoints for delivery in endpoint.history]
        assert [attempt.status for delivery in deliveries for attempt in delivery.attempts] == [200, 200]
        assert not ended.is_set()
        may_end.set()
        await asyncio.wait_for(ended.wait(), SECONDS)


async def test_a_message_that_is_taken_back_at_fanvue_takes_its_fields_along(folder) -> None:
    async with house(folder, operations="getCurrentUser listChats sendMessage deleteMessage") as home:
        told: asyncio.Queue[ReceivedEvent] = asyncio.Queue()

        @home.keep.on("creator.message.*")
        async def tell(event: ReceivedEvent) -> None:
            await told.put(event)

        client = home.keep.client(await home.connect())
        chat = (await client.call("listChats")).data["data"][0]["user"]["uuid"]
        sent = await client.call("sendMessage", params={"userUuid": chat}, body={"text": "oh"})
        message = sent.data["messageUuid"]
        written = await asyncio.wait_for(told.get(), SECONDS)
        kept = [event.data async for event in home.keep.fan_events(home.creator, chat)]
        await client.call("deleteMessage", params={"userUuid": chat, "messageUuid": message})
        deleted = await asyncio.wait_for(told.get(), SECONDS)
        left = [event async for event in home.keep.fan_events(home.creator, chat)]
    assert (written.type, written.data["uuid"]) == ("creator.message.sent", message)
    assert kept == [written.data]
    assert (deleted.type, deleted.data["uuid"]) == ("creator.message.deleted", message)
    assert [event.id for event in left] == [deleted.id]


async def test_old_events_expire_by_themselves_and_the_trail_says_so(folder) -> None:
    async with house(folder) as home:
        await home.connect()
        await asyncio.to_thread(_fire, home, "creator.message.received", 1)
    data = await open_data(f"sqlite:///{folder}/data.db", create=False)
    await data.write(lambda tx: tx.run(Command("UPDATE events SET received_at = {now} - 4 * 86400")))
    async with house(folder, keep_payloads_days=3), asyncio.timeout(SECONDS):
        while not (lines := await data.read(lambda tx: trail.page(tx, limit=10))):
            await asyncio.sleep(0.05)
    await data.close()
    assert [(line.action, line.outcome) for line in lines] == [("events_expired", "emptied=1")]


async def test_an_address_in_an_event_is_not_fetched(folder) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/picture.jpg"
    body = json.dumps(
        {
            "id": "evt_with_addresses",
            "type": "creator.message.received",
            "timestamp": "2026-11-24T12:00:00.000Z",
            "data": {
                "object": "message",
                "uuid": "11111111-1111-4111-8111-111111111111",
                "fan": {"uuid": STRANGER, "avatarUrl": address},
                "creator": {"uuid": "5939ae62-3eb5-4433-954f-f78c7b4282f3", "url": address},
                "mediaUrl": address,
                "callback": address,
            },
        }
    ).encode()
    async with listener, house(folder) as home:
        seen = asyncio.Event()

        @home.keep.on("*")
        async def look(event: ReceivedEvent) -> None:
            seen.set()

        signature = sign_webhook(body, Secret(WEBHOOK_SECRET), timestamp=int(time.time()))
        assert await asyncio.to_thread(_deliver, home, body, signature) == 200
        await asyncio.wait_for(seen.wait(), SECONDS)
    assert asked == []


async def test_a_two_phase_handlers_effect_commits_with_the_mark(folder) -> None:
    async with house(folder) as home:
        done = asyncio.Event()
        applied: list[str] = []

        class Count:
            async def prepare(self, event: ReceivedEvent) -> str:
                return event.id

            async def apply(self, tx, prepared: str) -> None:
                await tx.run(
                    Command("INSERT INTO used_states (hash, used_at) VALUES (:hash, {now})"),
                    hash=prepared.encode(),
                )
                applied.append(prepared)
                done.set()

        home.keep.on("creator.follow.created")(Count())
        await home.connect()
        await asyncio.to_thread(_fire, home, "creator.follow.created", 3)
        await asyncio.wait_for(done.wait(), SECONDS)
        await asyncio.sleep(0.3)
        assert len(applied) == 1


@pytest.mark.parametrize(("policy", "ends"), [("session", False), ("last_session", True), ("always", True)])
async def test_what_a_logout_ends_is_the_operators_choice(folder, policy: str, ends: bool) -> None:
    async with house(folder, logout=policy) as home:
        await asyncio.to_thread(_connect_and_log_out, home)
        if ends:
            with pytest.raises(ReconnectRequired):
                await home.keep.access_token(home.creator)
        else:
            assert await home.keep.access_token(home.creator)


async def test_the_asgi_app_opens_and_closes_with_the_servers_lifespan(folder) -> None:
    async with house(folder) as home:
        await home.keep.stop()
        app = home.keep.asgi()
        inbound: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        outbound: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        serving = asyncio.create_task(app({"type": "lifespan"}, inbound.get, outbound.put))
        await inbound.put({"type": "lifespan.startup"})
        assert (await outbound.get())["type"] == "lifespan.startup.complete"
        assert home.keep.gateway is not None
        await inbound.put({"type": "lifespan.shutdown"})
        assert (await outbound.get())["type"] == "lifespan.shutdown.complete"
        await serving
        with pytest.raises(FankeepError, match="not open"):
            _ = home.keep.gateway


async def test_a_start_that_fails_says_why_and_leaves_nothing_open(folder) -> None:
    async with house(folder) as home:
        await home.keep.stop()
        (folder / "keys.json").unlink()
        app = home.keep.asgi()
        inbound: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        outbound: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        serving = asyncio.create_task(app({"type": "lifespan"}, inbound.get, outbound.put))
        await inbound.put({"type": "lifespan.startup"})
        failed = await outbound.get()
        await serving
        assert failed["type"] == "lifespan.startup.failed"
        assert "kek-" in failed["message"]
        with pytest.raises(ConfigurationError):
            await home.keep.start()


def _deliver(home: House, body: bytes, signature: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(home.public_url).netloc, timeout=SECONDS)
    headers = {"content-type": "application/json", "x-fanvue-signature": signature}
    connection.request("POST", "/webhooks/fanvue", body=body, headers=headers)
    with closing(connection):
        return connection.getresponse().status


def _fire(home: House, topic: str, copies: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(home.sandbox.base_url).netloc, timeout=SECONDS)
    body = f'{{"event": "{topic}", "creator": "{home.creator}", "copies": {copies}, "wait": true}}'
    connection.request("POST", "/sandbox/fire", body=body, headers={"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


def _connect_and_log_out(home: House) -> None:
    browser = Browser()
    page = browser.open(f"{home.public_url}/auth/login?return_to=/auth/disconnect")
    fanvue = browser.submit(page, page.form("/auth/login"))
    consent = browser.submit(fanvue, fanvue.form("/login"), {"creator": home.creator})
    browser.submit(consent, consent.form("/consent"), {"decision": "allow"})
    out = browser.request(
        "POST", f"{home.public_url}/auth/logout", form={}, initiator=page.url, navigate=True
    )
    assert out.status in (200, 303)


async def test_another_apps_lifespan_opens_and_closes_it(folder) -> None:
    async with house(folder) as home:
        await home.keep.stop()
        async with home.keep.lifespan(object()):
            assert home.keep.gateway is not None
        with pytest.raises(FankeepError, match="not open"):
            _ = home.keep.gateway


class AppBehind:
    """Answers events and nothing else."""

    def __init__(self) -> None:
        self.hanging = 0
        self.events = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        if scope["path"] != "/events":
            self.hanging += 1
            await asyncio.Event().wait()
        while (await receive()).get("more_body"):
            pass
        self.events.set()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_events_reach_the_app_although_browsers_hold_every_connection_of_the_proxy(folder) -> None:
    app, port = AppBehind(), free_port()
    url = f"http://127.0.0.1:{port}"
    forward = {
        "forward_url": f"{url}/events",
        "forward_secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    async with (
        listening(app, host="127.0.0.1", port=port, grace=0.1),
        house(folder, upstream_url=url, **forward) as home,
    ):
        host = urlsplit(home.public_url).netloc
        browsers = []
        async with asyncio.timeout(60):
            while app.hanging < 256:  # as many as the proxy has; one that was too slow to connect got a 502
                _, writer = await asyncio.open_connection("127.0.0.1", int(host.rpartition(":")[2]))
                writer.write(f"GET /hang HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
                browsers.append(writer)
                await asyncio.sleep(0.01)
            await asyncio.to_thread(_fire, home, "creator.message.received", 1)
            await app.events.wait()
        for writer in browsers:
            writer.close()


async def test_a_handler_that_no_known_event_reaches_is_told_at_the_start(folder, caplog) -> None:
    keep = Keep(
        Settings(
            env="development",
            public_url="http://localhost:8080",
            client_id="0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            client_secret=CLIENT_SECRET,
            webhook_secrets=f"main={WEBHOOK_SECRET}",
            operations="getCurrentUser",
            database_url=f"sqlite:///{folder}/data.db",
            keys=f"file:{folder}/keys.json",
        )
    )

    @keep.on("creator.message.*")
    @keep.on("creator.mesage.*")
    async def greet(event: ReceivedEvent) -> None:
        del event

    async with keep:
        (line,) = [line for line in caplog.messages if "handler_matches_nothing" in line]
    assert "no known event matches creator.mesage.*; did you mean creator.message.*?" in line
