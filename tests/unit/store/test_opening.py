import os
import stat
import sys

import apsw
import pytest

from fankeep.errors import ConfigurationError, StorageError
from fankeep.store import Statement, open_data, open_keys

TABLES = Statement("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", str)


def pragma(name):
    return Statement(f"PRAGMA {name}", lambda value: value)


async def opened(url, *, create=True, kind=open_data, reading=TABLES):
    database = await kind(url, create=create)
    try:
        return await database.read(lambda tx: tx.all(reading))
    finally:
        await database.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_file_its_log_and_its_locks_are_readable_by_the_owner_only(tmp_path):
    folder = tmp_path / "new" / "folder"
    database = await open_data(f"sqlite:///{folder}/data.db", create=True)
    files = sorted(folder.iterdir())
    await database.close()
    names = ["data.db", "data.db-lock", "data.db-shm", "data.db-turn", "data.db-wal"]
    assert [file.name for file in files] == names
    assert mode(folder) == 0o700
    assert all(mode(folder / name) == 0o600 for name in ("data.db", "data.db-lock", "data.db-turn"))


async def test_a_relative_address_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await opened("sqlite:///here.db")
    assert (tmp_path / "here.db").is_file()


async def test_both_sets_have_their_tables(tmp_path):
    data = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    keys = await open_keys(f"sqlite:///{tmp_path}/keys.db", create=True)
    assert {"events", "grants", "installation"} <= set(await data.read(lambda tx: tx.all(TABLES)))
    assert {"data_keys", "installation", "ledger"} <= set(await keys.read(lambda tx: tx.all(TABLES)))
    await data.close()
    await keys.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous", 2),
        ("journal_mode", "wal"),
        ("secure_delete", 1),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
    ],
)
async def test_both_connections_have_the_settings_that_keep_data_safe(tmp_path, name, value):
    database = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    assert await database.write(lambda tx: tx.one(pragma(name))) == value
    assert await database.read(lambda tx: tx.one(pragma(name))) == value
    await database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "data.db",
        "sqlite:///x.db?mode=ro",
        "sqlite:///folder/",
    ],
)
async def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigurationError, match="sqlite:///"):
        await opened(url)


async def test_the_address_of_another_engine_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        await opened("mysql://user:hunter2@db/app")
    assert "hunter2" not in str(caught.value)


async def test_a_missing_file_is_not_made_unless_asked(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"no database at .*/data\.db: .* or set FANKEEP_DATABASE_URL$"
    ):
        await opened(f"sqlite:///{tmp_path}/data.db", create=False)
    assert list(tmp_path.iterdir()) == []


async def test_a_missing_folder_is_not_made_unless_asked(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"no database at .*/no/data\.db: run this where fankeep runs"
    ):
        await opened(f"sqlite:///{tmp_path}/no/data.db", create=False)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_this_user_cannot_write_to_is_refused_in_one_line(tmp_path, monkeypatch):
    # Asked of the system in this place; the superuser, as whom tests may run, is never refused by a mode.
    monkeypatch.setattr("fankeep.store.files.os.access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(ConfigurationError, match=r"not writable for this user, which SQLite needs$"):
        await opened(f"sqlite:///{tmp_path}/data.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shared", [0o770, 0o702, 0o777])
async def test_a_folder_that_others_can_write_to_is_refused(tmp_path, shared):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(shared)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        await opened(f"sqlite:///{folder}/data.db")


@pytest.mark.parametrize("shared", [0o640, 0o604, 0o620])
async def test_a_file_that_others_can_read_or_write_is_refused(tmp_path, shared):
    path = tmp_path / "data.db"
    await opened(f"sqlite:///{path}")
    path.chmod(shared)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        await opened(f"sqlite:///{path}")


async def test_a_folder_that_takes_no_files_is_refused_in_one_line():
    with pytest.raises(ConfigurationError) as caught:
        await opened("sqlite:////proc/self/data.db")
    assert "\n" not in str(caught.value)


async def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "data.db").mkdir()
    with pytest.raises(ConfigurationError):
        await opened(f"sqlite:///{tmp_path}/data.db")


async def test_a_lock_file_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "data.db-lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="lock files"):
        await opened(f"sqlite:///{tmp_path}/data.db")
    assert not (tmp_path / "elsewhere").exists()


async def test_a_link_to_the_file_shares_its_lock_files(tmp_path):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    await opened(f"sqlite:///{real}/data.db")
    (tmp_path / "link.db").symlink_to(real / "data.db")
    await opened(f"sqlite:///{tmp_path}/link.db", create=False)
    assert not (tmp_path / "link.db-lock").exists()


async def test_a_file_of_the_other_set_is_refused(tmp_path):
    await opened(f"sqlite:///{tmp_path}/data.db")
    with pytest.raises(ConfigurationError, match="not a keys file"):
        await opened(f"sqlite:///{tmp_path}/data.db", kind=open_keys)


async def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not a data file"):
        await opened(f"sqlite:///{path}")
    assert apsw.Connection(str(path)).execute("SELECT name FROM sqlite_schema").fetchall() == [("notes",)]


async def test_a_file_that_is_not_sqlite_is_refused(tmp_path):
    path = tmp_path / "data.db"
    path.write_bytes(b"not a database, but long enough to have a header of its own" * 40)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not a SQLite file"):
        await opened(f"sqlite:///{path}")


async def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "data.db"
    await opened(f"sqlite:///{path}")
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 9999)
    connection.close()
    with pytest.raises(ConfigurationError, match="newer"):
        await opened(f"sqlite:///{path}")


async def test_a_damaged_file_is_a_storage_error(tmp_path):
    path = tmp_path / "data.db"
    await opened(f"sqlite:///{path}")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        await opened(f"sqlite:///{path}", reading=Statement("SELECT id FROM users", str))


async def test_nothing_but_the_file_and_its_locks_stays_after_close(tmp_path):
    await opened(f"sqlite:///{tmp_path}/data.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.db", "data.db-lock", "data.db-turn"]


async def test_postgresql_without_its_extra_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("fankeep.store.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'fankeep\[postgres\]'"):
        await opened("postgresql://fankeep@127.0.0.1/fankeep")
