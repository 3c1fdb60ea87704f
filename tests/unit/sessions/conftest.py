import pytest

from fankeep.datakeys import InstallationKeys
from fankeep.datakeys.open_key import OpenKey
from fankeep.secret import Secret
from fankeep.sessions import PendingLogins, Sessions
from fankeep.store import open_data, users
from fankeep.types import KeyId, UserId

USER = UserId("00000000-0000-4000-8000-000000000001")
OTHER = UserId("00000000-0000-4000-8000-000000000002")


def installation_keys(installation_id="i" * 32, material=b"k" * 32):
    return InstallationKeys(installation_id, OpenKey(KeyId("key-1"), "installation", Secret(material), b""))


@pytest.fixture
def user():
    return USER


@pytest.fixture
def other():
    return OTHER


@pytest.fixture
def make_keys():
    return installation_keys


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)

    async def add(tx):
        await users.add(tx, USER)
        await users.add(tx, OTHER)

    await opened.write(add)
    yield opened
    await opened.close()


@pytest.fixture
def make_sessions(database):
    def make(limits=None, keys=None):
        return Sessions(database, keys or installation_keys(), limits=limits)

    return make


@pytest.fixture
def sessions(make_sessions):
    return make_sessions()


@pytest.fixture
def pending():
    return PendingLogins(installation_keys())
