"""A running sandbox, a raw HTTP client that knows nothing of fankeep, and a receiver of webhooks."""

import asyncio
import base64
import hashlib
import http.client
import json
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import pytest

from fankeep.fanvue.scopes import SCOPES as ALL_SCOPES
from fankeep.sandbox import AppRegistration, SandboxSettings, running_sandbox

CALLBACK = "http://localhost:9999/auth/callback"
SCOPES = "openid offline_access offline read:self read:chat write:chat read:fan"


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        return self.headers["location"]

    @property
    def fields(self):
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


class Client:
    """One browser or app that talks to a sandbox over plain sockets."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.cookies = {}

    async def call(self, method, path, body=None, headers=None):
        return await asyncio.to_thread(self._call, method, path, body, headers or {})

    def _call(self, method, path, body, headers):
        connection = http.client.HTTPConnection(urlsplit(self.sandbox.base_url).netloc, timeout=30)
        if self.cookies:
            headers = {**headers, "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        try:
            connection.request(method, path, body, headers)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        cookie = answer.headers.get("set-cookie", "")
        if cookie:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def form(self, path, fields, headers=None):
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return await self.call("POST", path, urlencode(fields), sent)

    async def control(self, action, **wanted):
        sent = {"Content-Type": "application/json"}
        answer = await self.call("POST", f"/sandbox/{action}", json.dumps(wanted), sent)
        assert answer.status == 200, answer.body
        return answer.json

    async def show(self, view):
        answer = await self.call("GET", f"/sandbox/{view}")
        assert answer.status == 200, answer.body
        return answer.json


class App(Client):
    """An app with its credentials, and a creator who connects to it."""

    def __init__(self, sandbox, registered=None):
        super().__init__(sandbox)
        registered = registered or sandbox.apps.first
        self.client_id = registered.client_id
        self.client_secret = registered.client_secret.reveal()
        self.verifier = secrets.token_urlsafe(32)
        self.state = secrets.token_urlsafe(16)

    def authorize_path(self, **changes):
        digest = hashlib.sha256(self.verifier.encode()).digest()
        params = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": SCOPES,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        params = {name: value for name, value in {**params, **changes}.items() if value is not None}
        return f"/oauth2/auth?{urlencode(params)}"

    @property
    def basic(self):
        text = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}

    async def code(self, creator=None, **changes):
        url = self.sandbox.base_url + self.authorize_path(**changes)
        answer = await self.control("approve", url=url, creator=creator)
        return parse_qs(urlsplit(answer["location"]).query)["code"][0]

    async def exchange(self, code, **changes):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return await self.form("/oauth2/token", {**fields, **changes}, self.basic)

    async def connect(self, creator=None, **changes):
        answer = await self.exchange(await self.code(creator, **changes))
        assert answer.status == 200, answer.body
        return answer.json

    async def refresh(self, token):
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.form("/oauth2/token", fields, self.basic)

    @asynccontextmanager
    async def giving_up_on_a_refresh(self, token):
        """Send a refresh and leave at the end of the block, however much of the answer has come."""
        address = urlsplit(self.sandbox.base_url)
        body = urlencode({"grant_type": "refresh_token", "refresh_token": token})
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST /oauth2/token HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: {self.basic['Authorization']}"
        )
        writer.write(f"{head}\r\n\r\n{body}".encode())
        try:
            yield reader
        finally:
            writer.transport.abort()

    async def api(self, method, path, token, body=None, **headers):
        sent = {"Authorization": f"Bearer {token}", "X-Fanvue-API-Version": "2025-06-26", **headers}
        return await self.call(method, path, None if body is None else json.dumps(body), sent)


class Receiver:
    """Takes webhooks and answers as it is told."""

    def __init__(self):
        self.requests = []
        self.statuses = []
        self.url = ""
        self.open = asyncio.Event()
        self.open.set()

    async def handle(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                pairs = [line.split(": ", 1) for line in lines[1:] if line]
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers, body))
                await self.open.wait()
                status = self.statuses.pop(0) if self.statuses else 200
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def wait(self, count):
        async with asyncio.timeout(30):
            while len(self.requests) < count:
                await asyncio.sleep(0.005)
        return self.requests


@pytest.fixture
async def launch():
    """Starts sandboxes with given settings; they end with the test."""
    async with AsyncExitStack() as stack:

        async def start(*, clock=None, **settings):
            given = {"port": 0, "apps": (AppRegistration(redirect_uris=(CALLBACK,)),), **settings}
            running = running_sandbox(SandboxSettings(**given), clock=clock)
            return App(await stack.enter_async_context(running))

        yield start


@pytest.fixture
def app_of():
    """An app of a sandbox that has several."""
    return App


@pytest.fixture
async def app(launch):
    return await launch()


@pytest.fixture
def calls(app):
    """Makes callers of the API, one for a connected creator: they answer status and JSON."""

    async def connect(creator=None):
        token = (await app.connect(creator, scope=" ".join(ALL_SCOPES)))["access_token"]

        async def send(method, path, body=None):
            answer = await app.api(method, path, token, body)
            return answer.status, json.loads(answer.body) if answer.body[:1] in (b"{", b"[") else answer.body

        return send

    return connect


@pytest.fixture
async def call(calls):
    """Calls the API as the first creator."""
    return await calls()


@asynccontextmanager
async def listening():
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks/fanvue"
    try:
        yield receiver
    finally:
        server.close()


@pytest.fixture
async def receiver():
    async with listening() as made:
        yield made
