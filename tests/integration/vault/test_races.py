"""What meets an unanswered send: logins, ends, refusals, slow keys."""

from __future__ import annotations

import asyncio

import pytest

from fankeep.errors import ReconnectRequired, RetryableError, StorageUnavailable
from fankeep.store import Command, grants
from fankeep.telemetry import metrics
from fankeep.vault import State, Vault

_CHANGE_SCOPES = Command("UPDATE grants SET scopes = 'openid'")
_LONG_AGO = Command("UPDATE grants SET ended_at = ended_at - 90000")
_SENT_LONG_AGO = Command("UPDATE grants SET first_sent_at = first_sent_at - 100")
_REVOCATIONS_DUE = Command("UPDATE revocations SET due_at = 0")


async def row_of(house, kit):
    return await house.database.read(lambda tx: grants.by_user(tx, kit.USER))


def alarms(name: str) -> float:
    line = f'fankeep_alarms_total{{alarm="{name}"}} '
    lines = metrics.render().decode().splitlines()
    return sum(float(text.removeprefix(line)) for text in lines if text.startswith(line))


async def refreshing(house, script, kit) -> tuple[Vault, asyncio.Task, object]:
    """Begin a refresh whose answer is held."""
    held = kit.Held()
    script.answers = [held, kit.rotate]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1, left=-1.0))
    refresh = asyncio.create_task(vault.access_token(kit.USER))
    await held.rotated()
    return vault, refresh, held


async def test_a_late_answer_is_stored_over_a_login_that_kept_the_token(house, script, kit) -> None:
    vault, refresh, held = await refreshing(house, script, kit)
    await vault.store_login(kit.USER, kit.pair(2, refresh=False))
    held.let_go.set()
    assert (await refresh).token.reveal() == "access-1"
    row = await row_of(house, kit)
    assert (row.state, row.generation, row.sends) == (State.LIVE, 3, 0)
    assert (await vault._records.open_refresh(row)).reveal() == "refresh-1"
    await vault.close()
    assert script.sent("/oauth2/revoke") == []


async def test_a_kept_token_stays_as_sent_as_it_was(house, script, kit) -> None:
    vault, refresh, held = await refreshing(house, script, kit)
    before = await row_of(house, kit)
    assert await vault.store_login(kit.USER, kit.pair(2, refresh=False)) == 2
    row = await row_of(house, kit)
    assert (row.state, row.attempt_id, row.sends) == (State.REFRESHING, before.attempt_id, 1)
    assert row.since_first_send is not None
    assert row.lease_left is not None
    held.let_go.set()
    await refresh


async def test_a_refusal_that_comes_after_the_token_was_kept_still_counts(house, script, kit) -> None:
    sent, let_go = asyncio.Event(), asyncio.Event()

    async def refuse_late(script, request):
        sent.set()
        await let_go.wait()
        return kit.answer(400, {"error": "invalid_grant"})

    script.answers = [refuse_late]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1, left=-1.0))
    refresh = asyncio.create_task(vault.access_token(kit.USER))
    await asyncio.wait_for(sent.wait(), 30)
    await vault.store_login(kit.USER, kit.pair(2, refresh=False))
    let_go.set()
    with pytest.raises(ReconnectRequired) as refused:
        await refresh
    assert refused.value.reason == "revoked_at_fanvue"
    assert len(script.sent()) == 1


async def test_a_replaced_token_is_not_sent_while_its_refresh_is_under_way(house, script, kit) -> None:
    vault, refresh, held = await refreshing(house, script, kit)
    await vault.store_login(kit.USER, kit.pair(2))
    await vault._revocations.work_off()
    assert len(script.sent()) == 1
    held.let_go.set()
    assert (await refresh).token.reveal() == "login-access-2"
    await house.database.write(lambda tx: tx.run(_REVOCATIONS_DUE))
    await vault._revocations.work_off()
    assert [request.form["refresh_token"] for request in script.sent()] == ["login-refresh-1"] * 2


async def test_a_late_answer_of_a_replaced_chain_does_not_take_the_place_of_an_ending_one(
    house, script, kit
) -> None:
    vault, refresh, held = await refreshing(house, script, kit)
    ends = house.vault(call=0.3)
    await vault.store_login(kit.USER, kit.pair(2))

    async def down_for_the_new_chain(script, request):
        return kit.answer(503 if request.form["token"] == "login-refresh-2" else 200, {})

    script.answers = [held, down_for_the_new_chain]
    await ends.end(kit.USER, "disconnected")
    held.let_go.set()
    with pytest.raises(ReconnectRequired):
        await refresh
    row = await row_of(house, kit)
    assert (row.state, (await vault._records.open_refresh(row)).reveal()) == (State.ENDING, "login-refresh-2")


async def test_a_401_that_fanvue_had_no_time_for_is_not_forgotten(house, script, kit) -> None:
    async def busy(script, request):
        return kit.answer(429, {"error": "slow_down"}, "retry-after: 1\r\n")

    script.answers = [busy, kit.rotate]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair())
    with pytest.raises(RetryableError):
        await vault.refused(kit.USER, 1)
    async with asyncio.timeout(30):
        while (await row_of(house, kit)).retry_in > 0:
            await asyncio.sleep(0.1)
    await vault.refused(kit.USER, 1)
    assert (await vault.access_token(kit.USER)).generation == 2


async def test_a_token_that_was_opened_too_slowly_is_read_again_before_it_is_handed_out(
    house, script, kit
) -> None:
    opening, opened = asyncio.Event(), asyncio.Event()

    class Slow:
        """Data keys that a key service has to open, and it takes its time."""

        def __init__(self, datakeys) -> None:
            self._datakeys = datakeys

        def __getattr__(self, name):
            return getattr(self._datakeys, name)

        async def open(self, context, sealed):
            value = await self._datakeys.open(context, sealed)
            opening.set()
            await opened.wait()
            return value

    ends = house.vault()
    await ends.store_login(kit.USER, kit.pair())
    slow = Vault(house.database, Slow(house.datakeys), house.endpoint, timing=ends._timing)
    caller = asyncio.create_task(slow.access_token(kit.USER))
    await asyncio.wait_for(opening.wait(), 30)
    await ends.end(kit.USER, "disconnected")
    opened.set()
    with pytest.raises(ReconnectRequired):
        await caller


async def test_a_second_end_answers_no_earlier_than_the_first(house, kit) -> None:
    first, second, reads = (house.vault(row_bound=1.0) for _ in range(3))
    await first.store_login(kit.USER, kit.pair())
    await reads.access_token(kit.USER)
    ended = asyncio.create_task(first.end(kit.USER, "disconnected"))
    async with asyncio.timeout(30):
        while (await row_of(house, kit)).state != State.DEAD:
            await asyncio.sleep(0.01)
    assert await second.end(kit.USER, "erased") is True
    with pytest.raises(ReconnectRequired):
        await reads.access_token(kit.USER)
    assert await ended is True


async def test_the_end_of_a_row_that_was_tampered_with_is_tried_and_never_confirmed(
    house, script, kit
) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await house.database.write(lambda tx: tx.run(_CHANGE_SCOPES))
    before = alarms("mac_mismatch")
    assert await vault.end(kit.USER, "disconnected") is False
    assert alarms("mac_mismatch") > before
    assert [request.form["token"] for request in script.sent("/oauth2/revoke")] == ["login-refresh-1"]
    row = await row_of(house, kit)
    assert (row.state, row.sealed_refresh) == (State.DEAD, None)
    assert await house.vault().end(kit.USER, "disconnected") is False


async def test_an_end_that_fanvue_does_not_confirm_in_a_day_is_given_up_with_an_alarm(
    house, script, kit
) -> None:
    async def down(script, request):
        return kit.answer(503, {})

    script.answers = [down]
    vault = house.vault(row_bound=0.01)
    await vault.store_login(kit.USER, kit.pair(1))
    ending = asyncio.create_task(vault.end(kit.USER, "disconnected"))
    async with asyncio.timeout(30):
        while not script.requests:
            await asyncio.sleep(0.01)
    before = alarms("revocation_given_up")
    await house.database.write(lambda tx: tx.run(_LONG_AGO))
    assert await ending is False
    async with asyncio.timeout(30):
        while (await row_of(house, kit)).state != State.DEAD:
            await asyncio.sleep(0.01)
    assert alarms("revocation_given_up") == before + 1
    assert (await row_of(house, kit)).sealed_refresh is None
    assert await vault.end(kit.USER, "disconnected") is False


async def test_a_blocked_app_with_an_answer_missing_serves_nothing(house, script, kit) -> None:
    script.answers = [kit.lose, kit.refuse(401, "unauthorized_client", "retry-after: 30\r\n"), kit.rotate]
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair())
    refused = asyncio.create_task(vault.refused(kit.USER, 1))
    async with asyncio.timeout(30):
        while (await row_of(house, kit)).last_error != "no_answer":
            await asyncio.sleep(0.01)
    await house.end_claims()
    with pytest.raises(RetryableError):
        await refused
    row = await row_of(house, kit)
    assert (row.state, row.sends) == (State.BLOCKED, 1)
    assert row.retry_in <= vault._timing.lease  # the grace of the first send is not waited out
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)


async def test_the_word_of_the_server_is_written_down_although_the_database_was_away(
    house, script, kit
) -> None:
    class Away:
        """The database, gone for the first writes after the answer."""

        engine = house.database.engine
        read = house.database.read
        refused = 0
        down = False

        async def write(self, work):
            if self.down and self.refused < 3:
                self.refused += 1
                raise StorageUnavailable("gone")
            return await house.database.write(work)

    away = Away()

    async def refuse(script, request):
        away.down = True
        return kit.answer(400, {"error": "invalid_grant"})

    script.answers = [refuse]
    vault = Vault(away, house.datakeys, house.endpoint, timing=house.vault()._timing)
    died = []

    async def note(user, reason) -> None:
        died.append(reason)

    vault.on_grant_dead(note)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    with pytest.raises(ReconnectRequired) as refused:
        await vault.access_token(kit.USER)
    await vault.close()
    assert (refused.value.reason, died, away.refused) == ("revoked_at_fanvue", ["revoked_at_fanvue"], 3)
    assert len(script.sent()) == 1


async def test_the_send_past_the_grace_opens_a_window_of_its_own_for_one_repeat(house, script, kit) -> None:
    """It may be the first to arrive; to settle once more would let the grace pass that it has begun."""
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(left=-1.0))

    async def claim(*, settled: bool = False) -> bool:
        row = await row_of(house, kit)
        mac = vault._records.mac_of(row.id, row.user_id, row.generation, State.REFRESHING, row.scopes)
        claimed = await house.database.write(
            lambda tx: grants.claim(
                tx,
                row,
                attempt_id=f"{row.sends:032}",
                mac=mac,
                lease=7.0,
                max_sends=3,
                repeat_window=22.0,
                settled=settled,
            )
        )
        await house.end_claims()
        return claimed

    assert await claim()
    await house.database.write(lambda tx: tx.run(_SENT_LONG_AGO))
    assert not await claim()
    row = await row_of(house, kit)
    await vault._attempts._refresher.note_grace_over(row)
    assert not await claim()
    assert await claim(settled=True)
    row = await row_of(house, kit)
    assert (row.state, row.sends) == (State.REFRESHING, 2)  # the earlier ones count as one
    assert row.since_first_send < 20.0
    assert not await claim(settled=True)
    assert await claim()
    assert not await claim()


async def test_a_claim_decided_on_a_row_that_was_sent_since_does_not_count(house, kit) -> None:
    """The process would not know of the other send, and take a refusal for the creator's."""
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    row = await row_of(house, kit)
    mac = vault._records.mac_of(row.id, row.user_id, row.generation, State.REFRESHING, row.scopes)

    async def claim(attempt_id: str) -> bool:
        claimed = await house.database.write(
            lambda tx: grants.claim(
                tx,
                row,
                attempt_id=attempt_id,
                mac=mac,
                lease=7.0,
                max_sends=3,
                repeat_window=22.0,
                settled=False,
            )
        )
        await house.end_claims()
        return claimed

    assert await claim("0" * 32)
    assert not await claim("1" * 32)


async def test_grants_that_settle_together_are_sent_one_after_the_other(house, script, kit) -> None:
    under_way, most = 0, 0

    async def count(script, request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.05)
        under_way -= 1
        return script.tokens()

    script.answers = [count]
    vault = house.vault(
        sweep=0.05, settle=0.2, settle_spread=0.0, settled_budget=1, watch=0.02, repeat_window=0.01
    )
    users = [type(kit.USER)(f"00000000-0000-4000-8000-{number:012d}") for number in range(1, 7)]
    for number, user in enumerate(users):
        await vault.store_login(user, kit.pair(number, left=-1.0))
    for row in [await house.database.read(lambda tx, user=user: grants.by_user(tx, user)) for user in users]:
        mac = vault._records.mac_of(row.id, row.user_id, row.generation, State.REFRESHING, row.scopes)
        assert await house.database.write(
            lambda tx, row=row, mac=mac: grants.claim(
                tx,
                row,
                attempt_id="0" * 32,
                mac=mac,
                lease=0.01,
                max_sends=3,
                repeat_window=9.0,
                settled=False,
            )
        )
    await asyncio.sleep(0.05)
    await vault.start()
    async with asyncio.timeout(60):
        while script.issued < len(users):
            await asyncio.sleep(0.02)
    assert most == 1
