"""Refreshing under rotation: what is sent, how often, and what a grant survives."""

from __future__ import annotations

import asyncio

import pytest

from fankeep.errors import NotConnected, ReconnectRequired, RefreshPending, RetryableError
from fankeep.oauth.outcome_table import OUTCOME_TABLE
from fankeep.store import grants
from fankeep.vault import State, Timing, Vault

# The fixtures' module is not importable by name, so its values come as fixtures.


async def expired(house, kit, **timing):
    vault = house.vault(**timing)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    return vault


def losing(house, kit):
    """An answer that gets lost, and nobody has to wait until the claim runs out."""

    async def lose(script, request):
        await house.end_claims()
        await kit.lose(script, request)

    return lose


async def stored(house, kit):
    return await house.database.read(lambda tx: grants.by_user(tx, kit.USER))


async def test_a_token_with_life_left_is_served_without_asking_the_server(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair())
    access = await vault.access_token(kit.USER)
    assert (access.generation, access.token.reveal()) == (1, "login-access-0")
    assert script.requests == []


async def test_a_stranger_is_not_connected(house, kit) -> None:
    with pytest.raises(NotConnected):
        await house.vault().access_token(kit.USER)


async def test_many_callers_of_an_expired_grant_cause_one_request(house, script, kit) -> None:
    vault = await expired(house, kit)
    tokens = await asyncio.gather(*(vault.access_token(kit.USER) for _ in range(50)))
    assert {(token.generation, token.token.reveal()) for token in tokens} == {(2, "access-1")}
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-0"]


async def test_two_processes_refresh_once_between_them(house, script, kit) -> None:
    first, second = await expired(house, kit), house.vault()
    tokens = await asyncio.gather(
        *(vault.access_token(kit.USER) for vault in (first, second) for _ in range(20))
    )
    assert {token.token.reveal() for token in tokens} == {"access-1"}
    assert len(script.sent()) == 1


async def test_a_lost_answer_is_repeated_with_the_same_token_and_the_grant_lives(house, script, kit) -> None:
    script.answers = [losing(house, kit), kit.rotate]
    vault = await expired(house, kit)
    access = await vault.access_token(kit.USER)
    assert access.token.reveal() == "access-2"
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-0"] * 2


async def test_no_more_is_sent_inside_the_grace_than_it_allows(house, script, kit) -> None:
    script.answers = [losing(house, kit)]
    vault = await expired(house, kit, settle=60.0, join=3.0)
    with pytest.raises(RefreshPending):
        await vault.access_token(kit.USER)
    async with asyncio.timeout(30):
        while (await stored(house, kit)).state != State.UNCERTAIN:
            await asyncio.sleep(0.01)
    assert len(script.sent()) == 3
    row = await stored(house, kit)
    assert (row.state, row.sends, row.last_error) == (State.UNCERTAIN, 3, "no_answer")


async def test_past_the_grace_one_more_send_follows_when_the_row_has_settled(house, script, kit) -> None:
    script.answers = [losing(house, kit)] * 3 + [kit.rotate]
    vault = await expired(house, kit)
    access = await vault.access_token(kit.USER)
    assert access.generation == 2
    assert len(script.sent()) == 4


async def test_a_refusal_after_a_lost_answer_ends_the_grant_as_answer_lost(house, script, kit) -> None:
    script.answers = [losing(house, kit), kit.refuse(400, "invalid_grant")]
    vault = await expired(house, kit)
    with pytest.raises(ReconnectRequired) as refused:
        await vault.access_token(kit.USER)
    assert refused.value.reason == "answer_lost"


async def test_a_refusal_of_the_only_send_ends_the_grant_and_drops_its_tokens(house, script, kit) -> None:
    script.answers = [kit.refuse(400, "invalid_grant")]
    vault = await expired(house, kit)
    with pytest.raises(ReconnectRequired) as refused:
        await vault.access_token(kit.USER)
    assert refused.value.reason == "revoked_at_fanvue"
    row = await stored(house, kit)
    assert (row.state, row.generation, row.sealed_access, row.sealed_refresh) == (State.DEAD, 2, None, None)


@pytest.mark.parametrize(
    ("error", "requests"), [("unauthorized_client", 1), ("invalid_scope", 1), ("invalid_client", 2)]
)
async def test_a_refused_app_blocks_the_grant_and_never_ends_it(
    house, script, kit, error: str, requests: int
) -> None:
    script.answers = [kit.refuse(401, error, "retry-after: 1\r\n")] * requests + [kit.rotate]
    vault = await expired(house, kit)
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)
    assert (await stored(house, kit)).state == State.BLOCKED
    await asyncio.sleep(1.05)
    assert (await vault.access_token(kit.USER)).generation == 2


async def test_a_blocked_grant_is_probed_as_slowly_as_the_table_of_answers_says(house, script, kit) -> None:
    script.answers = [kit.refuse(400, "invalid_scope")]
    vault = await expired(house, kit)
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)
    row = next(row for row in OUTCOME_TABLE if row.code == "invalid_scope")
    assert row.cool_down - 60 < (await stored(house, kit)).retry_in <= row.cool_down


async def test_a_server_that_asks_for_patience_gets_it(house, script, kit) -> None:
    async def busy(script, request):
        return kit.answer(429, {"error": "slow_down"}, "retry-after: 40\r\n")

    script.answers = [busy]
    vault = await expired(house, kit)
    for _ in range(3):
        with pytest.raises(RetryableError) as refused:
            await vault.access_token(kit.USER)
        assert 30 < refused.value.retry_after <= 40
    assert len(script.sent()) == 1
    row = await stored(house, kit)
    assert (row.state, row.sends, row.since_first_send) == (State.LIVE, 0, None)


async def test_what_was_never_sent_is_not_counted(house, script, kit) -> None:
    vault = await expired(house, kit)
    house.endpoint.server = kit.nowhere
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)
    row = await stored(house, kit)
    assert (row.state, row.sends, row.last_error) == (State.LIVE, 0, "not_sent")


async def test_the_second_client_secret_is_tried_when_the_first_is_refused(house, script, kit) -> None:
    async def check(script, request):
        if request.secret != kit.SECOND_SECRET:
            return kit.answer(401, {"error": "invalid_client"})
        return script.tokens()

    script.answers = [check]
    vault = await expired(house, kit)
    assert (await vault.access_token(kit.USER)).generation == 2
    assert [request.secret for request in script.sent()] == [kit.CLIENT_SECRET, kit.SECOND_SECRET]


async def test_a_caller_who_leaves_does_not_stop_the_refresh(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held]
    vault = await expired(house, kit)
    caller = asyncio.create_task(vault.access_token(kit.USER))
    await held.rotated()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    held.let_go.set()
    assert (await vault.access_token(kit.USER)).generation == 2
    assert len(script.sent()) == 1


async def test_closing_waits_for_an_answer_that_is_under_way(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held]
    vault = await expired(house, kit, row_bound=60.0)  # a row read late is not read again while it closes
    caller = asyncio.create_task(vault.access_token(kit.USER))
    await held.rotated()
    closing = asyncio.create_task(vault.close())
    await asyncio.sleep(0.1)
    assert not closing.done()
    held.let_go.set()
    await closing
    assert (await stored(house, kit)).generation == 2
    assert (await caller).generation == 2


async def test_another_process_takes_over_where_one_fell_silent(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held, kit.rotate]
    silent = await expired(house, kit)
    lost = asyncio.create_task(silent.access_token(kit.USER))
    await held.rotated()
    await house.end_claims()
    successor = house.vault()
    await successor.start()
    assert (await successor.access_token(kit.USER)).token.reveal() == "access-2"
    held.let_go.set()
    # The late answer belongs to the same generation, which is taken: it is dropped, and the caller adopts.
    assert (await lost).token.reveal() == "access-2"
    assert len(script.sent("/oauth2/revoke")) == 0


async def test_a_refused_access_token_is_refreshed_once_a_generation(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair())
    await asyncio.gather(*(vault.refused(kit.USER, 1) for _ in range(10)))
    access = await vault.access_token(kit.USER)
    assert access.generation == 2
    await vault.refused(kit.USER, 1)
    assert len(script.sent()) == 1


async def test_a_young_token_is_not_refreshed_because_of_a_401(house, script, kit) -> None:
    vault = house.vault(young=30.0)
    await vault.store_login(kit.USER, kit.pair())
    await vault.refused(kit.USER, 1)
    assert script.requests == []


async def test_without_a_new_refresh_token_the_old_one_stays(house, script, kit) -> None:
    async def without(script, request):
        return kit.answer(200, {"access_token": "short", "token_type": "Bearer", "expires_in": 3600})

    script.answers = [without, kit.rotate]
    vault = await expired(house, kit)
    assert (await vault.access_token(kit.USER)).token.reveal() == "short"
    await vault.refused(kit.USER, 2)
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-0"] * 2


async def test_many_callers_at_once_read_the_row_once(house, kit) -> None:
    reads = 0

    class Counting:
        engine = house.database.engine
        write = house.database.write

        async def read(self, work):
            nonlocal reads
            reads += 1
            return await house.database.read(work)

    await house.vault().store_login(kit.USER, kit.pair())
    vault = Vault(Counting(), house.datakeys, house.endpoint, timing=Timing(row_bound=60.0))
    tokens = await asyncio.gather(*(vault.access_token(kit.USER) for _ in range(200)))
    assert {token.token.reveal() for token in tokens} == {"login-access-0"}
    assert reads == 1
