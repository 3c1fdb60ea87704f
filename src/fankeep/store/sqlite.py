"""SQLite through apsw: one writer thread and one reader thread a process.

A unit of work runs on one of the two threads from begin to commit, so statements need no hop between threads
and no transaction is left open by an event loop that is busy elsewhere. Writers of several processes take
turns (:mod:`fankeep.store.turnstile`); SQLite's own lock is only met by programs that are not ours.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Generic, Literal, Protocol, TypeVar

import apsw

from fankeep.errors import StorageUnavailable
from fankeep.store.database import Deliveries, Transaction
from fankeep.store.sqlite_errors import mapped
from fankeep.store.statement import Command, SqlValue, Statement
from fankeep.store.turnstile import Turnstile

__all__ = ["SqliteDatabase", "connect", "run_to_end"]

R = TypeVar("R")
T = TypeVar("T")

_START_LIMIT: Final = 5.0
"""Seconds that a unit of work waits for its turn. Half of what a webhook's sender waits for an answer."""

_CLOSE_LIMIT: Final = 10.0
"""Seconds that closing waits for a thread: it may stand in a queue behind a process that hangs."""

_BUSY_LIMIT: Final = 2_000
"""Milliseconds that SQLite waits for a program that does not know our turnstile."""

_FOREIGN: Final = "a unit of work awaited something other than a statement of its transaction"

_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",  # of the connection, not of the file: a commit is on the disk
    "PRAGMA secure_delete=ON",  # what an erase removes is overwritten
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA temp_store=MEMORY",  # nothing of ours in /tmp
    "PRAGMA cache_size=-16384",  # KiB
    "PRAGMA wal_autocheckpoint=4000",  # pages
)


class SqliteDatabase:
    """The :class:`~fankeep.store.database.Database` over one SQLite file.

    Args:
        path: of a file that :func:`fankeep.store.files.prepare` has checked and that has its schema.
    """

    engine: Final = "sqlite"

    def __init__(self, path: Path) -> None:
        self._writer = _Worker(path, "write")
        self._reader = _Worker(path, "read")

    async def write(
        self, work: Callable[[Transaction], Awaitable[T]], *, deliveries: Deliveries | None = None
    ) -> T:
        """Run the work in one write transaction and return its result after the commit."""
        del deliveries  # one transaction writes at a time, over all processes
        return await self._writer.submit(work)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the work on one consistent snapshot and return its result."""
        return await self._reader.submit(work)

    async def close(self) -> None:
        """Finish what was accepted, refuse what comes, and release the files."""
        await self._reader.close()
        await self._writer.close()  # last: it leaves one file behind, without a write-ahead log


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """Open the file with the settings that every connection of ours needs.

    Raises:
        apsw.Error: it does not open.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=256)
    connection.set_busy_timeout(_BUSY_LIMIT)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


class _Transaction:
    """Runs each statement at once, on the thread that drives the coroutine: nothing ever suspends."""

    __slots__ = ("_connection", "_open")

    engine: Final = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._open = True

    def end(self) -> None:
        self._open = False

    async def one(self, stmt: Statement[R], **params: SqlValue) -> R | None:
        rows = await self.all(stmt, **params)
        if len(rows) > 1:
            raise ValueError(f"{stmt!r} returned more than one row")
        return rows[0] if rows else None

    async def all(self, stmt: Statement[R], **params: SqlValue) -> list[R]:
        returns = stmt.returns
        with mapped:
            rows = self._cursor().execute(*stmt.on_sqlite(params)).fetchall()
        return [returns(*row) for row in rows]

    async def run(self, cmd: Command, **params: SqlValue) -> int:
        with mapped:
            self._cursor().execute(*cmd.on_sqlite(params))
            return self._connection.changes()

    async def many(self, cmd: Command, rows: Sequence[Mapping[str, SqlValue]]) -> None:
        with mapped:
            self._cursor().executemany(cmd.sqlite, rows)

    def _cursor(self) -> apsw.Cursor:
        if not self._open:
            raise RuntimeError("this transaction has ended; statements belong inside its coroutine")
        return self._connection.cursor()


def run_to_end(work: Callable[[Transaction], Awaitable[T]], connection: apsw.Connection, begin: str) -> T:
    """Run one unit of work from begin to commit on the calling thread.

    Raises:
        TypeError: the work awaited something that is not a statement of its transaction. Rolled back.
    """
    transaction = _Transaction(connection)
    with mapped:
        connection.execute(begin)
    try:
        result = _drive(work, transaction)
        with mapped:
            connection.execute("COMMIT")
    finally:
        transaction.end()
        if connection.in_transaction:
            with mapped:
                connection.execute("ROLLBACK")
    return result


def _drive(work: Callable[[Transaction], Awaitable[T]], transaction: _Transaction) -> T:
    async def call() -> T:
        return await work(transaction)

    coroutine = call()
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    except RuntimeError as problem:
        if str(problem) == "no running event loop":  # what asyncio's own coroutines find out first
            raise TypeError(_FOREIGN) from problem
        raise
    transaction.end()  # so that what the coroutine does while it is closed cannot reach the database
    coroutine.close()
    raise TypeError(_FOREIGN)


class _Job(Generic[T]):
    """One unit of work on its way to a thread; either begins or is withdrawn, never both."""

    __slots__ = ("_claim", "_future", "_loop", "_work")

    def __init__(self, work: Callable[[Transaction], Awaitable[T]], future: asyncio.Future[T]) -> None:
        self._work = work
        self._future = future
        self._loop = future.get_loop()
        self._claim = threading.Lock()

    def withdraw(self) -> None:
        """Give up waiting, unless the work has begun. Called on the event loop."""
        if self._claim.acquire(blocking=False) and not self._future.done():
            self._future.set_exception(StorageUnavailable("the database is busy"))

    @property
    def taken(self) -> bool:
        return self._claim.locked()

    def run(self, connection: apsw.Connection, begin: str) -> None:
        """Run the work and post its outcome to the event loop. Called on the worker's thread."""
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._post(self._resolve, run_to_end(self._work, connection, begin))
        except BaseException as problem:  # noqa: BLE001 - whatever it is belongs to the caller, not to the thread
            self._post(self._reject, problem)

    def _post(self, deliver: Callable[[R], None], outcome: R) -> None:
        try:
            self._loop.call_soon_threadsafe(deliver, outcome)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits for the outcome
            return

    def _resolve(self, result: T) -> None:
        if not self._future.done():
            self._future.set_result(result)

    def _reject(self, problem: BaseException) -> None:
        if not self._future.done():
            self._future.set_exception(problem)


class _Runnable(Protocol):
    """A job of any result type."""

    @property
    def taken(self) -> bool: ...

    def run(self, connection: apsw.Connection, begin: str) -> None: ...


class _Worker:
    """A thread with a connection of its own, which runs one unit of work after the other."""

    def __init__(self, path: Path, access: Literal["write", "read"]) -> None:
        writes = access == "write"
        self._turns: Turnstile | nullcontext[None] = Turnstile(path) if writes else nullcontext()
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        with mapped:
            self._connection = connect(path, read_only=not writes)
        self._jobs: SimpleQueue[_Runnable | None] = SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"fankeep-{access}", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        if self._closing:
            raise StorageUnavailable("the database is being closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(work, future)
        self._jobs.put(job)
        timer = loop.call_later(_START_LIMIT, job.withdraw)
        try:
            return await future
        finally:
            timer.cancel()

    async def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, _CLOSE_LIMIT)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.taken:
                with self._turns:
                    job.run(self._connection, self._begin)
        with self._turns:  # the last one to leave writes the log back into the file
            self._connection.close()
        if isinstance(self._turns, Turnstile):
            self._turns.close()
