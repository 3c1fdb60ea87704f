"""Logins that replace, grants that end, and rows that somebody tampered with."""

from __future__ import annotations

import asyncio

import pytest

from fankeep.errors import NotConnected, ReconnectRequired, SealError
from fankeep.store import Command, grants
from fankeep.types import UserId
from fankeep.vault import State

OTHER = UserId("00000000-0000-4000-8000-000000000002")

_SET_SCOPES = Command("UPDATE grants SET scopes = :scopes")
_DAMAGE = Command("UPDATE grants SET sealed_refresh = mac")
_PUT_BACK = Command(
    """
    UPDATE grants SET generation = :generation, sealed_access = :access, sealed_refresh = :refresh, mac = :mac
    """
)
_REVIVE = Command("UPDATE grants SET state = 'live'")
_MOVE = Command(
    """
    UPDATE grants SET sealed_access = (SELECT sealed_access FROM grants WHERE user_id = :source)
    WHERE user_id = :target
    """
)


async def stored(house, user):
    return await house.database.read(lambda tx: grants.by_user(tx, user))


async def revoked(script, count: int) -> list[str]:
    async with asyncio.timeout(30):
        while len(script.sent("/oauth2/revoke")) < count:
            await asyncio.sleep(0.02)
    return [request.form["token"] for request in script.sent("/oauth2/revoke")]


async def until_in_state(house, user, state: State) -> None:
    async with asyncio.timeout(30):
        while (await stored(house, user)).state != state:
            await asyncio.sleep(0.02)


async def test_a_second_login_stores_the_next_generation_and_revokes_the_replaced_chain(
    house, script, kit
) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    assert await vault.store_login(kit.USER, kit.pair(2)) == 2
    assert (await vault.access_token(kit.USER)).token.reveal() == "login-access-2"
    assert await revoked(script, 1) == ["login-refresh-1"]


async def test_a_second_login_without_a_refresh_token_keeps_the_living_one(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await vault.store_login(kit.USER, kit.pair(2, left=-1.0, refresh=False))
    assert (await vault.access_token(kit.USER)).generation == 3
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-1"]


async def test_a_login_that_overtakes_a_refresh_wins_and_the_overtaken_chain_is_revoked(
    house, script, kit
) -> None:
    held = kit.Held()
    script.answers = [held]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1, left=-1.0))
    refresh = asyncio.create_task(vault.access_token(kit.USER))
    await held.rotated()
    await vault.store_login(kit.USER, kit.pair(2))
    held.let_go.set()
    assert (await refresh).token.reveal() == "login-access-2"
    assert set(await revoked(script, 1)) & {"refresh-1", "refresh-2"}


async def test_an_ended_grant_is_revoked_and_holds_no_token(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    assert await vault.end(kit.USER, "disconnected") is True
    assert [request.form["token"] for request in script.sent("/oauth2/revoke")] == ["login-refresh-1"]
    row = await stored(house, kit.USER)
    assert (row.state, row.sealed_access, row.sealed_refresh) == (State.DEAD, None, None)
    with pytest.raises(ReconnectRequired) as refused:
        await vault.access_token(kit.USER)
    assert refused.value.reason == "disconnected"


async def test_when_an_end_has_answered_no_other_process_serves_the_token(house, kit) -> None:
    first, second = house.vault(), house.vault()
    await first.store_login(kit.USER, kit.pair(1))
    await second.access_token(kit.USER)
    await first.end(kit.USER, "disconnected")
    with pytest.raises(ReconnectRequired):
        await second.access_token(kit.USER)


async def test_a_grant_that_ends_during_a_refresh_has_its_newest_token_revoked(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1, left=-1.0))
    refresh = asyncio.create_task(vault.access_token(kit.USER))
    await held.rotated()
    ending = asyncio.create_task(vault.end(kit.USER, "disconnected"))
    await until_in_state(house, kit.USER, State.ENDING)
    held.let_go.set()
    assert await ending is True
    with pytest.raises(ReconnectRequired):
        await refresh
    assert await revoked(script, 1) == ["refresh-1"]
    assert (await stored(house, kit.USER)).state == State.DEAD


async def test_an_unconfirmed_revocation_is_tried_again_by_the_next_process(house, script, kit) -> None:
    async def down(script, request):
        return kit.answer(503, {})

    script.answers = [down]
    vault = house.vault(call=0.1)
    await vault.store_login(kit.USER, kit.pair(1))
    assert await vault.end(kit.USER, "disconnected") is False
    await vault.close()
    assert (await stored(house, kit.USER)).state == State.ENDING
    script.answers = [kit.rotate]
    await house.vault().start()
    await revoked(script, len(script.sent("/oauth2/revoke")) + 1)
    await until_in_state(house, kit.USER, State.DEAD)


async def test_a_row_with_scopes_that_nobody_granted_is_absent(house, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await house.database.write(lambda tx: tx.run(_SET_SCOPES, scopes="openid write:chat"))
    assert await vault.status(kit.USER) is None
    with pytest.raises(NotConnected):
        await house.vault().access_token(kit.USER)


async def test_an_ended_row_that_is_set_to_live_is_absent(house, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await vault.end(kit.USER, "disconnected")
    await house.database.write(lambda tx: tx.run(_REVIVE))
    with pytest.raises(NotConnected):
        await house.vault().access_token(kit.USER)


async def test_a_token_moved_to_another_creators_row_does_not_open(house, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await vault.store_login(OTHER, kit.pair(2))
    await house.database.write(lambda tx: tx.run(_MOVE, source=kit.USER, target=OTHER))
    with pytest.raises(SealError):
        await house.vault().access_token(OTHER)
    assert (await house.vault().access_token(kit.USER)).token.reveal() == "login-access-1"


async def test_an_ended_grant_whose_token_does_not_open_is_finished_and_never_confirmed(
    house, script, kit
) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await house.database.write(lambda tx: tx.run(_DAMAGE))
    assert await vault.end(kit.USER, "disconnected") is False
    assert (await stored(house, kit.USER)).state == State.DEAD
    assert script.sent("/oauth2/revoke") == []


async def test_a_pair_that_can_never_be_stored_is_revoked_and_the_others_live_on(house, script, kit) -> None:
    async def erase_then_rotate(script, request):
        if request.path == "/oauth2/token":
            await house.datakeys.destroy(kit.USER)
        return await kit.rotate(script, request)

    script.answers = [erase_then_rotate]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1, left=-1.0))
    await vault.store_login(OTHER, kit.pair(2))
    with pytest.raises(SealError):
        await vault.access_token(kit.USER)
    assert await revoked(script, 1) == ["refresh-1"]
    assert (await vault.access_token(OTHER)).token.reveal() == "login-access-2"


async def test_of_two_first_logins_at_once_both_are_stored_one_after_the_other(house, script, kit) -> None:
    vaults = [house.vault() for _ in range(4)]

    generations = await asyncio.gather(
        *(vault.store_login(kit.USER, kit.pair(number)) for number, vault in enumerate(vaults))
    )
    assert sorted(generations) == [1, 2, 3, 4]
    assert len(await revoked(script, 3)) == 3


async def test_a_row_that_was_put_back_is_refused_by_a_process_that_saw_a_newer_one(house, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    old = await stored(house, kit.USER)
    await vault.store_login(kit.USER, kit.pair(2))
    await vault.access_token(kit.USER)
    await house.database.write(
        lambda tx: tx.run(
            _PUT_BACK,
            generation=old.generation,
            access=old.sealed_access,
            refresh=old.sealed_refresh,
            mac=old.mac,
        )
    )
    await asyncio.sleep(0.06)
    with pytest.raises(ReconnectRequired) as refused:
        await vault.access_token(kit.USER)
    assert refused.value.reason == "regressed"
