"""A raw TCP server that misbehaves by path, and TLS servers that are not who they should be."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import warnings
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from fankeep.transport import Transport

Handler = Callable[["Connection", "Seen"], Awaitable[None]]


@dataclass
class Seen:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class Connection:
    """One accepted connection; reads requests and lets a handler answer each."""

    def __init__(self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.server, self.reader, self.writer = server, reader, writer

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", *, status: str = "200 OK", head: bytes = b"") -> None:
        await self.write(
            f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n".encode() + head + b"\r\n" + body
        )

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def serve(self) -> None:
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request_line, *lines = head.rstrip("\r\n").split("\r\n")
            method, target, _ = request_line.split(" ")
            pairs = [line.split(":", 1) for line in lines]
            seen = Seen(method, target, [(name.lower(), value.strip()) for name, value in pairs])
            self.server.requests.append(seen)
            handler = HANDLERS.get(target.split("?")[0], ok)
            if handler not in UNREAD:
                await self.read_body(seen)
            await handler(self, seen)

    async def read_body(self, seen: Seen) -> None:
        if seen.values("transfer-encoding") == ["chunked"]:
            await self.read_chunked(seen)
        left = int((seen.values("content-length") or ["0"])[0])
        while left > 0:
            piece = await self.reader.read(min(left, 65536))
            if not piece:
                raise asyncio.IncompleteReadError(b"", None)
            self.take(seen, piece)
            left -= len(piece)
        seen.complete = True

    async def read_chunked(self, seen: Seen) -> None:
        while size := int(await self.reader.readline(), 16):
            self.take(seen, await self.reader.readexactly(size))
            await self.reader.readline()
        await self.reader.readline()

    def take(self, seen: Seen, piece: bytes) -> None:
        seen.body += piece
        self.server.body_arrived.set()


class RawServer:
    """What was accepted and what was seen; ``origin`` is where it listens."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.connections = 0
        self.open = 0
        self.bytes_out = 0
        self.at_once = 0
        self.most_at_once = 0
        self.body_arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        self.origin = ""
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None, *, tls_delay: float = 0.0):
        async def run(reader, writer):
            self.connections += 1
            self.open += 1
            try:
                if tls is not None:
                    await asyncio.sleep(tls_delay)
                    await writer.start_tls(tls)
                await Connection(self, reader, writer).serve()
            except (OSError, EOFError, asyncio.LimitOverrunError):
                pass
            finally:
                self.open -= 1
                writer.close()

        def accept(reader, writer):
            if tls is not None:
                writer.transport.pause_reading()  # what comes now belongs to the handshake
            self._writers.append(writer)
            self._tasks.add(asyncio.create_task(run(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}" if tls is None else f"https://localhost:{self.port}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0.01)


async def ok(connection, seen):
    await connection.answer()


async def echo(connection, seen):
    await connection.answer(bytes(seen.body))


async def fin(connection, seen):
    raise EOFError


async def rst(connection, seen):
    connection.reset()
    raise EOFError


async def half_a_head(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    raise EOFError


async def silent(connection, seen):
    await connection.reader.read(1)
    raise EOFError


async def short(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
    raise EOFError


async def short_chunked(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhello")
    raise EOFError


async def rst_in_body(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
    await asyncio.sleep(0.05)
    await rst(connection, seen)


async def stalled_body(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
    await silent(connection, seen)


async def drip(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        await connection.write(b".")
        await asyncio.sleep(0.02)


async def garbage(connection, seen):
    await connection.write(b"220 smtp.example ESMTP\r\n\r\n")
    raise EOFError


async def two_lengths(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!")
    raise EOFError


async def many_headers(connection, seen):
    await connection.answer(head=b"".join(b"x-%d: 1\r\n" % n for n in range(300)))


async def huge_header(connection, seen):
    await connection.answer(head=b"x: " + b"y" * (2 << 20) + b"\r\n")


async def endless(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        await connection.write(bytes(65536))
        connection.server.bytes_out += 65536


async def gzip_bomb(connection, seen):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    await connection.answer(bomb, head=b"content-encoding: gzip\r\n")


async def redirect(connection, seen):
    await connection.answer(status="302 Found", head=b"location: /ok\r\n")


async def cookie(connection, seen):
    await connection.answer(head=b"set-cookie: a=1; Path=/\r\nset-cookie: b=2; Path=/\r\n")


async def unreadable_header(connection, seen):
    await connection.answer(head=b"x-name: caf\xc3\xa9\r\nx-a: 1\r\nx-a: 2\r\n")


async def closing(connection, seen):
    await connection.answer()
    await asyncio.sleep(0.002)
    raise EOFError


async def in_two_parts(connection, seen):
    await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst")
    await connection.server.go_on.wait()
    await connection.write(b"later")


async def busy(connection, seen):
    server = connection.server
    server.at_once += 1
    server.most_at_once = max(server.most_at_once, server.at_once)
    await asyncio.sleep(0.01)
    server.at_once -= 1
    await connection.answer()


async def early_answer(connection, seen):
    await connection.answer(b"too big", status="413 Content Too Large", head=b"connection: close\r\n")
    await silent(connection, seen)


HANDLERS: dict[str, Handler] = {
    "/ok": ok,
    "/echo": echo,
    "/fin": fin,
    "/rst": rst,
    "/half-a-head": half_a_head,
    "/silent": silent,
    "/short": short,
    "/short-chunked": short_chunked,
    "/rst-in-body": rst_in_body,
    "/stalled-body": stalled_body,
    "/drip": drip,
    "/garbage": garbage,
    "/two-lengths": two_lengths,
    "/many-headers": many_headers,
    "/huge-header": huge_header,
    "/endless": endless,
    "/gzip-bomb": gzip_bomb,
    "/redirect": redirect,
    "/cookie": cookie,
    "/unreadable-header": unreadable_header,
    "/closing": closing,
    "/in-two-parts": in_two_parts,
    "/busy": busy,
    "/early-answer": early_answer,
}
UNREAD = {early_answer}
ENDLESS = {"/silent", "/stalled-body", "/drip"}


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer().listening() as running:
        yield running


@pytest.fixture
async def other_server() -> AsyncIterator[RawServer]:
    async with RawServer().listening() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    client = Transport(https_only=False, connect_timeout=0.3)
    yield client
    await client.close()


@pytest.fixture
def time_out(path: str) -> float:
    """Seconds for a call to this path: short where nothing else ends it, out of the way elsewhere."""
    return 3 if path in ENDLESS else 30


class Authorities:
    """A CA that is trusted, one that is not, and what they vouch for."""

    def __init__(self, folder: Path) -> None:
        self.trusted, self.foreign = trustme.CA(), trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.trusted.cert_pem.write_to_path(str(self.ca_file))

    def context(self, kind: str) -> ssl.SSLContext:
        long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        certificate = {
            "good": lambda: self.trusted.issue_cert("localhost"),
            "wrong name": lambda: self.trusted.issue_cert("elsewhere.example"),
            "expired": lambda: self.trusted.issue_cert("localhost", not_after=long_ago),
            "foreign CA": lambda: self.foreign.issue_cert("localhost"),
            "TLS 1.1": lambda: self.trusted.issue_cert("localhost"),
        }[kind]()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if kind == "TLS 1.1":
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context


@pytest.fixture(scope="session")
def authorities(tmp_path_factory) -> Authorities:
    return Authorities(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def tls_server(
    authorities,
) -> AsyncIterator[Callable[..., contextlib.AbstractAsyncContextManager[RawServer]]]:
    def make(kind: str, *, tls_delay: float = 0.0):
        return RawServer().listening(authorities.context(kind), tls_delay=tls_delay)

    return make


@pytest.fixture
async def tls_transport(authorities) -> AsyncIterator[Transport]:
    client = Transport(ca_file=authorities.ca_file, connect_timeout=20)
    yield client
    await client.close()


@pytest.fixture
async def hasty_tls_transport(authorities) -> AsyncIterator[Transport]:
    client = Transport(ca_file=authorities.ca_file, connect_timeout=0.5)
    yield client
    await client.close()
