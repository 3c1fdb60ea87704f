"""What every test shares."""

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import asyncpg
import pytest
from bench.rig.postgresql import PostgreSQL
from hypothesis import HealthCheck, settings

from fankeep.store import open_data, open_keys
from fankeep.store.postgresql import _WRITE_BESIDE
from fankeep.telemetry import pipeline

# Before any test is made: how long an example takes says more of the machine than of the code.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("usual"))
settings.load_profile("usual")

EMPTY = """
    SELECT string_agg('DELETE FROM ' || quote_ident(relname), ';') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'fankeep_schema'
"""
TABLES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)
OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Urls(NamedTuple):
    """The addresses of a new pair of databases."""

    data: str
    keys: str


class PostgresqlDatabases:
    """Databases with the newest schema and nothing in them: copies of a template, emptied and used again."""

    def __init__(self, server):
        self._server = server
        self._number = 0
        self._idle = {"data": [], "keys": []}
        for name, opening in (("data", open_data), ("keys", open_keys)):
            self._run(self._make(name, opening))

    def take(self, name):
        return self._idle[name].pop() if self._idle[name] else self.new(name)

    def new(self, template):
        self._number += 1
        database = f"{template}_{self._number}"
        self._run(self._execute("postgres", f"CREATE DATABASE {database} TEMPLATE {template}"))
        return self._server.url(database)

    def empty(self):
        """Make a database without any table."""
        return self.new("template0")

    def give_back(self, name, url):
        self._run(self._clear(url, restart="ALTER TABLE events ALTER seq RESTART" if name == "data" else ""))
        self._idle[name].append(url)

    def _run(self, coroutine):
        with ThreadPoolExecutor(1) as thread:  # not on the thread of the test's own event loop
            return thread.submit(asyncio.run, coroutine).result()

    async def _make(self, name, opening):
        await self._execute("postgres", f"CREATE DATABASE {name}")
        database = await opening(self._server.url(name), create=True)
        await database.close()

    async def _execute(self, database, sql):
        connection = await asyncpg.connect(self._server.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def _clear(self, url, *, restart):
        connection = await asyncpg.connect(url)
        try:
            await connection.fetch(OTHERS)
            empty = await connection.fetchval(EMPTY)
            await connection.execute(f"SET session_replication_role = replica; {empty}; {restart}")
        finally:
            await connection.close()


@pytest.fixture(autouse=True)
def logs_as_before():
    """Take back what a command that ran in the test's own process has set up."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, pipeline._Active.pipeline)
    yield
    if pipeline._Active.pipeline is not before[2]:
        logging.captureWarnings(capture=False)
        root.handlers[:], level, pipeline._Active.pipeline = before
        root.setLevel(level)


@pytest.fixture(scope="session")
def postgresql():
    """A server for the whole run; tests that stop it or need it otherwise start their own."""
    with PostgreSQL(in_memory=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_databases(postgresql):
    return PostgresqlDatabases(postgresql)


@pytest.fixture
def postgresql_urls(postgresql_databases):
    urls = Urls(postgresql_databases.take("data"), postgresql_databases.take("keys"))
    yield urls
    for name, url in urls._asdict().items():
        postgresql_databases.give_back(name, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_urls(request, tmp_path):
    """A new data and a new key database, of each engine in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_urls")
    return Urls(f"sqlite:///{tmp_path}/data.db", f"sqlite:///{tmp_path}/keys.db")


@pytest.fixture
def time_to_wait(monkeypatch):
    """Let units of work queue for as long as a slow machine needs; a deadlock still ends in an error."""
    for kind, begin in tuple(_WRITE_BESIDE.items()):
        monkeypatch.setitem(_WRITE_BESIDE, kind, re.sub(r"timeout = \d+", "timeout = 120000", begin))
    for limit in ("postgresql_pool._ANSWER_LIMIT", "postgresql_pool._TURN_LIMIT", "sqlite._START_LIMIT"):
        monkeypatch.setattr(f"fankeep.store.{limit}", 120.0)


@pytest.fixture
def stored_bytes(database_urls, tmp_path):
    """Read everything that the databases of this test hold, as it lies there."""

    async def read():
        if database_urls.data.startswith("sqlite"):
            return b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
        return b"".join([await rows(url) for url in database_urls])

    async def rows(url):
        connection = await asyncpg.connect(url)
        try:
            tables = await connection.fetch(TABLES)
            values = [
                value
                for (table,) in tables
                for row in await connection.fetch(f"TABLE {table}")
                for value in row
            ]
        finally:
            await connection.close()
        return b"".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    return read
