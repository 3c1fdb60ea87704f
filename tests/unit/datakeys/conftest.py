import pytest

from fankeep.datakeys import open_data_keys
from fankeep.kms import create_key_file, from_setting
from fankeep.store import Command, open_keys

INSTALLATION_ID = "00112233445566778899aabbccddeeff"


class Clock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "kek.json"
    create_key_file(path)
    return path


@pytest.fixture
def kms(key_file):
    return from_setting(f"file:{key_file}")


@pytest.fixture
def kek_id(kms):
    return kms.ids[0]


@pytest.fixture
async def database(database_urls):
    opened = await open_keys(database_urls.keys, create=True)
    yield opened
    await opened.close()


@pytest.fixture
def open_process(database, kms, clock):
    """Makes a DataKeys as a further process would: its own memory over the same key database."""

    async def open_process(**other):
        options = {
            "keys_db": database,
            "kms": kms,
            "installation_id": INSTALLATION_ID,
            "clock": clock,
        } | other
        return await open_data_keys(options.pop("keys_db"), options.pop("kms"), **options)

    return open_process


@pytest.fixture
async def keys(open_process):
    return await open_process()


@pytest.fixture
def run(database):
    """Runs one SQL text on the key database."""

    async def run(sql, **params):
        command = Command(sql)
        return await database.write(lambda tx: tx.run(command, **params))

    return run
