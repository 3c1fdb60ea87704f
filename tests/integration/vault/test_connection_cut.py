"""A connection to PostgreSQL that is cut at the COMMIT of a refresh: nobody can know whether it is stored."""

from __future__ import annotations

import asyncio

import pytest
from bench.rig.cutting import Network

from fankeep.errors import RetryableError
from fankeep.store import grants
from fankeep.vault import State


@pytest.fixture
async def network(postgresql):
    async with Network(postgresql.port) as between:
        yield between


@pytest.fixture
def database_urls(postgresql, postgresql_urls, network):
    """The data lie behind a network that can be told to cut; in place of every engine in turn."""
    through = postgresql_urls.data.replace(f":{postgresql.port}/", f":{network.port}/")
    return postgresql_urls._replace(data=through)


@pytest.mark.parametrize("cutting", ["after", "before"])
async def test_the_grant_lives_when_the_answer_to_the_commit_of_its_new_tokens_is_lost(
    house, script, kit, network, cutting
) -> None:
    async def cut_the_next_commit(script, request):
        network.cutting = cutting
        return script.tokens()

    script.answers = [cut_the_next_commit, kit.rotate]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(left=-1.0))

    access = await vault.access_token(kit.USER)

    assert network.cuts == 1
    assert (access.generation, access.token.reveal()) == (2, "access-1")
    assert len(script.sent()) == 1  # the server would have taken a second send for reuse, one day
    row = await house.database.read(lambda tx: grants.by_user(tx, kit.USER))
    assert (row.state, row.generation) == (State.LIVE, 2)

    await vault.refused(kit.USER, access.generation)
    assert (await vault.access_token(kit.USER)).token.reveal() == "access-2"
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-0", "refresh-1"]


@pytest.mark.parametrize("cutting", ["after", "before"])
@pytest.mark.parametrize("spare", range(5))
async def test_the_grant_lives_whichever_commit_of_a_refresh_is_cut(
    house, script, kit, network, cutting, spare
) -> None:
    vault = house.vault(lease=58.0)  # nobody waits for a claim to run out whose commit was not confirmed
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    network.spare, network.cutting = spare, cutting

    async def asked_until_answered():
        while True:
            try:
                return await vault.access_token(kit.USER)
            except RetryableError:
                await asyncio.sleep(0.01)

    async with asyncio.timeout(40):
        access = await asked_until_answered()

    assert network.cuts == 1 or spare > 2  # the reads, the claim, the save, and perhaps a note of the use
    assert (access.generation, access.token.reveal()) == (2, f"access-{script.issued}")
    assert {request.form["refresh_token"] for request in script.sent()} == {"login-refresh-0"}
    row = await house.database.read(lambda tx: grants.by_user(tx, kit.USER))
    assert (row.state, row.generation) == (State.LIVE, 2)
