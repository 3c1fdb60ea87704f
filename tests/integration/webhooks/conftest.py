"""A whole receiver: a gateway that listens, its inbox on a real database, and a handler."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import secrets
import time
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from bench.rig.postgresql import PostgreSQL

from fankeep import Keep, Settings, sign_webhook
from fankeep.keep.stores import open_stores
from fankeep.kms import create_key_file
from fankeep.store import Statement, users
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
OTHER = "00000000-0000-4000-8000-00000000beef"
FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
SECRET = "whsec_" + secrets.token_hex(32)
ROWS = Statement("SELECT state, secret_name FROM events ORDER BY seq", lambda *columns: columns)


def _stand_in():
    path = Path(__file__).parents[2] / "contract" / "kms" / "vault_stand_in.py"
    spec = importlib.util.spec_from_file_location("vault_stand_in", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Receiver:
    """One that runs."""

    creator = CREATOR
    other = OTHER
    secret = SECRET

    def __init__(self, keep, port):
        self.keep = keep
        self.port = port
        self.handled = []

    def message(self, number=1, *, creator=CREATOR, **more):
        data = {
            "object": "message",
            "uuid": f"11111111-1111-4111-8111-{number:012}",
            "fan": {"uuid": FAN},
            "creator": {"uuid": creator},
        }
        event = {"id": f"evt_{number}", "type": "creator.message.received", "data": data}
        return json.dumps(event | {"timestamp": "2026-11-14T22:13:20.000Z"} | more).encode()

    def legacy_message(self, number=1):
        """The same message as the legacy family tells of it."""
        uuid = f"11111111-1111-4111-8111-{number:012}"
        flat = {"message": {"uuid": uuid}, "messageUuid": uuid, "recipientUuid": CREATOR}
        return json.dumps(flat | {"sender": {"uuid": FAN}, "timestamp": "2026-11-14T22:13:20.000Z"}).encode()

    async def deliver(self, body, header=None, **how):
        """Send one delivery; return the status."""
        return (await self.answer(body, header, **how))[0]

    async def answer(self, body, header=None, *, secret=SECRET, at=None, method="POST", **headers):
        """Send one delivery; return the status, the body and the headers of the answer."""
        header = header or sign_webhook(body, secret, timestamp=int(time.time()) if at is None else at)
        fields = {
            "host": f"localhost:{self.port}",
            "connection": "close",
            "content-type": "application/json",
            "x-fanvue-signature": header,
            "content-length": len(body),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} /webhooks/fanvue HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return int(head.split(b" ", 2)[1]), content, head.lower()

    async def settled(self):
        """Wait until nothing is left to handle; return the rows."""
        async with asyncio.timeout(20):
            while any(state == "pending" for state, _ in await self.rows()):
                await asyncio.sleep(0.02)
        return await self.rows()

    async def rows(self):
        async with open_stores(self.keep.settings, create=False) as stores:
            return await stores.data.read(lambda tx: tx.all(ROWS))


@pytest.fixture
def run_receiver(tmp_path):
    """A context manager that runs one over given databases; settings are arguments."""
    create_key_file(tmp_path / "kek.json")

    @asynccontextmanager
    async def run(data_url, keys_url, **settings):
        port = free_port()
        usual = {"webhook_secrets": f"main={SECRET}", "keys": f"file:{tmp_path}/kek.json"}
        given = Settings(
            env="development",
            public_url=f"http://localhost:{port}",
            client_id="0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            client_secret=secrets.token_hex(32),
            issuer_url="http://127.0.0.1:9",
            api_url="http://127.0.0.1:9",
            database_url=data_url,
            keys_database_url=keys_url,
            **usual | settings,
        )
        async with open_stores(given, create=True) as stores:
            for creator in (CREATOR, OTHER):
                await stores.data.write(lambda tx, creator=creator: users.add(tx, creator))
                await stores.datakeys.ensure(creator)
        keep = Keep(given)
        made = Receiver(keep, port)

        @keep.on("creator.message.received")  # and of its twin in the legacy family
        async def handle(event):
            made.handled.append(event.id)

        async with keep, listening(keep.gateway, host="127.0.0.1", port=port):
            yield made

    return run


@pytest.fixture
def receiver(run_receiver, database_urls):
    """The same over each engine in turn."""
    return lambda **settings: run_receiver(database_urls.data, database_urls.keys, **settings)


@pytest.fixture
def key_service(monkeypatch):
    """A key service on a port of its own, with one key; ``place`` names it in the settings."""
    module = _stand_in()
    monkeypatch.setenv("VAULT_TOKEN", module.TOKEN)
    monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
    with module.VaultStandIn() as service:
        service.add_version("fankeep")
        service.server.handle_error = lambda *_: None
        service.place = f"vault:{service.url}/transit/fankeep"
        yield service


@pytest.fixture
async def own_postgresql():
    """A server with two empty databases that the test may stop and start."""
    with PostgreSQL(in_memory=True) as server:
        connection = await asyncpg.connect(server.url("postgres"))
        for name in ("data", "keys"):
            await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        yield server
