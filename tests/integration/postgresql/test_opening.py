"""What fankeep demands of a PostgreSQL server and of what lies there."""

import asyncio
import re

import asyncpg
import pytest
import trustme
from bench.rig.postgresql import PostgreSQL

from fankeep.errors import ConfigurationError, StorageUnavailable
from fankeep.store import Statement, installation, open_data, open_keys
from fankeep.store.migrations import load_schema
from fankeep.transport.ports import free_port

TABLES = """
    SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'fankeep_schema'
"""
SQLITE_TABLES = Statement(
    """
    SELECT tables.name, columns.name, columns."notnull" OR columns.pk FROM sqlite_schema AS tables
    JOIN pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
    """,
    lambda table, column, needed: (table, column, bool(needed)),
)
INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname <> 'installation_one'"
SQLITE_INDEXES = Statement("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL", str)


async def execute(url, sql):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def refusal(opening):
    with pytest.raises(ConfigurationError) as caught:
        await opening
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit"])
async def test_a_server_that_loses_commits_in_a_crash_is_refused(setting):
    with PostgreSQL([f"{setting}=off"], in_memory=True) as server:
        told = await refusal(open_data(server.url("postgres"), create=True))
    assert told == f"PostgreSQL runs with {setting}=off, so a crash would lose grants: set it to on"


@pytest.mark.parametrize(("name", "opening"), [("data", open_data), ("keys", open_keys)])
async def test_both_engines_have_the_same_tables_columns_and_indexes(
    postgresql_databases, tmp_path, name, opening
):
    url = postgresql_databases.new(name)
    sqlite = await opening(f"sqlite:///{tmp_path}/{name}.db", create=True)
    columns = await sqlite.read(lambda tx: tx.all(SQLITE_TABLES))
    indexes = await sqlite.read(lambda tx: tx.all(SQLITE_INDEXES))
    await sqlite.close()
    assert sorted(await execute(url, TABLES)) == sorted(columns)
    named = {index for (index,) in await execute(url, INDEXES) if not index.endswith(("_pkey", "_key"))}
    assert named == set(indexes)


async def test_replicas_that_open_an_empty_database_at_once_make_its_schema_once(postgresql_databases):
    url = postgresql_databases.empty()
    opened = await asyncio.gather(*(open_data(url, create=True) for _ in range(4)))
    ids = await asyncio.gather(
        *(
            database.write(lambda tx, number=number: installation.create(tx, str(number) * 32))
            for number, database in enumerate(opened)
        )
    )
    await asyncio.gather(*(database.close() for database in opened))
    assert len(set(ids)) == 1
    newest = len(load_schema("data", "postgresql").steps)
    assert await execute(url, "SELECT name, version FROM fankeep_schema") == [("data", newest)]


async def test_an_empty_database_is_only_filled_when_asked(postgresql_databases):
    told = await refusal(open_keys(postgresql_databases.empty(), create=False))
    assert told.startswith("the keys database is empty")


async def test_a_database_of_somebody_else_is_left_alone(postgresql_databases):
    url = postgresql_databases.empty()
    await execute(url, "CREATE TABLE orders (id integer)")
    assert "holds other tables" in await refusal(open_data(url, create=True))


async def test_data_and_keys_are_not_taken_for_each_other(postgresql_databases):
    assert "not a keys database" in await refusal(open_keys(postgresql_databases.new("data"), create=True))


async def test_a_schema_of_a_newer_version_is_refused(postgresql_databases):
    url = postgresql_databases.new("data")
    await execute(url, "UPDATE fankeep_schema SET version = 99")
    assert "newer fankeep" in await refusal(open_data(url, create=True))


async def test_a_database_in_another_encoding_is_refused(postgresql):
    await execute(postgresql.url("postgres"), "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII'")
    assert "UTF-8" in await refusal(open_data(postgresql.url("ascii"), create=True))


async def test_a_database_that_does_not_exist_is_named_as_such(postgresql):
    assert "does not exist" in await refusal(open_data(postgresql.url("nowhere"), create=True))


async def test_a_server_that_is_not_there_may_be_there_later():
    nobody = free_port()
    with pytest.raises(StorageUnavailable):
        await open_data(f"postgresql://fankeep@127.0.0.1:{nobody}/fankeep", create=True)


async def test_a_wrong_password_is_refused_and_not_repeated(postgresql):
    with PostgreSQL(in_memory=True) as server:
        await execute(server.url("postgres"), "CREATE ROLE app LOGIN PASSWORD 'correct'")
        rules = server.cluster / "pg_hba.conf"
        rules.write_text(re.sub(r"\btrust$", "scram-sha-256", rules.read_text(), flags=re.MULTILINE))
        server.stop()
        server.start()
        url = server.url("postgres").replace("postgres@", "app:hunter2@")
        told = await refusal(open_data(url, create=True))
    assert told == "the PostgreSQL server refuses user and password of its address"


async def test_tls_is_used_and_the_name_of_the_server_is_checked(
    postgresql_urls, postgresql, tls_port, authority, tmp_path
):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trusting = f"?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    by_number = postgresql_urls.data.replace(f":{postgresql.port}", f":{tls_port}")
    by_name = by_number.replace("127.0.0.1", "localhost")
    database = await open_data(by_name + trusting, create=False)
    assert await database.read(installation.load) is None
    await database.close()
    assert "cannot prove its name" in await refusal(open_data(by_number + trusting, create=False))
    with pytest.raises(StorageUnavailable):  # whoever takes no TLS is turned away there
        await open_data(by_name, create=False)


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    postgresql_urls, postgresql, tls_port, tmp_path
):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    url = postgresql_urls.data.replace(f"127.0.0.1:{postgresql.port}", f"localhost:{tls_port}")
    for root in (f"&sslrootcert={tmp_path}/other.pem", ""):
        told = await refusal(open_data(f"{url}?sslmode=verify-full{root}", create=False))
        assert "cannot prove its name" in told


async def test_a_server_without_tls_is_refused_when_tls_is_asked_for(postgresql_urls):
    assert "does not offer TLS" in await refusal(
        open_data(postgresql_urls.data + "?sslmode=verify-full", create=False)
    )
