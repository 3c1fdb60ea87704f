"""PostgreSQL through asyncpg: one transaction a unit of work, on a connection of a small pool.

READ COMMITTED, so that a guarded UPDATE waits for a row and then looks again. Every transaction brings its
own time limits, and nothing outlives it in the session: so a pooler may lie in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Final, Generic, TypeVar

from fankeep.errors import StorageError, StorageUnavailable
from fankeep.store.database import Deliveries, Transaction
from fankeep.store.postgresql_errors import DRIVER_ERRORS, as_ours, commit_as_ours
from fankeep.store.postgresql_pool import Connection, Pool
from fankeep.store.statement import Command, SqlValue, Statement

__all__ = ["PostgresqlDatabase"]

R = TypeVar("R")
T = TypeVar("T")

# Milliseconds. A process that was halted inside a transaction holds its rows no longer than this.
_LIMITS: Final = (
    "SET LOCAL statement_timeout = 5000; SET LOCAL lock_timeout = 3000;"
    " SET LOCAL idle_in_transaction_session_timeout = 5000"
)
_WRITE: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {_LIMITS}"

# The lock on the table stands for deliveries; the weak one does not look at anybody else's. Both are taken
# with the begin: who waits for one has nothing that somebody else could be waiting for. Who comes behind a
# waiting strong one waits as well; if a process was halted with its transaction open, the strong one gives up
# before the others do.
_WRITE_BESIDE: Final[dict[Deliveries | None, str]] = {
    None: _WRITE,
    "stored": f"{_WRITE}; LOCK TABLE creator_families IN ROW SHARE MODE",
    "held_up": f"{_WRITE}; SET LOCAL lock_timeout = 2000; LOCK TABLE creator_families IN EXCLUSIVE MODE;"
    " SET LOCAL lock_timeout = 3000",
}
_READ: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_LIMITS}"

_FOREIGN: Final = "a unit of work awaited something other than a statement of its transaction"


class PostgresqlDatabase:
    """The :class:`~fankeep.store.database.Database` over one PostgreSQL database. Used from one event loop.

    Args:
        pool: of connections to a database that has its schema.
    """

    engine: Final = "postgresql"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._running: set[asyncio.Task[object]] = set()
        self._closing = False

    async def write(
        self, work: Callable[[Transaction], Awaitable[T]], *, deliveries: Deliveries | None = None
    ) -> T:
        """Run the work in one write transaction and return its result after the commit."""
        return await self._submit(work, _WRITE_BESIDE[deliveries])

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the work on one consistent snapshot and return its result."""
        return await self._submit(work, _READ)

    async def close(self) -> None:
        """Finish what was accepted, refuse what comes, and close the connections."""
        self._closing = True
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._pool.close()

    async def _submit(self, work: Callable[[Transaction], Awaitable[T]], begin: str) -> T:
        if self._closing:
            raise StorageUnavailable("the database is being closed")
        task = asyncio.create_task(self._run(work, begin), name="transaction")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even if the caller has left

    async def _run(self, work: Callable[[Transaction], Awaitable[T]], begin: str) -> T:
        connection = await self._pool.take()
        try:
            return await _run_to_end(work, connection, begin)
        finally:
            self._pool.give_back(connection)


async def _run_to_end(work: Callable[[Transaction], Awaitable[T]], connection: Connection, begin: str) -> T:
    try:
        await connection.execute(begin)
    except DRIVER_ERRORS as problem:
        await _roll_back(connection)  # what failed may be the wait for a lock
        raise as_ours(problem) from None
    transaction = _Transaction()
    try:
        result = await _drive(work, transaction, connection)
    except BaseException:
        await _roll_back(connection)
        raise
    finally:
        transaction.end()
    await _commit(connection)
    return result


async def _commit(connection: Connection) -> None:
    try:
        done = await connection.execute("COMMIT")
    except DRIVER_ERRORS as problem:
        raise commit_as_ours(problem) from None
    if done != "COMMIT":  # a statement had failed, and the work went on as if it had not
        raise StorageError("the transaction was rolled back: one of its statements had failed")


async def _roll_back(connection: Connection) -> None:
    """Give up; a connection on which that fails is dropped by the pool."""
    try:
        await connection.execute("ROLLBACK")
    except DRIVER_ERRORS:
        return


class _Request(Generic[T]):
    """What a unit of work awaits: one call of the driver, made by whoever drives the work."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[Connection], Awaitable[T]]) -> None:
        self.call = call

    def __await__(self) -> Generator[_Request[T], T, T]:
        return (yield self)


class _Transaction:
    """Hands every statement to the driver of the unit of work, as something that only it understands."""

    __slots__ = ("_open",)

    engine: Final = "postgresql"

    def __init__(self) -> None:
        self._open = True

    def end(self) -> None:
        self._open = False

    async def one(self, stmt: Statement[R], **params: SqlValue) -> R | None:
        rows = await self.all(stmt, **params)
        if len(rows) > 1:
            raise ValueError(f"{stmt!r} returned more than one row")
        return rows[0] if rows else None

    async def all(self, stmt: Statement[R], **params: SqlValue) -> list[R]:
        values, returns = stmt.postgresql_values(params), stmt.returns
        rows = await self._ask(lambda connection: connection.fetch(stmt.postgresql, *values))
        return [returns(*row) for row in rows]

    async def run(self, cmd: Command, **params: SqlValue) -> int:
        values = cmd.postgresql_values(params)
        done = await self._ask(lambda connection: connection.execute(cmd.postgresql, *values))
        count = done.rpartition(" ")[2]  # "UPDATE 3", "INSERT 0 1"
        return int(count) if count.isdigit() else 0

    async def many(self, cmd: Command, rows: Sequence[Mapping[str, SqlValue]]) -> None:
        values = [cmd.postgresql_values(row) for row in rows]
        await self._ask(lambda connection: connection.executemany(cmd.postgresql, values))

    async def _ask(self, call: Callable[[Connection], Awaitable[T]]) -> T:
        if not self._open:
            raise RuntimeError("this transaction has ended; statements belong inside its coroutine")
        answer: T = await _Request(call)
        return answer


async def _drive(
    work: Callable[[Transaction], Awaitable[T]], transaction: _Transaction, connection: Connection
) -> T:
    """Run the work step by step, so that it can await nothing but its statements."""

    async def call() -> T:
        return await work(transaction)

    coroutine = call()
    answer: object = None
    problem: Exception | None = None
    try:
        while True:
            request = _step(coroutine, answer, problem)
            if isinstance(request, _Finished):
                return request.result
            answer = problem = None
            try:
                answer = await request.call(connection)
            except DRIVER_ERRORS as error:
                problem = as_ours(error)
    finally:
        transaction.end()  # so that what the coroutine does while it is closed cannot reach the database
        coroutine.close()


class _Finished(Generic[T]):
    """The result of a unit of work."""

    __slots__ = ("result",)

    def __init__(self, result: T) -> None:
        self.result = result


def _step(
    coroutine: Coroutine[object, object, T], answer: object, problem: Exception | None
) -> _Request[object] | _Finished[T]:
    """Let the work go on to its next statement or to its end.

    Raises:
        TypeError: it awaited something that is not a statement of its transaction.
    """
    try:
        asked = coroutine.send(answer) if problem is None else coroutine.throw(problem)
    except StopIteration as finished:
        result: T = finished.value
        return _Finished(result)
    if isinstance(asked, _Request):
        return asked
    raise TypeError(_FOREIGN)
