"""What the services see of a database, whichever engine is behind it.

A unit of work is a coroutine that takes a :class:`Transaction` and awaits nothing but its statements::

    row = await database.read(lambda tx: grants.load(tx, grant_id))

So no transaction is ever open across the network, a sleep or a lock, on any engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar

from fankeep.errors import StorageError
from fankeep.store.statement import Command, SqlValue, Statement

__all__ = ["ConstraintViolated", "Database", "Deliveries", "Engine", "Transaction"]

R = TypeVar("R")
T = TypeVar("T")

Engine: TypeAlias = Literal["sqlite", "postgresql"]

Deliveries: TypeAlias = Literal["stored", "held_up"]
"""What a write transaction does to deliveries: it stores some, beside others that do; or it has to see all
that are being stored and none may be stored until its end, since it changes what becomes of them.
"""


class ConstraintViolated(StorageError):
    """A row breaks a rule of the schema; the transaction was rolled back."""

    code = "constraint"


class Transaction(Protocol):
    """The statements of one transaction. It ends with the coroutine that it was given to.

    Every method raises :class:`~fankeep.errors.StorageUnavailable`, :class:`~fankeep.errors.StorageError`,
    or :class:`ConstraintViolated`. After any of them the unit of work has to end: it is rolled back.
    """

    @property
    def engine(self) -> Engine:
        """Which engine runs it, for the few statements that have a text for each."""
        ...

    async def one(self, stmt: Statement[R], **params: SqlValue) -> R | None:
        """Return the only row, or None when there is none; more than one is a mistake in the statement."""
        ...

    async def all(self, stmt: Statement[R], **params: SqlValue) -> list[R]:
        """Return every row."""
        ...

    async def run(self, cmd: Command, **params: SqlValue) -> int:
        """Run the command and return how many rows it changed."""
        ...

    async def many(self, cmd: Command, rows: Sequence[Mapping[str, SqlValue]]) -> None:
        """Run the command once for every mapping of parameters."""
        ...


class Database(Protocol):
    """One database, opened by :func:`fankeep.store.open_data` or :func:`fankeep.store.open_keys`."""

    @property
    def engine(self) -> Engine:
        """Which engine this is."""
        ...

    async def write(
        self, work: Callable[[Transaction], Awaitable[T]], *, deliveries: Deliveries | None = None
    ) -> T:
        """Run the work in one write transaction and return its result after the commit.

        Any exception rolls back. A caller that is cancelled leaves the transaction running to its end.

        Args:
            work: the unit of work.
            deliveries: whether it stores some, or holds them up. Of two transactions of PostgreSQL that run
                at the same moment neither sees what the other one writes; SQLite has one at a time.

        Raises:
            StorageUnavailable: the database is busy, full or gone; nothing was changed, unless its
                ``outcome_unknown`` says that the commit was not confirmed.
            StorageError: the database is damaged, or a row breaks the schema.
        """
        ...

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the work on one consistent snapshot and return its result."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, refuse what comes, and release the files. May be called twice."""
        ...
