"""Transactions about one creator take its rows in one order, so none waits for another in a circle."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from fankeep.store import postgresql

_WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def database_urls(postgresql_urls):
    """SQLite has one writer, so there is no order to keep."""
    return postgresql_urls


async def until_somebody_waits(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(20):
        while not await connection.fetchval(_WAITING):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("refresh", [True, False], ids=["replaces", "keeps"])
async def test_a_login_that_waits_for_the_creators_row_does_not_hold_the_grant(
    house, kit, database_urls, refresh, monkeypatch
) -> None:
    monkeypatch.setitem(postgresql._WRITE_BESIDE, None, "BEGIN")  # a login that waits here has no time limit
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    other = await asyncpg.connect(database_urls.data)
    await other.execute("BEGIN; SET LOCAL lock_timeout = 500; UPDATE users SET created_at = created_at")

    again = asyncio.create_task(vault.store_login(kit.USER, kit.pair(2, refresh=refresh)))
    await until_somebody_waits(other)
    await other.execute("UPDATE grants SET last_used_at = 0")
    await other.execute("COMMIT")

    assert await again == 2
    await other.close()
