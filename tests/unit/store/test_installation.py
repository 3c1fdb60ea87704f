import pytest

from fankeep.store import installation, open_data


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


async def test_a_new_file_belongs_to_no_installation(database):
    assert await database.read(installation.load) is None


async def test_the_first_id_stands_and_a_second_one_does_not_replace_it(database):
    assert await database.write(lambda tx: installation.create(tx, "a" * 32)) == "a" * 32
    assert await database.write(lambda tx: installation.create(tx, "b" * 32)) == "a" * 32
    assert await database.read(installation.load) == "a" * 32
