import pytest

from fankeep.datakeys import InstallationKeys, Ledger
from fankeep.datakeys.open_key import OpenKey
from fankeep.sealing import mac
from fankeep.secret import Secret
from fankeep.servicekeys import ServiceKeys
from fankeep.store import open_data, open_keys
from fankeep.types import KeyId


def installation_keys(material=b"k" * 32):
    return InstallationKeys("i" * 32, OpenKey(KeyId("key-1"), "installation", Secret(material), b""))


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database_urls):
    opened = await open_keys(database_urls.keys, create=True)
    yield Ledger(opened, installation_keys())
    await opened.close()


@pytest.fixture
def make_service_keys(database, ledger):
    def make(material=b"k" * 32):
        return ServiceKeys(database, installation_keys(material), ledger)

    return make


@pytest.fixture
def make_mac():
    return lambda *parts: mac(installation_keys().key("mac"), *parts)


@pytest.fixture
def service_keys(make_service_keys):
    return make_service_keys()
