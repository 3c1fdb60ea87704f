"""The gateway behind the real server, spoken to over bare sockets.

The services behind it are small stand-ins, except for sessions and sign-in cookies: those are the real ones
on a real database.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from urllib.parse import parse_qs, urlsplit

import pytest

from fankeep import telemetry
from fankeep.datakeys import InstallationKeys
from fankeep.datakeys.open_key import OpenKey
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.gateway import Assertions, GatewayConfig, GatewayServices, Limits, public_app
from fankeep.oauth import ClientRegistration, pinned_server
from fankeep.policy import HostList, TrustedProxies
from fankeep.secret import Secret
from fankeep.sessions import PendingLogins, Sessions
from fankeep.store import Database, open_data, users
from fankeep.transport import StreamedResponse, Transport
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port
from fankeep.types import KeyId, UserId

USER = UserId("00000000-0000-4000-8000-000000000001")
WEBHOOK_SECRET = "made-up signing secret for the tests 0001"
ISSUER = "https://auth.fanvue.example"


# -- the wire


@dataclass
class Answer:
    status: int
    fields: list[tuple[str, str]]
    body: bytes
    complete: bool = True

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    def cookie(self, name: str) -> str | None:
        return next((value for value in self.all("set-cookie") if value.startswith(f"{name}=")), None)


def parse_answer(raw: bytes) -> Answer:
    head, _, rest = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    chunked = ("transfer-encoding", "chunked") in fields
    body, complete = _dechunked(rest) if chunked else (rest, True)
    lengths = [value for name, value in fields if name == "content-length"]
    if lengths and not chunked:
        complete = len(body) == int(lengths[0])
    return Answer(int(first.split(" ")[1]), fields, body, complete)


def _dechunked(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        if not size:
            return body, False
        length = int(size, 16)
        if length == 0:
            return body, True
        body, rest = body + rest[:length], rest[length + 2 :]
    return body, False


@dataclass
class Site:
    """A running gateway, and how to speak to it."""

    port: int
    origin: str
    config: GatewayConfig
    lifecycle: StandInLifecycle
    api: StandInApi
    inbox: StandInInbox
    subscriptions: StandInSubscriptions
    sessions: Sessions
    logins: PendingLogins
    readiness: list[Callable[[], Awaitable[bool]]]
    late: list[float] = field(default_factory=list)
    services: GatewayServices | None = None
    database: Database | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.origin).netloc

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and read until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(30):
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def __call__(
        self, method: str, target: str, body: bytes = b"", **headers: str | list[str] | None
    ) -> Answer:
        given = {"host": self.host, "connection": "close"}
        if body or method in {"POST", "PUT", "PATCH"}:
            given["content-length"] = str(len(body))
        fields = {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"{method} {target} HTTP/1.1"]
        for name, value in fields.items():
            values = [value] if isinstance(value, str) else value or []
            lines += [f"{name}: {one}" for one in values]
        return parse_answer(await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body))

    async def page(self, method: str, target: str, body: bytes = b"", **headers) -> Answer:
        """As a browser asks for one of our pages, from our own origin."""
        own = {"accept": "text/html", "sec_fetch_site": "same-origin"}
        if body:
            own["content_type"] = "application/x-www-form-urlencoded"
        return await self(method, target, body, **{**own, **headers})

    async def call(self, method: str, target: str, body: bytes = b"", **headers) -> Answer:
        """As a script of our own page calls the API."""
        own = {"sec_fetch_site": "same-origin", "fankeep_request": "1"}
        return await self(method, target, body, **{**own, **headers})

    async def sign_in(self) -> str:
        """Start a session by the services alone and return the cookie."""
        session_id = await self.sessions.start(USER)
        return f"__Host-fankeep-session={session_id.reveal()}"

    async def begin(self, form: bytes = b"", **headers) -> tuple[dict[str, list[str]], str]:
        """Start a sign-in; return the parameters that Fanvue gets, and the browser's cookie."""
        answer = await self.page("POST", "/auth/login", form, **headers)
        assert answer.status == 303, answer
        cookie = answer.one("set-cookie").partition(";")[0]
        return parse_qs(urlsplit(answer.one("location")).query), cookie


# -- the stand-ins


@dataclass
class Grant:
    state: str = "live"
    scopes: tuple[str, ...] = ("openid", "offline_access", "offline", "read:self", "read:chat")
    reason: str | None = None


@dataclass
class Connected:
    user: UserId


@dataclass
class StandInLifecycle:
    sessions: Sessions
    grant: Grant | None = field(default_factory=Grant)
    connected: list[object] = field(default_factory=list)
    disconnected: list[UserId] = field(default_factory=list)
    fails: Exception | None = None

    async def connect(self, callback) -> Connected:
        self.connected.append(callback)
        if self.fails is not None:
            raise self.fails
        return Connected(USER)

    async def logout(self, session) -> None:
        await self.sessions.end(session)

    async def disconnect(self, user: UserId) -> bool:
        self.disconnected.append(user)
        self.grant = None
        await self.sessions.end_all(user)
        return True

    async def grant_status(self, user: UserId) -> Grant | None:
        return self.grant


@dataclass
class Call:
    user: UserId
    operation: str
    params: dict[str, str]
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes | None


@dataclass
class StandInApi:
    calls: list[Call] = field(default_factory=list)
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("content-type", "application/json")])
    chunks: list[bytes | Exception] = field(default_factory=lambda: [b'{"ok": ', b"true}"])
    fails: Exception | None = None
    pause: float = 0.0
    given: int = 0

    @asynccontextmanager
    async def forward(self, user, operation, params, query, headers, *, body=None, timeout=60.0):
        content = None if body is None else b"".join([chunk async for chunk in body])
        self.calls.append(Call(user, operation.id, dict(params), list(query), list(headers), content))
        if self.fails is not None:
            raise self.fails
        yield StreamedResponse(self.status, self.headers, self._stream())

    async def _stream(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            self.given += 1
            yield chunk
            await asyncio.sleep(self.pause)


@dataclass
class Stored:
    duplicate: bool


@dataclass
class StandInInbox:
    accepted: list[object] = field(default_factory=list)
    fails: Exception | None = None

    async def accept(self, verified) -> Stored:
        if self.fails is not None:
            raise self.fails
        duplicate = any(one.body == verified.body for one in self.accepted)
        self.accepted.append(verified)
        return Stored(duplicate)


@dataclass
class StandInSubscriptions:
    secrets: dict[str, WebhookSecret] = field(default_factory=dict)
    fails: Exception | None = None

    async def of(self, name: str) -> list[WebhookSecret]:
        if self.fails is not None:
            raise self.fails
        return [self.secrets[name]] if name in self.secrets else []


# -- the site


def installation_keys() -> InstallationKeys:
    return InstallationKeys("i" * 32, OpenKey(KeyId("key-1"), "installation", Secret(b"k" * 32), b""))


@pytest.fixture
def open_site(tmp_path):
    """A context manager that runs a gateway; fields of the config are arguments."""

    @asynccontextmanager
    async def run(**changes) -> AsyncIterator[Site]:
        port = free_port()
        origin = changes.pop("public_origin", f"http://localhost:{port}")
        config = GatewayConfig(
            public_origin=origin,
            hosts=HostList.for_origins([origin], development=origin.startswith("http://")),
            proxies=TrustedProxies(),
            require_https=False,
            server=pinned_server(ISSUER),
            client=ClientRegistration(
                "client-1",
                f"{origin}/auth/callback",
                ("openid", "offline_access", "offline", "read:self", "read:chat"),
            ),
            operations=frozenset({"getCurrentUser", "listChats", "listMessages", "sendMessage"}),
            webhook_secrets=[WebhookSecret("main", Secret(WEBHOOK_SECRET))],
            limits=Limits(webhook_body=4096, api_body=4096, upstream_body=65_536),
        )
        config = replace(config, **changes)
        database = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
        await database.write(lambda tx: users.add(tx, USER))
        keys = installation_keys()
        sessions = Sessions(database, keys)
        transport = Transport(https_only=False)
        readiness: list[Callable[[], Awaitable[bool]]] = []
        site = Site(
            port=port,
            origin=origin,
            config=config,
            lifecycle=StandInLifecycle(sessions),
            api=StandInApi(),
            inbox=StandInInbox(),
            subscriptions=StandInSubscriptions(),
            sessions=sessions,
            logins=PendingLogins(keys),
            readiness=readiness,
        )

        async def ready() -> bool:
            return await readiness[-1]() if readiness else True

        site.database = database
        site.services = services = GatewayServices(
            sessions=sessions,
            logins=site.logins,
            lifecycle=site.lifecycle,
            api=site.api,
            inbox=site.inbox,
            subscriptions=site.subscriptions,
            assertions=Assertions(keys, issuer=origin, audience=config.upstream or origin),
            transport=transport,
            ready=ready,
            late=site.late.append,
        )
        try:
            async with listening(public_app(config, services), host="127.0.0.1", port=port):
                yield site
        finally:
            await transport.close()
            await database.close()

    return run


@pytest.fixture
async def site(open_site):
    async with open_site() as running:
        yield running


@pytest.fixture
async def production(open_site):
    """Behind a proxy that ends TLS on this machine."""
    loopback = TrustedProxies((ip_network("127.0.0.1/32"),))
    async with open_site(
        public_origin="https://app.example", require_https=True, proxies=loopback
    ) as running:
        yield running


@pytest.fixture
def make_keys():
    return installation_keys


@pytest.fixture
def find_port():
    return free_port


@pytest.fixture
def webhook_secret():
    return WEBHOOK_SECRET


@pytest.fixture
def user():
    return USER


@pytest.fixture
def make_answer():
    return parse_answer


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "log.jsonl"
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with path.open("w+", encoding="utf-8") as stream:
        telemetry.configure(stream=stream)
        yield lambda: (stream.flush(), [json.loads(line) for line in path.read_text().splitlines()])[1]
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
