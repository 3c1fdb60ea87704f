"""A vault on a real database and real keys, refreshing at a token endpoint that follows a script."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

import pytest

from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.kms import create_key_file, from_setting
from fankeep.oauth import ClientRegistration, pinned_server
from fankeep.secret import Secret
from fankeep.secrets import ClientSecret, ClientSecrets
from fankeep.store import Command, Database, installation, open_data, open_keys
from fankeep.transport import Transport
from fankeep.types import UserId
from fankeep.vault import Timing, TokenEndpoint, TokenPair, Vault

USER = UserId("00000000-0000-4000-8000-000000000001")
CLIENT_SECRET = "0f" * 32
SECOND_SECRET = "1e" * 32

TIMING = Timing(
    row_bound=0.05,
    lease=24.0,
    call=10.0,
    settle=0.6,
    poll=0.01,
    watch=0.05,
    young=0.0,
    join=30.0,
    sweep_rest=0.1,
)
"""Looks often and waits long: a busy machine answers late. Who needs a claim to be over ends it by SQL."""

_CLAIMS_OVER = Command("UPDATE grants SET lease_until = 0")


class Urls(Protocol):
    """Where the databases are; the fixture goes through the engines."""

    data: str
    keys: str


@dataclass
class Request:
    """One request as the server got it."""

    path: str
    form: dict[str, str]
    secret: str


Answer = Callable[["Script", Request], Awaitable[bytes | None]]


@dataclass
class Script:
    """What the token endpoint does: an answer of the list a request, the last one for all others."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    issued: int = 0
    port: int = 0

    def sent(self, path: str = "/oauth2/token") -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def tokens(self, lifetime: float = 3600) -> bytes:
        self.issued += 1
        return answer(
            200,
            {
                "access_token": f"access-{self.issued}",
                "refresh_token": f"refresh-{self.issued}",
                "expires_in": lifetime,
                "token_type": "bearer",
            },
        )


def answer(status: int, body: object, headers: str = "") -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


async def rotate(script: Script, request: Request) -> bytes:
    if request.path == "/oauth2/revoke":
        return answer(200, {})
    return script.tokens()


async def lose(script: Script, request: Request) -> None:
    """Rotate, and close the connection without an answer."""
    script.tokens()


def refuse(status: int, error: str, headers: str = "") -> Answer:
    async def answer_error(script: Script, request: Request) -> bytes:
        return answer(status, {"error": error}, headers)

    return answer_error


class Held:
    """An answer of the token endpoint that is held until it is let go."""

    def __init__(self) -> None:
        self._rotated = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, script: Script, request: Request) -> bytes:
        if request.path != "/oauth2/token":
            return answer(200, {})
        content = script.tokens()
        self._rotated.set()
        await self.let_go.wait()
        return content

    async def rotated(self) -> None:
        """Wait until a token was sent and its successor exists."""
        await asyncio.wait_for(self._rotated.wait(), 30)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    script = Script()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            basic = base64.b64decode(head.split("Basic ")[1].split("\r\n")[0]).decode()
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            request = Request(head.split()[1], form, basic.partition(":")[2])
            number = len(script.requests)
            script.requests.append(request)
            step = script.answers[min(number, len(script.answers) - 1)] if script.answers else rotate
            content = await step(script, request)
            if content is not None:
                writer.write(content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    yield script
    server.close()


@dataclass
class House:
    """Everything below the vault, from which several vaults can be made, as several processes would."""

    database: Database
    datakeys: DataKeys
    endpoint: TokenEndpoint
    transport: Transport
    vaults: list[Vault] = field(default_factory=list)

    def vault(self, **timing: float) -> Vault:
        vault = Vault(self.database, self.datakeys, self.endpoint, timing=replace(TIMING, **timing))
        self.vaults.append(vault)
        return vault

    async def end_claims(self) -> None:
        """Let every claim be over, as it is when its owner was silent for too long."""
        await self.database.write(lambda tx: tx.run(_CLAIMS_OVER))


@pytest.fixture
async def house(tmp_path: Path, database_urls: Urls, script: Script) -> AsyncIterator[House]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    create_key_file(folder / "kek.json")
    kms = from_setting(f"file:{folder}/kek.json")
    installed = await data.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    datakeys = await open_data_keys(keys, kms, installation_id=installed)
    transport = Transport(https_only=False, keep_alive=False, connect_timeout=TIMING.connect)
    endpoint = TokenEndpoint(
        transport,
        pinned_server(f"http://127.0.0.1:{script.port}"),
        ClientRegistration("client", "http://localhost/auth/callback", ("openid",)),
        ClientSecrets(
            [ClientSecret("first", Secret(CLIENT_SECRET)), ClientSecret("second", Secret(SECOND_SECRET))]
        ),
        TIMING,
    )
    house = House(data, datakeys, endpoint, transport)
    yield house
    for vault in house.vaults:
        await vault.close()
    await transport.close()
    await data.close()
    await keys.close()


def pair(number: int = 0, *, left: float = 3600.0, refresh: bool = True) -> TokenPair:
    return TokenPair(
        access=Secret(f"login-access-{number}"),
        refresh=Secret(f"login-refresh-{number}") if refresh else None,
        access_left=left,
        lifetime=3600.0,
        scopes=("openid", "read:self"),
    )


class Kit:
    """The names of this module that tests use; the module itself is not importable by name."""

    USER = USER
    CLIENT_SECRET = CLIENT_SECRET
    SECOND_SECRET = SECOND_SECRET
    nowhere = pinned_server("http://127.0.0.1:9")
    pair = staticmethod(pair)
    answer = staticmethod(answer)
    rotate = staticmethod(rotate)
    lose = staticmethod(lose)
    refuse = staticmethod(refuse)
    Held = Held


@pytest.fixture
def kit() -> type[Kit]:
    return Kit
