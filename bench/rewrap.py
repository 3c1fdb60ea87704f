"""Data keys put under another key-encryption key, beside the engine's own rate of the same UPDATEs.

Both write the same rows in the same portions, in databases of the same size and settings, on each engine.
What ours does beside writing: it reads each row, unwraps, wraps, and opens again what it wrapped. Replicas go
on meanwhile: one reads keys all the time, and not one of its reads may fail.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Protocol

import asyncpg
from bench.harness import medians, note, print_result, significant
from bench.rig.postgresql import PostgreSQL

from fankeep.datakeys import open_data_keys
from fankeep.datakeys.pace import Pace
from fankeep.datakeys.rewrapping import rewrap_all
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.kms import KeyEncryption, add_to_key_file, from_setting
from fankeep.store import Database, Transaction, data_keys, key_encryption_keys, open_keys
from fankeep.store.data_keys import DataKeyRow
from fankeep.store.sqlite import connect
from fankeep.types import UserId

KEYS = 10_000
ROUNDS = 3
AIM = 0.5
"""Of the bare rate."""
PORTION = 500

_READ = UserId("user-1")
_BETWEEN_READS = 0.01
_INSTALLATION = "00112233445566778899aabbccddeeff"
_UPDATE = "UPDATE data_keys SET kek_id = ?, wrapped = ? WHERE id = ? AND wrapped = ?"
_UPDATE_NUMBERED = "UPDATE data_keys SET kek_id = $1, wrapped = $2 WHERE id = $3 AND wrapped = $4"


def main() -> None:
    """Print the rate of rewrapping beside the bare rate of each engine."""
    for engine in _ENGINES:
        asyncio.run(_measure(engine))


class _Keys(Protocol):
    """Where a key database lies, and a copy of it that the driver alone writes."""

    url: str

    async def copy(self) -> None:
        """Make the copy; nobody has the key database open."""
        ...

    async def bare(self, kek_id: str) -> float:
        """Write every row of the copy in the same portions; return rows a second."""
        ...


async def _measure(engine: str) -> None:
    async with AsyncExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        place = await stack.enter_async_context(_ENGINES[engine](Path(name)))
        kms = await _filled(Path(name), place.url)
        await place.copy()
        database = await open_keys(place.url, create=False)
        figures: dict[str, list[float]] = {"rewrap": [], "bare": []}
        reads = 0
        for number in range(ROUNDS + 1):
            bare = await place.bare(f"kek-{number}")
            await _promote_other(database, kms)
            rate, seen = await _rewrap(database, kms)
            reads += seen
            if number:
                figures["bare"].append(bare)
                figures["rewrap"].append(rate)
        await database.close()
    middle = medians(figures)
    note(f"{KEYS} data keys; {reads} reads by a replica meanwhile, none failed")
    print_result(
        "rewrap",
        "keys_per_s",
        middle["rewrap"],
        "1/s",
        beside={"bare": middle["bare"]},
        aim=significant(AIM * middle["bare"]),
        reads=reads,
        engine=engine,
    )


async def _filled(folder: Path, url: str) -> KeyEncryption:
    """Make an installation with many users, and a second key-encryption key."""
    key_file = folder / "kek.json"
    first = add_to_key_file(key_file)
    database = await open_keys(url, create=True)
    kms = from_setting(f"file:{key_file}")
    keys = await open_data_keys(database, kms, installation_id=_INSTALLATION)
    await keys.ensure(_READ)
    wrapping = KeyWrapping(kms, _INSTALLATION)
    for start in range(2, KEYS, PORTION):
        rows = [await wrapping.new(f"user-{start + n}", first) for n in range(min(PORTION, KEYS - start))]
        await database.write(partial(_add, rows))
    await database.close()
    add_to_key_file(key_file)
    return from_setting(f"file:{key_file}")


async def _add(rows: list[DataKeyRow], tx: Transaction) -> None:
    for row in rows:
        await data_keys.add(tx, row)


async def _promote_other(database: Database, kms: KeyEncryption) -> None:
    primary = await database.read(key_encryption_keys.require_primary)
    other = next(key_id for key_id in kms.ids if key_id != primary)
    await database.write(lambda tx: key_encryption_keys.promote(tx, other))


async def _rewrap(database: Database, kms: KeyEncryption) -> tuple[float, int]:
    """Rewrap everything while a replica reads; return keys a second, and how often it read."""
    replica = await open_data_keys(database, kms, installation_id=_INSTALLATION, clock=_Restless())
    context = replica.context(user=_READ, table="grants", record="1", field="refresh")
    sealed = await replica.seal(context, b"token")
    wrapping = KeyWrapping(kms, _INSTALLATION)
    begin = time.perf_counter()
    rewrapping = asyncio.create_task(rewrap_all(database, wrapping, pace=Pace(None), done=lambda _: None))
    reads = 0
    while not rewrapping.done():
        assert await replica.open(context, sealed) == b"token"
        reads += 1
        await asyncio.sleep(_BETWEEN_READS)
    done = await rewrapping
    assert (done.rewrapped, done.left, done.damaged) == (KEYS, 0, ())
    return KEYS / (time.perf_counter() - begin), reads


class _Restless:
    """A clock by which every key has to be looked at again at every use."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 100.0
        return self._now


class _Sqlite:
    """A file and its copy."""

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "keys.db", folder / "copy.db"
        self.url = f"sqlite:///{self._file}"

    async def copy(self) -> None:
        shutil.copy(self._file, self._copy)

    async def bare(self, kek_id: str) -> float:
        with closing(connect(self._copy)) as connection:
            rows = connection.execute("SELECT ?, wrapped, id, wrapped FROM data_keys ORDER BY id", (kek_id,))
            found = rows.fetchall()
            begin = time.perf_counter()
            for start in range(0, len(found), PORTION):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_UPDATE, found[start : start + PORTION])
                connection.execute("COMMIT")
            return len(found) / (time.perf_counter() - begin)


class _PostgreSQL:
    """A database of a server of one's own, and a second one that was made from it."""

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self.url = server.url("keys")

    async def copy(self) -> None:
        await self.execute("CREATE DATABASE copy TEMPLATE keys")

    async def execute(self, sql: str) -> None:
        connection = await asyncpg.connect(self._server.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def bare(self, kek_id: str) -> float:
        connection = await asyncpg.connect(self._server.url("copy"))
        try:
            found = await connection.fetch(
                "SELECT $1::text, wrapped, id, wrapped FROM data_keys ORDER BY id", kek_id
            )
            rows = [tuple(row) for row in found]
            begin = time.perf_counter()
            for start in range(0, len(rows), PORTION):
                async with connection.transaction():
                    await connection.executemany(_UPDATE_NUMBERED, rows[start : start + PORTION])
            return len(rows) / (time.perf_counter() - begin)
        finally:
            await connection.close()


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[_Keys]:
    yield _Sqlite(folder)


@asynccontextmanager
async def _postgresql(_: Path) -> AsyncIterator[_Keys]:
    with PostgreSQL() as server:
        place = _PostgreSQL(server)
        await place.execute("CREATE DATABASE keys")
        yield place


_ENGINES: dict[str, Callable[[Path], AbstractAsyncContextManager[_Keys]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}
