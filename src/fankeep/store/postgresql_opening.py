"""From the address of a PostgreSQL database to an open one with the newest schema."""

from __future__ import annotations

from typing import Final, NamedTuple

from fankeep.errors import ConfigurationError
from fankeep.store.migrations import Schema
from fankeep.store.postgresql import PostgresqlDatabase
from fankeep.store.postgresql_address import PostgresqlAddress
from fankeep.store.postgresql_errors import DRIVER_ERRORS, as_ours
from fankeep.store.postgresql_pool import Connection, Pool, connect

__all__ = ["open_postgresql"]

_OLDEST: Final = 140_000  # PostgreSQL 14; older ones are not maintained any more

_MIGRATION_LIMIT: Final = 300.0
"""Seconds for one step of the schema, and for waiting while another process does it."""

_SERVER: Final = """
    SELECT pg_backend_pid(), current_setting('server_version_num')::int, current_setting('server_encoding'),
           current_setting('fsync'), current_setting('synchronous_commit'), pg_is_in_recovery()
"""
_TABLES: Final = """
    SELECT count(*) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_MARK: Final = """
    CREATE TABLE fankeep_schema (
        name     TEXT PRIMARY KEY,  -- 'data' or 'keys'
        version  INTEGER NOT NULL   -- how many numbered SQL files it has
    )
"""
_SET_VERSION: Final = """
    INSERT INTO fankeep_schema (name, version) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version
"""


class _Server(NamedTuple):
    backend: int
    version: int
    encoding: str
    fsync: str
    synchronous_commit: str
    standby: bool


async def open_postgresql(url: str, schema: Schema, *, create: bool) -> PostgresqlDatabase:
    """Open a database and bring its schema up to date; several processes may do so at once.

    Args:
        url: see :mod:`fankeep.store.postgresql_address`.
        schema: of the set that belongs there.
        create: make the schema in a database that is empty.

    Raises:
        ConfigurationError: in one line: address, server, database or its schema does not fit.
        StorageUnavailable: the server does not answer.
        StorageError: a step of the schema failed; it is as it was.
    """
    address = PostgresqlAddress.parse(url)
    # Until it is known what is in between, nothing of a session is relied on.
    connection = await connect(address, pooled=True)
    try:
        async with connection.transaction():
            server = _Server(*await connection.fetchrow(_SERVER) or ())
        pooled = server.backend != connection.get_server_pid()  # a pooler gives out ids of its own
        _refuse_unfit(server)
        await _bring_up_to_date(connection, schema, create=create)
    except DRIVER_ERRORS as problem:
        raise as_ours(problem) from None
    finally:
        connection.terminate()
    return PostgresqlDatabase(Pool(address, pooled=pooled))


def _refuse_unfit(server: _Server) -> None:
    if server.version < _OLDEST:
        raise ConfigurationError("the PostgreSQL server is too old: fankeep needs version 14 or newer")
    if server.encoding != "UTF8":
        raise ConfigurationError(
            "the PostgreSQL database is not in UTF-8: make it with createdb --encoding=UTF8"
        )
    if server.standby:
        raise ConfigurationError("the PostgreSQL address names a standby, which cannot be written to")
    for setting in ("fsync", "synchronous_commit"):
        if getattr(server, setting) == "off":
            raise ConfigurationError(
                f"PostgreSQL runs with {setting}=off, so a crash would lose grants: set it to on"
            )


async def _bring_up_to_date(connection: Connection, schema: Schema, *, create: bool) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL statement_timeout = {_MIGRATION_LIMIT * 1000:.0f}")
        await connection.execute(
            f"SELECT pg_advisory_xact_lock({schema.application_id})", timeout=_MIGRATION_LIMIT
        )
        version = await _version(connection, schema, create=create)
        if version == len(schema.steps):
            return
        if not version:
            await connection.execute(_MARK)
        for step in schema.steps[version:]:
            await connection.execute(step, timeout=_MIGRATION_LIMIT)
        await connection.execute(_SET_VERSION, schema.name, len(schema.steps))


async def _version(connection: Connection, schema: Schema, *, create: bool) -> int:
    """How many steps the database has; 0 for an empty one that may be filled."""
    if await connection.fetchval("SELECT to_regclass('fankeep_schema') IS NULL"):
        if await connection.fetchval(_TABLES):
            raise ConfigurationError(
                f"the {schema.name} database holds other tables: give fankeep one of its own"
            )
        if not create:
            raise ConfigurationError(
                f"the {schema.name} database is empty: let its address name the one that was used before"
            )
        return 0
    rows = await connection.fetch("SELECT name, version FROM fankeep_schema")
    versions: dict[str, int] = {row["name"]: row["version"] for row in rows}
    if versions.keys() != {schema.name}:
        raise ConfigurationError(f"the database is not a {schema.name} database of fankeep")
    if versions[schema.name] > len(schema.steps):
        raise ConfigurationError(
            f"the {schema.name} database was written by a newer fankeep: use that one or restore a back-up"
        )
    return versions[schema.name]
