"""Several processes with a real vault each, on one database, in an event loop whose time the test lets pass.

Real are the vault, its statements on SQLite, the sealing and the reading of answers. The database's clock
is that of the loop, plus what it was set ahead or back. A process that has crashed never comes back from its
next step; one that is paused comes back later.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import selectors
import tempfile
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

import apsw
from vault_rules import Rules
from vault_server import LIFETIME, Server, error

from fankeep.datakeys import open_data_keys
from fankeep.errors import StorageUnavailable, TransportError
from fankeep.kms import create_key_file, from_setting
from fankeep.oauth import ClientRegistration, pinned_server
from fankeep.secret import Secret
from fankeep.secrets import ClientSecret, ClientSecrets
from fankeep.store.migrations import load_schema, migrate_sqlite
from fankeep.store.sqlite import run_to_end
from fankeep.transport import NotSent
from fankeep.types import UserId
from fankeep.vault import Timing, TokenEndpoint, TokenPair, Vault
from fankeep.vault.records import GrantRecords

USER = UserId("00000000-0000-4000-8000-000000000001")
TIMING = Timing(poll=0.25, watch=2.0, sweep=3.0)
"""The real bounds; only looks at rows are fewer, since each costs the test time."""

_STEP = 0.002
_TRIP = 0.05
_SCOPES = ("openid", "read:self")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait: its time is that of the next timer."""

    def __init__(self) -> None:
        self.now = 1000.0
        loop = self

        class Selector(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> Any:
                if timeout is None:
                    raise AssertionError("nothing will ever happen again")
                loop.now += timeout
                return []

        super().__init__(Selector())

    def time(self) -> float:
        return self.now


class Direct:
    """A database in memory without a thread: every unit of work is over before anything else happens."""

    engine = "sqlite"

    def __init__(self, name: str, clock: Any) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.execute("PRAGMA foreign_keys=ON")
        migrate_sqlite(self.connection, load_schema(name, "sqlite"))
        self.connection.create_scalar_function("julianday", lambda _: clock() / 86400.0 + 2440587.5, 1)

    async def write(self, work: Any) -> Any:
        return run_to_end(work, self.connection, "BEGIN IMMEDIATE")

    async def read(self, work: Any) -> Any:
        return run_to_end(work, self.connection, "BEGIN")


@dataclass
class Fault:
    """What happens to one request: it and its answer may be late or lost, or something else answers."""

    before: float = _TRIP
    after: float = _TRIP
    arrives: bool = True
    answered: bool = True
    instead: Any = None
    not_sent: bool = False


def faults() -> dict[str, Fault]:
    """Every fault, by its name."""
    return {
        "never arrives": Fault(arrives=False, answered=False),
        "arrives late": Fault(before=6.0),
        "answer is lost": Fault(answered=False),
        "answer is slow": Fault(after=4.0),
        "answer is too slow": Fault(after=6.0),
        "rate limit": Fault(instead=error(429, "slow_down", retry_after="5")),
        "failure": Fault(arrives=False, instead=error(503, "server_error")),
        "failure after rotation": Fault(instead=None, answered=False, after=_TRIP, before=1.0),
        "wrong client": Fault(instead=error(401, "invalid_client", retry_after="10")),
        "app refused": Fault(instead=error(400, "unauthorized_client", retry_after="10")),
        "not sent": Fault(not_sent=True),
    }


class Process:
    """One process: a vault, and where it stops."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.alive = True
        self.began = world.loop.now
        self.paused_until = 0.0
        self.traps: dict[str, float | None] = {}
        self.last_sent = ""
        self.claimed_at = 0.0
        self.vault = Vault(
            ProcessDatabase(self), world.datakeys, _endpoint(ProcessTransport(self)), timing=TIMING
        )

    @property
    def up(self) -> bool:
        return self.alive and self.paused_until <= self.world.loop.now

    async def gate(self, point: str) -> None:
        """Stop here for as long as it was decided; for good after a crash."""
        if point in self.traps:
            self.stop(self.traps.pop(point))
        while not self.up:
            if not self.alive:
                await self.world.never
            await asyncio.sleep(self.paused_until - self.world.loop.now)

    def stop(self, pause: float | None) -> None:
        """Crash, or pause for so many seconds."""
        if pause is None:
            self.alive = False
            self.world.rules.disturbed("crash")
        else:
            self.paused_until = self.world.loop.now + pause
            self.world.rules.disturbed("pause", pause)


class ProcessDatabase:
    """The database as one process reaches it."""

    engine = "sqlite"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    async def read(self, work: Any) -> Any:
        await self._reach("read")
        result = await self._world.data.read(work)
        await self._process.gate("was read")
        return result

    async def write(self, work: Any) -> Any:
        await self._reach("write")
        what, result = self._world.commit(self._process, work)
        await self._process.gate(what)
        if self._world.forget_commits and what != "written":
            self._world.forget_commits -= 1
            raise StorageUnavailable("the connection was cut", outcome_unknown=True)
        return result

    async def _reach(self, point: str) -> None:
        await asyncio.sleep(_STEP)
        await self._process.gate(point)
        if self._world.loop.now < self._world.database_back_at:
            raise StorageUnavailable("the database is away")


class ProcessTransport:
    """The way of one process to the token and revocation endpoints."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    async def send(self, request: Any, *, timeout: float, guard: Any = None) -> Any:
        await asyncio.sleep(_TRIP)
        await self._process.gate("send")
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        refresh = "refresh_token" in form
        fault = self._world.next_fault() if refresh else Fault()
        if fault.not_sent:
            raise TransportError(outcome_unknown=False)
        if guard is not None:
            try:
                guard()
            except NotSent:
                raise TransportError(outcome_unknown=False) from None
        arrived = asyncio.get_running_loop().create_future()
        if refresh:
            self._world.rules.sent(self._process, form["refresh_token"], until=arrived)
        else:
            self._world.rules.revoked(self._process, form["token"])
        self._world.loop.call_later(fault.before, self._arrive, form, fault, arrived)
        try:
            async with asyncio.timeout(timeout):
                answer = await arrived
        except TimeoutError:
            raise TransportError(outcome_unknown=True) from None
        finally:
            arrived.cancel()
        await self._process.gate("answered")
        return answer

    def _arrive(self, form: dict[str, str], fault: Fault, arrived: asyncio.Future[Any]) -> None:
        server = self._world.server
        answer = fault.instead
        if answer is None and fault.arrives:
            use = server.use if "refresh_token" in form else server.revoke
            answer = use(form.get("refresh_token") or form["token"])
        self._world.loop.call_later(fault.after, self._answer, answer, fault, arrived)

    @staticmethod
    def _answer(answer: Any, fault: Fault, arrived: asyncio.Future[Any]) -> None:
        if arrived.done():
            return
        if answer is None or not (fault.answered or fault.instead is not None):
            arrived.set_exception(TransportError(outcome_unknown=True))
        else:
            arrived.set_result(answer)


@dataclass
class World:
    """Everything, and what the test does with it."""

    loop: VirtualLoop = field(default_factory=VirtualLoop)
    faults: deque[tuple[str, Fault]] = field(default_factory=deque)
    clock_offset: float = 0.0
    database_back_at: float = 0.0
    forget_commits: int = 0

    def __post_init__(self) -> None:
        numbers = itertools.count()
        logging.disable()  # there is a lot to say, and saying it takes longer than all the rest
        self.server = Server(self.loop.time)
        clock = SimpleNamespace(CLOCK_BOOTTIME=0, clock_gettime=lambda _: self.loop.now)
        self._patches = [
            mock.patch("fankeep.vault.clock.time", clock),
            mock.patch("secrets.token_hex", lambda length: f"{next(numbers):0{2 * length}x}"),
        ]
        for patch in self._patches:
            patch.start()
        self.data = Direct("data", self.database_clock)
        self.datakeys = self.loop.run_until_complete(
            open_data_keys(
                Direct("keys", self.database_clock), _kms(), installation_id="0" * 32, clock=self.loop.time
            )
        )
        self.records = GrantRecords(self.datakeys)
        self.rules = Rules(self)
        self.processes: list[Process | None] = [None] * 3
        self.all: list[Process] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.errors: list[BaseException] = []
        self.never: asyncio.Future[None] = self.loop.create_future()

    def next_fault(self) -> Fault:
        """What happens to the next refresh request."""
        if not self.faults:
            return Fault()
        name, fault = self.faults.popleft()
        self.rules.disturbed(name)
        return fault

    def database_clock(self) -> float:
        return 1.6e9 + self.loop.now + self.clock_offset

    def start(self, number: int) -> None:
        process = self.processes[number] = Process(self, number)
        self.all.append(process)  # those that crash still hold what they were doing
        self.loop.run_until_complete(process.vault.start())

    def running(self) -> list[Process]:
        return [process for process in self.processes if process is not None and process.alive]

    def commit(self, process: Process, work: Any) -> tuple[str, Any]:
        """Run a unit of work, and say what it did to the grant."""
        before = self.row()
        result = run_to_end(work, self.data.connection, "BEGIN IMMEDIATE")
        return self.rules.moved(process, before, self.row()), result

    def row(self) -> Any:
        """The one grant as it is stored, or None."""
        cursor = self.data.connection.cursor()
        for values in cursor.execute("SELECT * FROM grants"):
            return SimpleNamespace(
                **dict(zip([name for name, _ in cursor.get_description()], values, strict=True))
            )
        return None

    def do(self, work: Any) -> None:
        """Begin something that a caller wants."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            self.errors.append(problem)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.rules.check()

    def login_pair(self, *, refresh: bool) -> TokenPair:
        access, token = self.server.consent() if refresh else (self.server.access_only(), None)
        return TokenPair(
            access=Secret(access),
            refresh=None if token is None else Secret(token),
            access_left=LIFETIME,
            lifetime=LIFETIME,
            scopes=_SCOPES,
        )

    def close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()
        for patch in self._patches:
            patch.stop()
        logging.disable(logging.NOTSET)


def _endpoint(transport: Any) -> TokenEndpoint:
    return TokenEndpoint(
        transport,
        pinned_server("http://127.0.0.1:9"),
        ClientRegistration("client", "http://localhost/auth/callback", ("openid",)),
        ClientSecrets([ClientSecret("only", Secret("0f" * 32))]),
        TIMING,
    )


@cache
def _kms() -> Any:
    folder = Path(tempfile.mkdtemp())
    create_key_file(folder / "kek.json")
    return from_setting(f"file:{folder}/kek.json")
