"""What the vault does before anybody asks."""

from __future__ import annotations

import asyncio
from collections import Counter

from fankeep.store import Command, grants
from fankeep.types import UserId
from fankeep.vault import State

_OLDER = Command("UPDATE grants SET last_used_at = last_used_at - :days * 86400.0")
_STORED_EARLIER = Command("UPDATE grants SET stored_at = stored_at - :days * 86400.0")
DEADLINE = 60.0


def user(number: int) -> UserId:
    return UserId(f"00000000-0000-4000-8000-{number:012d}")


async def until(condition) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.02)


async def row_of(house, known):
    return await house.database.read(lambda tx: grants.by_user(tx, known))


async def test_a_grant_in_use_is_refreshed_before_a_caller_finds_it_expired(house, script, kit) -> None:
    vault = house.vault(sweep=0.05)
    await vault.store_login(kit.USER, kit.pair(left=50.0))
    await vault.start()

    async def refreshed() -> bool:
        return (await row_of(house, kit.USER)).generation == 2

    await until(refreshed)
    assert (await vault.access_token(kit.USER)).token.reveal() == "access-1"
    assert len(script.sent()) == 1


async def test_a_grant_that_nobody_used_for_hours_waits_for_its_caller(house, script, kit) -> None:
    vault = house.vault(sweep=0.05)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    await vault.store_login(user(2), kit.pair(2, left=-1.0))
    await house.database.write(lambda tx: tx.run(_OLDER, days=1))
    await vault.store_login(user(3), kit.pair(3, left=-1.0))
    await vault.start()

    async def swept() -> bool:
        return (await row_of(house, user(3))).generation == 2

    await until(swept)
    assert (await row_of(house, kit.USER)).generation == 1
    assert (await row_of(house, user(2))).generation == 1


async def test_a_grant_that_nobody_uses_is_refreshed_once_a_week(house, script, kit) -> None:
    vault = house.vault(sweep=0.05)
    await vault.store_login(kit.USER, kit.pair())
    await house.database.write(lambda tx: tx.run(_OLDER, days=8))
    await house.database.write(lambda tx: tx.run(_STORED_EARLIER, days=8))
    await vault.start()

    async def refreshed() -> bool:
        return (await row_of(house, kit.USER)).generation == 2

    await until(refreshed)
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-0"]


async def test_no_more_refreshes_are_under_way_ahead_of_expiry_than_the_budget_allows(
    house, script, kit
) -> None:
    under_way, most = 0, 0

    async def count(script, request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.05)
        under_way -= 1
        return script.tokens()

    script.answers = [count]
    vault = house.vault(sweep=0.02, sweep_budget=2)
    users = [user(number) for number in range(1, 9)]
    for number, known in enumerate(users):
        await vault.store_login(known, kit.pair(number, left=-1.0))
    await vault.start()

    async def all_refreshed() -> bool:
        rows = [await row_of(house, known) for known in users]
        return all(row.generation == 2 for row in rows)

    await until(all_refreshed)
    assert most <= 2
    assert set(Counter(request.form["refresh_token"] for request in script.sent()).values()) == {1}


async def test_a_living_process_goes_on_where_another_one_died(house, script, kit) -> None:
    living = house.vault(sweep=0.05)
    await living.store_login(kit.USER, kit.pair(left=-1.0))
    await living.start()
    row = await row_of(house, kit.USER)
    mac = living._records.mac_of(row.id, row.user_id, row.generation, State.REFRESHING, row.scopes)
    await house.database.write(
        lambda tx: grants.claim(
            tx,
            row,
            attempt_id="0" * 32,
            mac=mac,
            lease=0.2,
            max_sends=3,
            repeat_window=20.0,
            settled=False,
        )
    )

    async def refreshed() -> bool:
        return (await row_of(house, kit.USER)).generation == 2

    await until(refreshed)


async def test_a_chain_that_a_login_replaced_is_revoked_by_the_next_process(house, script, kit) -> None:
    async def no_revocation(script, request):
        if request.path == "/oauth2/revoke":
            return kit.answer(503, {})
        return script.tokens()

    script.answers = [no_revocation]
    first = house.vault()
    await first.store_login(kit.USER, kit.pair(1))
    await first.store_login(kit.USER, kit.pair(2))
    await first.close()
    script.answers = [kit.rotate]
    tried = len(script.sent("/oauth2/revoke"))
    await house.vault(sweep=0.05).start()

    async def revoked() -> bool:
        return len(script.sent("/oauth2/revoke")) > tried

    await until(revoked)
    assert {request.form["token"] for request in script.sent("/oauth2/revoke")} == {"login-refresh-1"}


async def test_unused_grants_are_ended_and_revoked(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await house.database.write(lambda tx: tx.run(_OLDER, days=91))
    await vault.store_login(user(2), kit.pair(2))
    assert await vault.unused() == [kit.USER]
    assert await vault.end_unused(10) == [kit.USER]
    ended, used = await vault.status(kit.USER), await vault.status(user(2))
    assert (ended.state, ended.reason, used.state) == (State.DEAD, "unused", State.LIVE)
    assert [request.form["token"] for request in script.sent("/oauth2/revoke")] == ["login-refresh-1"]


async def test_who_wants_to_know_is_told_of_a_grant_that_died(house, script, kit) -> None:
    script.answers = [kit.refuse(400, "invalid_grant")]
    vault = house.vault(sweep=0.05)
    died: list[tuple[str, str]] = []

    async def note(known: UserId, reason: str) -> None:
        died.append((known, reason))

    vault.on_grant_dead(note)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    await vault.start()

    async def told() -> bool:
        return bool(died)

    await until(told)
    assert died == [(kit.USER, "revoked_at_fanvue")]
