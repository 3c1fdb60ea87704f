"""From a database URL to an open database with the newest schema."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from fankeep.errors import ConfigurationError, FankeepError
from fankeep.store.database import Database
from fankeep.store.files import prepare
from fankeep.store.migrations import Schema, SchemaSet, load_schema, migrate_sqlite
from fankeep.store.postgresql_address import SCHEMES
from fankeep.store.sqlite import SqliteDatabase, connect
from fankeep.store.sqlite_errors import mapped
from fankeep.store.turnstile import Turnstile

__all__ = ["open_data", "open_keys"]

_SQLITE: Final = "sqlite:///"
_SETTINGS: Final[dict[SchemaSet, str]] = {"data": "FANKEEP_DATABASE_URL", "keys": "FANKEEP_KEYS_DATABASE_URL"}


async def open_data(url: str, *, create: bool) -> Database:
    """Open the data database: grants, sessions, events.

    Args:
        url: ``sqlite:///relative/path.db``, ``sqlite:////absolute/path.db``, or
            ``postgresql://user:password@host/database``.
        create: make what is missing: folder and file of SQLite, the schema of PostgreSQL.

    Raises:
        ConfigurationError: in one line: the address, what it names, or the schema there does not fit.
        StorageUnavailable: the file is locked, or the disk or the server does not answer.
        StorageError: the file is damaged.
    """
    return await _open(url, "data", create=create)


async def open_keys(url: str, *, create: bool) -> Database:
    """Open the key database: wrapped data keys. Arguments and errors as for :func:`open_data`."""
    return await _open(url, "keys", create=create)


async def _open(url: str, name: SchemaSet, *, create: bool) -> Database:
    if url.startswith(SCHEMES):
        return await _open_postgresql(url, name, create=create)
    return await asyncio.to_thread(_open_sqlite, _path(url), name, create=create)


async def _open_postgresql(url: str, name: SchemaSet, *, create: bool) -> Database:
    try:
        from fankeep.store.postgresql_opening import (  # noqa: PLC0415  asyncpg is an extra and takes 80 ms
            open_postgresql,
        )
    except ModuleNotFoundError as missing:
        if missing.name != "asyncpg":
            raise
        raise ConfigurationError("PostgreSQL needs an extra: pip install 'fankeep[postgres]'") from None
    return await open_postgresql(url, load_schema(name, "postgresql"), create=create)


def _path(url: str) -> Path:
    rest = url.removeprefix(_SQLITE)
    if rest == url or not rest or rest.endswith("/") or "\x00" in rest or "?" in rest or rest == ":memory:":
        # The address is not repeated: that of another engine would hold a password.
        raise ConfigurationError(
            "a database address is sqlite:///relative/path.db, sqlite:////absolute/path.db or "
            "postgresql://user:password@host/database"
        )
    return Path(rest)


def _open_sqlite(path: Path, name: SchemaSet, *, create: bool) -> Database:
    schema = load_schema(name, "sqlite")
    path = prepare(path, create=create, setting=_SETTINGS[name])
    turns = _turnstile(path)
    try:
        with turns, mapped:
            _bring_up_to_date(path, schema)
    finally:
        turns.close()
    return SqliteDatabase(path)


def _turnstile(path: Path) -> Turnstile:
    try:
        return Turnstile(path)
    except OSError:
        raise ConfigurationError(
            f"cannot make the lock files beside {path}: check the folder's owner"
        ) from None


def _bring_up_to_date(path: Path, schema: Schema) -> None:
    try:
        with closing(connect(path)) as connection:
            connection.pragma("journal_mode", "wal")
            migrate_sqlite(connection, schema)
    except apsw.NotADBError:
        raise ConfigurationError(f"{path} is not a SQLite file") from None
    except FankeepError as problem:
        raise type(problem)(f"{path}: {problem}") from None
