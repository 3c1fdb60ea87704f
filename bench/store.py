"""What the way to the database costs: our seam over the raw drivers, beside those and SQLAlchemy.

Every way gets a file of its own with the same table, the same settings (WAL, ``synchronous=FULL``) and the
same work, in turn. aiosqlite and SQLAlchemy use the SQLite of the Python installation; apsw brings its own.
On PostgreSQL, a server with ``fsync=on`` on this machine: ours begins and ends a transaction with its limits
around every statement; asyncpg beside it runs the bare statement, on one held connection and through its
own pool.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import LiteralString, Protocol

import aiosqlite
import asyncpg
from bench.harness import in_turn, medians, print_result
from bench.rig.postgresql import PostgreSQL
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fankeep.store import Command, Database, Statement, open_data

NAME = "store"
ROUNDS = 5
TIMES = 200
GROUP = 100

_TABLE = "CREATE TABLE bench (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL)"
_POSTGRESQL_TABLE = (
    "CREATE TABLE bench (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, value BYTEA NOT NULL)"
)
_INSERT = "INSERT INTO bench (id, version, value) VALUES (:id, 0, :value)"
_SELECT = "SELECT version, value FROM bench WHERE id = :id"
_UPDATE = "UPDATE bench SET version = version + 1 WHERE id = :id AND version = :version RETURNING version"
_NEXT = "SELECT coalesce(max(id), 0) FROM bench"
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON")
_VALUE = os.urandom(600)

_IMPORTS = {
    "fankeep.store": "import fankeep.store",
    "aiosqlite": "import aiosqlite",
    "sqlalchemy": "import sqlalchemy.ext.asyncio, aiosqlite",
    "python": "pass",
}


class Way(Protocol):
    """One way to the database."""

    async def select(self, key: int) -> int: ...
    async def update(self, key: int, version: int) -> None: ...
    async def insert(self, first: int) -> None: ...
    async def next(self) -> int: ...
    async def close(self) -> None: ...


def main() -> None:
    """Print the costs of importing, reading, changing, and storing a group."""
    _imports()
    asyncio.run(_statements())


def _imports() -> None:
    def seconds(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run((sys.executable, "-c", code), check=True)
        return time.perf_counter() - begin

    figures = medians(in_turn(9, {name: partial(seconds, code) for name, code in _IMPORTS.items()}))
    own = figures.pop("fankeep.store")
    print_result(NAME, "import_s", own, "s", beside=figures)
    sizes = {name: _rss_mib(code) for name, code in _IMPORTS.items()}
    own = sizes.pop("fankeep.store")
    print_result(NAME, "import_rss_mib", own, "MiB", beside=sizes)


def _rss_mib(code: str) -> float:
    show = "; print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
    done = subprocess.run((sys.executable, "-c", code + show), check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


async def _statements() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _compare(
            "sqlite",
            {
                "fankeep": await _Ours.open(f"sqlite:///{folder}/ours.db", _TABLE),
                "aiosqlite": await _Aiosqlite.open(Path(folder) / "aiosqlite.db"),
                "sqlalchemy": await _Sqlalchemy.open(Path(folder) / "sqlalchemy.db"),
            },
        )
    with PostgreSQL() as server:
        own = await _Ours.open(server.url("postgres"), _POSTGRESQL_TABLE)
        pool = await asyncpg.create_pool(server.url("postgres"), min_size=1, max_size=1)
        held = await asyncpg.connect(server.url("postgres"))
        await _compare(
            "postgresql", {"fankeep": own, "asyncpg": _Asyncpg(held), "asyncpg_pool": _Asyncpg(pool)}
        )


async def _compare(engine: str, ways: dict[str, Way]) -> None:
    for metric, measure in (
        ("select_us", _select),
        ("update_us", _update),
        ("insert_us_per_row", _insert),
    ):
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS + 1):
            for name in list(ways) if number % 2 else reversed(ways):
                figure = await measure(ways[name])
                figures[name] += [figure] if number else []
        middle = medians(figures)
        own = middle.pop("fankeep")
        print_result(
            NAME, metric, own * 1e6, "us", beside={k: v * 1e6 for k, v in middle.items()}, engine=engine
        )
    for way in ways.values():
        await way.close()


async def _timed(times: int, work: Callable[[int], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    for number in range(times):
        await work(number)
    return (time.perf_counter() - begin) / times


async def _select(way: Way) -> float:
    await way.insert(await way.next())
    return await _timed(TIMES, lambda _: way.select(1))


async def _update(way: Way) -> float:
    await way.insert(await way.next())
    version = await way.select(1)
    return await _timed(TIMES, lambda number: way.update(1, version + number))


async def _insert(way: Way) -> float:
    first = await way.next()
    return await _timed(20, lambda number: way.insert(first + number * GROUP)) / GROUP


def _rows(first: int) -> list[dict[str, int | bytes]]:
    return [{"id": first + number + 1, "value": _VALUE} for number in range(GROUP)]


class _Ours:
    select_stmt = Statement(_SELECT, lambda version, _: version)
    update_stmt = Statement(_UPDATE, int)
    insert_cmd = Command(_INSERT)
    next_stmt = Statement(_NEXT, int)

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: str, table: LiteralString) -> _Ours:
        database = await open_data(url, create=True)
        await database.write(lambda tx: tx.run(Command(table)))
        return cls(database)

    async def select(self, key: int) -> int:
        return await self._database.read(lambda tx: tx.one(self.select_stmt, id=key)) or 0

    async def update(self, key: int, version: int) -> None:
        assert await self._database.write(lambda tx: tx.one(self.update_stmt, id=key, version=version))

    async def insert(self, first: int) -> None:
        await self._database.write(lambda tx: tx.many(self.insert_cmd, _rows(first)))

    async def next(self) -> int:
        return await self._database.read(lambda tx: tx.one(self.next_stmt)) or 0

    async def close(self) -> None:
        await self._database.close()


class _Asyncpg:
    """The bare driver, on the table that ours has made."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record] | asyncpg.Pool[asyncpg.Record]) -> None:
        self._connection = connection

    async def select(self, key: int) -> int:
        return int(await self._connection.fetchval(_Ours.select_stmt.postgresql, key))

    async def update(self, key: int, version: int) -> None:
        assert await self._connection.fetchval(_Ours.update_stmt.postgresql, key, version)

    async def insert(self, first: int) -> None:
        rows = [(row["id"], row["value"]) for row in _rows(first)]
        await self._connection.executemany(_Ours.insert_cmd.postgresql, rows)

    async def next(self) -> int:
        return int(await self._connection.fetchval(_NEXT))

    async def close(self) -> None:
        await self._connection.close()


class _Aiosqlite:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> _Aiosqlite:
        connection = await aiosqlite.connect(path, isolation_level=None)
        for statement in (*_PRAGMAS, _TABLE):
            await connection.execute(statement)
        return cls(connection)

    async def _all(self, statement: str, **params: int) -> list[tuple[int, ...]]:
        return [tuple(row) for row in await self._connection.execute_fetchall(statement, params)]

    async def select(self, key: int) -> int:
        return (await self._all(_SELECT, id=key))[0][0]

    async def update(self, key: int, version: int) -> None:
        assert await self._all(_UPDATE, id=key, version=version)

    async def insert(self, first: int) -> None:
        await self._connection.execute("BEGIN IMMEDIATE")
        await self._connection.executemany(_INSERT, _rows(first))
        await self._connection.execute("COMMIT")

    async def next(self) -> int:
        return (await self._all(_NEXT))[0][0]

    async def close(self) -> None:
        await self._connection.close()


class _Sqlalchemy:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, path: Path) -> _Sqlalchemy:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0)
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            for statement in (*_PRAGMAS, _TABLE):
                await connection.execute(text(statement))
        return cls(engine)

    async def select(self, key: int) -> int:
        async with self._engine.connect() as connection:
            return int((await connection.execute(text(_SELECT), {"id": key})).one()[0])

    async def update(self, key: int, version: int) -> None:
        async with self._engine.begin() as connection:
            (await connection.execute(text(_UPDATE), {"id": key, "version": version})).one()

    async def insert(self, first: int) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(text(_INSERT), _rows(first))

    async def next(self) -> int:
        async with self._engine.connect() as connection:
            return int((await connection.execute(text(_NEXT))).scalar_one())

    async def close(self) -> None:
        await self._engine.dispose()
