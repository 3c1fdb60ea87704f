from pathlib import Path

import apsw
import pytest

from fankeep.errors import ConfigurationError
from fankeep.store.migrations import Schema, load_schema, migrate_sqlite

FIRST = "CREATE TABLE a (x INTEGER) STRICT;"
SECOND = "ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a (x, y) VALUES (1, 'moved');"
BROKEN = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"


def schema(*steps):
    return Schema("data", 0x46_4B_64_74, steps)


@pytest.fixture
def connection(tmp_path):
    opened = apsw.Connection(str(tmp_path / "file.db"))
    yield opened
    opened.close()


def tables(connection):
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema ORDER BY name")]


def test_a_new_file_gets_every_step_and_our_mark(connection):
    migrate_sqlite(connection, schema(FIRST, SECOND))
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, "moved")]
    assert connection.pragma("user_version") == 2
    assert connection.pragma("application_id") == 0x46_4B_64_74


def test_an_older_file_gets_only_the_steps_that_are_missing(connection):
    migrate_sqlite(connection, schema(FIRST))
    connection.execute("INSERT INTO a (x) VALUES (7)")
    migrate_sqlite(connection, schema(FIRST, SECOND))
    assert connection.execute("SELECT x FROM a ORDER BY x").fetchall() == [(1,), (7,)]


def test_the_newest_file_is_left_alone(connection):
    migrate_sqlite(connection, schema(FIRST, SECOND))
    migrate_sqlite(connection, schema(FIRST, SECOND))
    assert connection.execute("SELECT count(*) FROM a").get == 1


def test_a_step_that_fails_leaves_the_schema_that_was_there(connection):
    migrate_sqlite(connection, schema(FIRST))
    with pytest.raises(apsw.SQLError):
        migrate_sqlite(connection, schema(FIRST, SECOND, BROKEN))
    assert tables(connection) == ["a"]
    assert connection.execute("SELECT count(*) FROM a").get == 0
    assert connection.pragma("user_version") == 1


def test_a_first_step_that_fails_leaves_an_empty_file(connection):
    with pytest.raises(apsw.SQLError):
        migrate_sqlite(connection, schema(BROKEN))
    assert tables(connection) == []
    assert connection.pragma("application_id") == 0


def test_a_file_with_more_steps_than_we_know_is_refused(connection):
    migrate_sqlite(connection, schema(FIRST, SECOND))
    with pytest.raises(ConfigurationError, match="newer"):
        migrate_sqlite(connection, schema(FIRST))


@pytest.mark.parametrize(
    "names", [[], ["data_0002.sqlite.sql"], ["data_0001.sqlite.sql", "data_0003.sqlite.sql"]]
)
def test_a_gap_in_the_numbers_is_refused(tmp_path: Path, names):
    for name in names:
        (tmp_path / name).write_text(FIRST)
    with pytest.raises(ConfigurationError, match="not complete"):
        load_schema("data", "sqlite", folder=tmp_path)


def test_the_steps_come_in_the_order_of_their_numbers(tmp_path: Path):
    (tmp_path / "data_0002.sqlite.sql").write_text(SECOND)
    (tmp_path / "data_0001.sqlite.sql").write_text(FIRST)
    (tmp_path / "keys_0001.sqlite.sql").write_text(BROKEN)
    assert load_schema("data", "sqlite", folder=tmp_path).steps == (FIRST, SECOND)


def test_the_two_sets_that_are_shipped_are_complete_and_told_apart():
    data, keys = load_schema("data", "sqlite"), load_schema("keys", "sqlite")
    assert data.steps
    assert keys.steps
    assert data.application_id != keys.application_id
