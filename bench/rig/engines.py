"""The databases that a benchmark runs over, and how each of them goes away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
from bench.rig.cutting import Network
from bench.rig.postgresql import PostgreSQL

from fankeep.store.turnstile import Turnstile

__all__ = ["ENGINES", "Engine", "engine_of"]

_LOCK_SECONDS = 3.0
_CUT_SHARE = 0.02  # of all COMMITs


class Engine(Protocol):
    """A data database of one's own, and a key database beside it."""

    @property
    def url(self) -> str:
        """The address of the data."""
        ...

    @property
    def keys_url(self) -> str:
        """The address of the keys."""
        ...

    def away(self) -> AbstractAsyncContextManager[None]:
        """Let nobody write inside the block."""
        ...

    async def free(self) -> bool:
        """Whether processes can write now, although one of them is stopped."""
        ...

    def unsteady(self) -> AbstractAsyncContextManager[Callable[[], int]]:
        """Reach the database through a network that loses the answer to some COMMITs, inside the block.

        Changes `url`. What the block is given counts the connections that were cut; a file has none.
        """
        ...


class _Sqlite:
    """A file. It cannot go away, but one process can keep all others from writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"
        self.keys_url = f"sqlite:///{path.with_name('keys.db')}"

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        turns = Turnstile(self._path)
        entering = asyncio.create_task(asyncio.to_thread(turns.__enter__))
        entered = False
        try:
            await asyncio.shield(entering)
            entered = True
            yield
        finally:
            if entered:
                _leave(turns)
            else:
                entering.add_done_callback(lambda _: _leave(turns))

    async def free(self) -> bool:
        try:
            async with asyncio.timeout(_LOCK_SECONDS), self.away():
                return True
        except TimeoutError:
            return False

    @asynccontextmanager
    async def unsteady(self) -> AsyncIterator[Callable[[], int]]:
        yield lambda: 0


class _PostgreSQL:
    """A server. Every process of it is killed, as a machine that dies does, and it is started again."""

    def __init__(self, server: PostgreSQL) -> None:
        self._server = server
        self.url = server.url("data")
        self.keys_url = server.url("keys")

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        await asyncio.to_thread(self._server.kill)
        try:
            yield
        finally:
            await asyncio.to_thread(self._server.start)

    async def free(self) -> bool:
        return True

    @asynccontextmanager
    async def unsteady(self) -> AsyncIterator[Callable[[], int]]:
        direct = self.url
        async with Network(self._server.port, share=_CUT_SHARE) as network:
            self.url = direct.replace(f":{self._server.port}/", f":{network.port}/")
            try:
                yield lambda: network.cuts
            finally:
                self.url = direct


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Engine]:
    yield _Sqlite(folder / "data.db")


@asynccontextmanager
async def _postgresql(_: Path) -> AsyncIterator[Engine]:
    with PostgreSQL() as server:
        connection = await asyncpg.connect(server.url("postgres"))
        try:
            for name in ("data", "keys"):
                await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        yield _PostgreSQL(server)


ENGINES = {"sqlite": _sqlite, "postgresql": _postgresql}


def engine_of(name: str, folder: Path) -> AbstractAsyncContextManager[Engine]:
    """Make empty databases of this engine, and remove them at the end.

    Args:
        name: one of ``ENGINES``.
        folder: private, for the files.
    """
    return ENGINES[name](folder)


def _leave(turns: Turnstile) -> None:
    turns.__exit__(None, None, None)
    turns.close()
