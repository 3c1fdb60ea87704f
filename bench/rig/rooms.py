"""Databases of one's own for the receivers, on either engine, and many old events in them."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import apsw
import asyncpg
from bench.rig.filling import POSTGRESQL_FILL, SQLITE_FILL
from bench.rig.postgresql import PostgreSQL
from bench.rig.processor import busy_seconds, family

__all__ = ["ENGINES", "Room", "Rooms", "rooms"]

_STORED = "SELECT count(*) FROM events"
_WAITING = "SELECT count(*) FROM events WHERE state = 'pending'"
_SERVER = ("shared_buffers=512MB", "max_wal_size=4GB")


class Room(Protocol):
    """One database, and another one for the keys.

    Attributes:
        url: its address, as fankeep takes it.
        keys_url: the address of the other one.
    """

    url: str
    keys_url: str

    def stored(self) -> int:
        """Count its events."""
        ...

    def waiting(self) -> int:
        """Count those that have still to be handed to handlers."""
        ...

    def fill(self, events: int) -> None:
        """Put old events into it, as they lie after months. Nothing else may use it meanwhile."""
        ...

    def busy(self) -> float:
        """Seconds of processor time that its server has taken so far; 0 for a file."""
        ...


class Rooms(Protocol):
    """Makes rooms of one engine."""

    def new(self) -> Room:
        """A new and empty one."""
        ...


class _File:
    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self.keys_url = f"sqlite:///{path.with_suffix('.keys.db')}"
        self._path = path

    def stored(self) -> int:
        return self._count(_STORED)

    def waiting(self) -> int:
        return self._count(_WAITING)

    def fill(self, events: int) -> None:
        with closing(apsw.Connection(str(self._path))) as connection:
            for statement in SQLITE_FILL:
                connection.execute(statement, {"events": events} if ":events" in statement else {})

    def busy(self) -> float:
        return 0.0

    def _count(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as connection:
            count: int = connection.execute(query).fetchone()[0]
            return count


class _Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def new(self) -> Room:
        return _File(self._folder / f"events-{next(self._numbers)}.db")


class _Database:
    def __init__(self, server: PostgreSQL, name: str) -> None:
        self._server = server
        self.url = server.url(name)
        self.keys_url = server.url(_keys_of(name))

    def stored(self) -> int:
        return self._count(_STORED)

    def waiting(self) -> int:
        return self._count(_WAITING)

    def fill(self, events: int) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                for statement in POSTGRESQL_FILL:
                    await connection.execute(statement, *([events] if "$1" in statement else []))
            finally:
                await connection.close()

        asyncio.run(run())

    def busy(self) -> float:
        return busy_seconds(family(self._server.pid))

    def _count(self, query: str) -> int:
        async def run() -> int:
            connection = await asyncpg.connect(self.url)
            try:
                count: int = await connection.fetchval(query)
                return count
            finally:
                await connection.close()

        return asyncio.run(run())


class _Server:
    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self._numbers = itertools.count()

    def new(self) -> Room:
        name = f"events_{next(self._numbers)}"
        asyncio.run(_create(self._server.url("postgres"), name, _keys_of(name)))
        return _Database(self._server, name)


def _keys_of(name: str) -> str:
    return f"{name}_keys"


async def _create(url: str, *names: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name in names:
            await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


@contextmanager
def _sqlite(folder: Path) -> Iterator[Rooms]:
    private = folder / "rooms"
    private.mkdir(mode=0o700, exist_ok=True)
    yield _Files(private)


@contextmanager
def _postgresql(_: Path) -> Iterator[Rooms]:
    with PostgreSQL(_SERVER) as server:
        yield _Server(server)


ENGINES = {"sqlite": _sqlite, "postgresql": _postgresql}


@contextmanager
def rooms(engine: str, folder: Path) -> Iterator[Rooms]:
    """Give rooms of an engine, and remove them at the end.

    Args:
        engine: one of ``ENGINES``.
        folder: private, for files.
    """
    with ENGINES[engine](folder) as made:
        yield made
