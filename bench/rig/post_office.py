"""The gateways and workers of the benchmark of deliveries, over one database: started, killed, counted."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from bench.rig.engines import Engine, engine_of

from fankeep import Settings, kms
from fankeep.keep.stores import open_stores
from fankeep.store import Command, Statement, open_data, users
from fankeep.transport.ports import free_port
from fankeep.types import UserId

__all__ = ["CREATOR", "Effect", "Member", "Office", "Stored", "office"]

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"

_ROOT = Path(__file__).parents[2]
_READY_SECONDS = 120.0
_START_AGAIN = 0.5
_END_SECONDS = 60.0

_CREATE_EFFECTS = Command("CREATE TABLE effects (message TEXT NOT NULL, event_id TEXT NOT NULL)")
_PENDING = Statement("SELECT count(*) FROM events WHERE state = 'pending'", int)


class Effect(NamedTuple):
    """One time that a handler took effect."""

    message: str
    event_id: str


class Stored(NamedTuple):
    """One row of the inbox."""

    digest: bytes
    state: str
    attempts: int


_EFFECTS = Statement("SELECT message, event_id FROM effects", Effect)
_STORED = Statement("SELECT digest, state, attempts FROM events", Stored)


@dataclass(slots=True)
class Member:
    """A place for a process; whoever stands in it can be killed, and another one takes it."""

    job: dict[str, Any]
    process: asyncio.subprocess.Process | None = None
    up: bool = False


@dataclass(slots=True)
class Office:
    """All processes and the database.

    Attributes:
        kills: by role.
        caught: requests that were open at gateways when they were killed.
        restarts: of the database.
    """

    folder: Path
    engine: Engine
    settings: dict[str, str] = field(repr=False)
    host: str
    secret: str = field(repr=False)
    members: list[Member] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    restarts: int = 0

    @property
    def ports(self) -> list[int]:
        """Of the gateways."""
        return [member.job["port"] for member in self.members if member.job["role"] == "gateway"]

    def add(self, role: str, *, lease: float, left_out: str | None) -> None:
        """Make a place for a process."""
        job = {
            "role": role,
            "port": free_port(),
            "settings": self.settings,
            "lines": str(self.folder / "lines"),
            "lease": lease,
            "left_out": left_out,
        }
        self.members.append(Member(job))

    async def start(self, member: Member) -> None:
        """Start the process of a place and wait until it works.

        One that ends at once, since the database is away, is started again, as a supervisor does.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not await self._start(member):
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: a {member.job['role']} does not start; see {self.folder}")
            await asyncio.sleep(_START_AGAIN)

    async def _start(self, member: Member) -> bool:
        with self._log() as log:
            member.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.rig.recipient",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")},
            )
        assert member.process.stdin is not None
        assert member.process.stdout is not None
        member.process.stdin.write(json.dumps(member.job).encode() + b"\n")
        async with asyncio.timeout(_READY_SECONDS):
            member.up = bool(await member.process.stdout.readline())
        return member.up

    async def kill(self, member: Member, open_at: Counter[int]) -> None:
        """SIGKILL to the process of a place."""
        assert member.process is not None
        member.up = False
        self.caught += open_at[member.job["port"]]
        member.process.kill()
        await member.process.wait()
        self.kills[member.job["role"]] += 1

    async def some_that_is_up(self, *roles: str) -> Member:
        """Choose a place at random whose process works; wait for one if there is none."""
        while True:
            up = [member for member in self.members if member.up and member.job["role"] in roles]
            if up:
                return random.choice(up)
            await asyncio.sleep(0.01)

    async def pending(self) -> int:
        """How many events are still to be handled."""
        database = await open_data(self.engine.url, create=False)
        try:
            return await database.read(lambda tx: tx.one(_PENDING)) or 0
        finally:
            await database.close()

    async def end(self) -> None:
        """Let every process finish what is under way, and end."""
        for member in self.members:
            if member.process is not None and member.process.stdin is not None:
                member.process.stdin.close()
        async with asyncio.timeout(_END_SECONDS):
            await asyncio.gather(*(member.process.wait() for member in self.members if member.process))

    def kill_the_rest(self) -> None:
        """End what is still there when the benchmark has failed."""
        for member in self.members:
            if member.process is not None and member.process.returncode is None:
                member.process.kill()

    async def stored(self) -> tuple[list[Stored], list[Effect]]:
        """Read all rows of the inbox, and all effects of two-phase handlers."""
        database = await open_data(self.engine.url, create=False)
        try:
            return (
                await database.read(lambda tx: tx.all(_STORED)),
                await database.read(lambda tx: tx.all(_EFFECTS)),
            )
        finally:
            await database.close()

    def lines(self) -> Iterator[Effect]:
        """Read what the plain handlers wrote."""
        path = self.folder / "lines"
        for line in path.read_text().splitlines() if path.exists() else ():
            message, event_id = line.split()
            yield Effect(message, event_id)

    def _log(self) -> BinaryIO:
        return (self.folder / "processes.log").open("ab")


@asynccontextmanager
async def office(folder: Path, engine_name: str) -> AsyncIterator[Office]:
    """Make the databases with a connected creator; processes are added and started by the caller."""
    async with engine_of(engine_name, folder) as engine:
        kms.create_key_file(folder / "kek.json")
        secret = "whsec_" + secrets.token_hex(32)
        host = f"localhost:{free_port()}"
        settings = {
            "env": "development",
            "public_url": f"http://{host}",
            "client_id": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            "client_secret": secrets.token_hex(32),
            "webhook_secrets": f"main={secret}",
            "issuer_url": "http://127.0.0.1:9",
            "api_url": "http://127.0.0.1:9",
            "database_url": engine.url,
            "keys_database_url": engine.keys_url,
            "keys": f"file:{folder}/kek.json",
        }
        async with open_stores(Settings(**settings), create=True) as stores:
            await stores.data.write(lambda tx: users.add(tx, UserId(CREATOR)))
            await stores.data.write(lambda tx: tx.run(_CREATE_EFFECTS))
            await stores.datakeys.ensure(UserId(CREATOR))
        made = Office(folder, engine, settings, host, secret)
        try:
            yield made
        finally:
            made.kill_the_rest()
