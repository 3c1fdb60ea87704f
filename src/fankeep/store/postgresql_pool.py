"""Connections to one PostgreSQL database: made when needed, kept when whole, dropped when in doubt."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, TypeAlias

import asyncpg

from fankeep.errors import ConfigurationError, FankeepError, StorageUnavailable
from fankeep.store.postgresql_address import PostgresqlAddress
from fankeep.store.postgresql_errors import DRIVER_ERRORS, as_ours

__all__ = ["CONNECTIONS", "Connection", "Pool", "connect"]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECTIONS: Final = 8
"""How many connections a process has to one database at most."""

_CONNECT_LIMIT: Final = 5.0
_TURN_LIMIT: Final = 5.0
"""Seconds that a unit of work waits for a connection. Half of what a webhook's sender waits for an answer."""

_ANSWER_LIMIT: Final = 8.0
"""Seconds for one statement. Longer than the server's own limits, so that it is the network that failed."""

_IDLE_LIMIT: Final = 120.0
"""Seconds after which an idle connection is not trusted: what lies in between may have forgotten it."""

_CLOSE_LIMIT: Final = 2.0
_STATEMENTS_KEPT: Final = 256


class Pool:
    """At most `CONNECTIONS` connections; the one that was given back last is taken first.

    Args:
        pooled: as for `connect`.
    """

    def __init__(self, address: PostgresqlAddress, *, pooled: bool) -> None:
        self._address = address
        self._pooled = pooled
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[Connection, float]] = []

    async def take(self) -> Connection:
        """Take a connection; `give_back` it in any case.

        Raises:
            StorageUnavailable: all are busy, or the server does not answer.
        """
        try:
            async with asyncio.timeout(_TURN_LIMIT):
                await self._turns.acquire()
        except TimeoutError:
            raise StorageUnavailable("the database is busy") from None
        try:
            return self._whole() or await connect(self._address, pooled=self._pooled)
        except BaseException as problem:
            self._turns.release()
            if isinstance(problem, ConfigurationError):  # it was right when this process started
                raise StorageUnavailable(str(problem)) from None
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next one, unless it was lost or its transaction was not ended."""
        if connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append((connection, asyncio.get_running_loop().time()))
        self._turns.release()

    async def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            connection, _ = self._idle.pop()
            try:
                await connection.close(timeout=_CLOSE_LIMIT)
            except DRIVER_ERRORS:
                connection.terminate()

    def _whole(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - _IDLE_LIMIT
        while self._idle:
            connection, since = self._idle.pop()
            if since > oldest and not connection.is_closed():
                return connection
            connection.terminate()
        return None


async def connect(address: PostgresqlAddress, *, pooled: bool) -> Connection:
    """Open one connection.

    Args:
        address: where to.
        pooled: a pooler is in between, which may give every transaction another connection to the server:
            nothing of a session is relied on, prepared statements included.

    Raises:
        ConfigurationError: the server does not know user, password or database, or cannot prove who it is.
        StorageUnavailable: it does not answer.
    """
    try:
        return await asyncpg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.reveal() if address.password else "",
            database=address.database,
            ssl=address.tls() or False,
            timeout=_CONNECT_LIMIT,
            command_timeout=_ANSWER_LIMIT,
            statement_cache_size=0 if pooled else _STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
            server_settings={"application_name": "fankeep"},
        )
    except DRIVER_ERRORS as problem:
        raise _refusal(problem) from None


def _refusal(problem: Exception) -> FankeepError:
    if isinstance(problem, ssl.SSLError):
        return ConfigurationError(
            "the PostgreSQL server cannot prove its name: check the host and sslrootcert of its address"
        )
    if type(problem) is ConnectionError:  # its subclasses are those of a network that fails
        return ConfigurationError("the PostgreSQL server does not offer TLS, which its address asks for")
    if isinstance(problem, asyncpg.InvalidAuthorizationSpecificationError):
        return ConfigurationError("the PostgreSQL server refuses user and password of its address")
    if isinstance(problem, asyncpg.InvalidCatalogNameError | asyncpg.InsufficientPrivilegeError):
        return ConfigurationError(
            "the database of the PostgreSQL address does not exist or is closed to its user"
        )
    return as_ours(problem)
