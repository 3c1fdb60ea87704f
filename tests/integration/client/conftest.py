"""An API on a real socket that answers as a test tells it, and a source of tokens that can be watched."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest

from fankeep.client import FanvueApi, FanvueClient
from fankeep.secret import Secret
from fankeep.transport import Transport
from fankeep.types import Generation, UserId

USER = UserId("7f3c0b6e-0000-4000-8000-000000000001")


@dataclass
class Request:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return self.headers["authorization"].removeprefix("Bearer ")


def answer(status: int = 200, data: object = None, **headers: str) -> bytes:
    body = b"" if data is None else json.dumps(data).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode() + body


@dataclass
class Api:
    """Answers by ``reply``; keeps every request."""

    reply: Callable[[Request], bytes] = lambda _: answer(data={})
    requests: list[Request] = field(default_factory=list)
    origin: str = ""
    tasks: set[asyncio.Task] = field(default_factory=set)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.tasks.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *fields = head.strip().split("\r\n")
                method, target, _ = line.split(" ")
                headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in fields)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if headers.get("transfer-encoding") == "chunked":
                    body = await dechunked(reader)
                url = urlsplit(target)
                request = Request(
                    method, url.path, parse_qsl(url.query, keep_blank_values=True), headers, body
                )
                self.requests.append(request)
                writer.write(self.reply(request))
                await writer.drain()
        except (EOFError, OSError):
            pass
        finally:
            writer.close()


async def dechunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


@dataclass(frozen=True)
class Token:
    generation: Generation
    token: Secret[str]


@dataclass
class Tokens:
    """Gives ``token-<generation>``; a refusal brings the next generation while there is one."""

    generation: int = 1
    newest: int = 1
    refusals: list[int] = field(default_factory=list)
    failure: Exception | None = None

    async def access_token(self, user: UserId) -> Token:
        assert user == USER
        if self.failure is not None:
            raise self.failure
        return Token(Generation(self.generation), Secret(f"token-{self.generation}"))

    async def refused(self, user: UserId, generation: Generation) -> None:
        assert user == USER
        self.refusals.append(generation)
        if generation == self.generation < self.newest:
            self.generation += 1


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    running = Api()
    server = await asyncio.start_server(running.accept, "127.0.0.1", 0)
    running.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield running
    server.close()
    for task in running.tasks:
        task.cancel()
    await asyncio.gather(*running.tasks, return_exceptions=True)
    for writer in running.writers:
        writer.transport.abort()
    await asyncio.sleep(0.01)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
async def fanvue(api, tokens) -> AsyncIterator[FanvueApi]:
    transport = Transport(https_only=False, connect_timeout=0.5)
    yield FanvueApi(transport, tokens, api_url=api.origin)
    await transport.close()


@pytest.fixture
def client(fanvue) -> FanvueClient:
    return FanvueClient(fanvue, USER)


@pytest.fixture
def user() -> UserId:
    return USER


@pytest.fixture(name="answer")
def make_answer() -> Callable[..., bytes]:
    return answer
