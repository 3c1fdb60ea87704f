"""Damaged values, a database that goes away at the worst moment, clocks that jump."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from fankeep.errors import RefreshPending, RetryableError, SealError, StorageUnavailable
from fankeep.store import Command, grants
from fankeep.telemetry import metrics
from fankeep.types import UserId
from fankeep.vault import State, Vault

OTHER = UserId("00000000-0000-4000-8000-000000000002")

_FLIP = "UPDATE grants SET sealed_access = :value WHERE user_id = :user"
_SET_ACCESS = Command(_FLIP)
_PAUSED = Command("UPDATE grants SET retry_at = {now} + :seconds")
_SET_BACK = Command(
    """
    UPDATE grants SET first_sent_at = first_sent_at + :seconds, lease_until = lease_until + :seconds,
        stored_at = stored_at + :seconds
    """
)


async def row_of(house, user):
    return await house.database.read(lambda tx: grants.by_user(tx, user))


def alarms() -> float:
    name = 'fankeep_alarms_total{alarm="seal_failure"} '
    lines = metrics.render().decode().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def damages(sealed: bytes, other: bytes) -> dict[str, bytes]:
    return {
        "damaged": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "swapped": other,
        "truncated": sealed[: len(sealed) // 2],
        "empty": b"",
    }


@pytest.mark.parametrize("kind", ["damaged", "swapped", "truncated", "empty"])
async def test_a_spoilt_value_is_one_opaque_error_an_alarm_and_nobody_elses_problem(house, kit, kind) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(1))
    await vault.store_login(OTHER, kit.pair(2))
    sealed, other = (await row_of(house, kit.USER)).sealed_access, (await row_of(house, OTHER)).sealed_access
    value = damages(sealed, other)[kind]
    await house.database.write(lambda tx: tx.run(_SET_ACCESS, value=value, user=kit.USER))
    before = alarms()
    fresh = house.vault()

    with pytest.raises(SealError) as refused:
        await fresh.access_token(kit.USER)

    assert str(refused.value) == str(SealError())
    assert alarms() == before + 1
    assert (await fresh.access_token(OTHER)).token.reveal() == "login-access-2"


class Failing:
    """The database, of which some writes fail as a full disk or a lost connection would let them."""

    def __init__(self, database) -> None:
        self._database = database
        self.down = False
        self.refused = 0

    @property
    def engine(self):
        return self._database.engine

    async def write(self, work):
        if self.down:
            self.refused += 1
            raise StorageUnavailable("the disk is full")
        return await self._database.write(work)

    async def read(self, work):
        return await self._database.read(work)


async def test_an_answer_is_kept_and_tried_again_while_the_disk_is_full(house, script, kit) -> None:
    database = Failing(house.database)

    async def then_full(script, request):
        database.down = True
        return script.tokens()

    script.answers = [then_full]
    timing = house.vault(row_bound=60.0)._timing  # a row read late is not read again while it closes
    vault = Vault(database, house.datakeys, house.endpoint, timing=timing)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    caller = asyncio.create_task(vault.access_token(kit.USER))
    async with asyncio.timeout(30):
        while database.refused < 3:
            await asyncio.sleep(0.01)
    vault._attempts._timing = replace(vault._attempts._timing, join=0.05)
    with pytest.raises(RefreshPending) as pending:
        await vault.access_token(kit.USER)
    assert isinstance(pending.value, RetryableError)
    closing = asyncio.create_task(vault.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    database.down = False
    assert (await caller).token.reveal() == "access-1"
    await closing
    assert len(script.sent()) == 1


async def test_the_confirmation_of_a_commit_can_get_lost(house, script, kit) -> None:
    class Forgetful(Failing):
        async def write(self, work):
            result = await self._database.write(work)
            if self.down:
                self.down = False
                raise StorageUnavailable("the connection was cut after COMMIT was sent")
            return result

    database = Forgetful(house.database)

    async def then_forget(script, request):
        database.down = True
        return await kit.rotate(script, request)

    script.answers = [then_forget]
    vault = Vault(database, house.datakeys, house.endpoint, timing=house.vault()._timing)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    assert (await vault.access_token(kit.USER)).token.reveal() == "access-1"
    await vault.close()
    assert script.sent("/oauth2/revoke") == []


async def test_after_the_clock_was_set_back_nobody_trusts_the_grace(house, script, kit) -> None:
    vault = house.vault(settle=0.3, repeat_window=5.0)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    row = await row_of(house, kit.USER)
    mac = vault._records.mac_of(row.id, row.user_id, row.generation, State.REFRESHING, row.scopes)
    await house.database.write(
        lambda tx: grants.claim(
            tx, row, attempt_id="0" * 32, mac=mac, lease=0.1, max_sends=3, repeat_window=5.0, settled=False
        )
    )
    await house.database.write(lambda tx: tx.run(_SET_BACK, seconds=1800.0))
    states = []

    async def note(script, request):
        states.append((await row_of(house, kit.USER)).sends)
        return script.tokens()

    script.answers = [note]
    assert (await vault.access_token(kit.USER)).generation == 2
    assert states == [2]
    assert len(script.sent()) == 1


async def test_after_the_clock_jumped_ahead_a_second_send_may_happen_and_no_grant_is_lost(
    house, script, kit
) -> None:
    held = kit.Held()
    script.answers = [held, kit.rotate]
    first = house.vault()
    second = house.vault(settle=0.3)
    await first.store_login(kit.USER, kit.pair(left=-1.0))
    late = asyncio.create_task(first.access_token(kit.USER))
    await held.rotated()
    await house.database.write(lambda tx: tx.run(_SET_BACK, seconds=-1800.0))
    assert (await second.access_token(kit.USER)).token.reveal() == "access-2"
    held.let_go.set()
    assert (await late).token.reveal() == "access-2"
    row = await row_of(house, kit.USER)
    assert (row.state, row.generation) == (State.LIVE, 2)
    assert len(script.sent()) == 2
    assert script.sent("/oauth2/revoke") == []


async def test_a_process_that_slept_after_its_claim_does_not_send_but_claims_again(
    house, script, kit, monkeypatch
) -> None:
    slept = 0.0

    class Boottime:
        """The machine's clock, sleep included."""

        CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

        @staticmethod
        def clock_gettime(clock: int) -> float:
            return time.clock_gettime(clock) + slept

    class Sleepy(Failing):
        async def write(self, work):
            nonlocal slept
            result = await self._database.write(work)
            if self.down:
                self.down = False
                slept += 30.0
            return result

    monkeypatch.setattr("fankeep.vault.clock.time", Boottime)
    database = Sleepy(house.database)
    vault = Vault(database, house.datakeys, house.endpoint, timing=house.vault()._timing)
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    claimed = (await row_of(house, kit.USER)).attempt_id
    await asyncio.gather(*vault._chores)
    database.down = True
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)
    row = await row_of(house, kit.USER)
    assert (row.sends, row.last_error, script.requests) == (0, "not_sent", [])
    assert row.attempt_id != claimed
    async with asyncio.timeout(30):
        while (await row_of(house, kit.USER)).retry_in > 0:
            await asyncio.sleep(0.05)
    assert (await vault.access_token(kit.USER)).token.reveal() == "access-1"
    await vault.close()
    assert len(script.sent()) == 1


async def test_a_pause_that_a_clock_set_back_has_drawn_out_is_not_kept(house, script, kit) -> None:
    vault = house.vault()
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    await house.database.write(lambda tx: tx.run(_PAUSED, seconds=3_700.0))
    assert (await vault.access_token(kit.USER)).generation == 2
    await vault.store_login(kit.USER, kit.pair(left=-1.0))
    await house.database.write(lambda tx: tx.run(_PAUSED, seconds=1_800.0))
    with pytest.raises(RetryableError):
        await vault.access_token(kit.USER)


async def test_a_401_counts_although_the_clock_was_set_back(house, script, kit) -> None:
    vault = house.vault(young=30.0)
    await vault.store_login(kit.USER, kit.pair())
    await house.database.write(lambda tx: tx.run(_SET_BACK, seconds=1800.0))
    await vault.refused(kit.USER, 1)
    assert len(script.sent()) == 1


async def test_a_401_during_a_refresh_in_another_process_waits_for_its_answer(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held]
    refreshing, other = house.vault(), house.vault(young=30.0)
    await refreshing.store_login(kit.USER, kit.pair(left=-1.0))
    refresh = asyncio.create_task(refreshing.access_token(kit.USER))
    await held.rotated()
    noted = asyncio.create_task(other.refused(kit.USER, 1))
    await asyncio.sleep(0.1)
    assert not noted.done()
    held.let_go.set()
    await asyncio.wait_for(noted, 30)
    assert (await other.access_token(kit.USER)).generation == (await refresh).generation == 2
    assert len(script.sent()) == 1


async def test_a_late_answer_is_stored_although_the_app_was_refused_meanwhile(house, script, kit) -> None:
    held = kit.Held()
    script.answers = [held, kit.refuse(400, "unauthorized_client"), kit.rotate]
    slow = house.vault()
    await slow.store_login(kit.USER, kit.pair(left=-1.0))
    late = asyncio.create_task(slow.access_token(kit.USER))
    await held.rotated()
    await house.end_claims()
    other = house.vault()
    with pytest.raises(Exception, match="paused"):
        await other.access_token(kit.USER)
    assert (await row_of(house, kit.USER)).state == State.BLOCKED
    held.let_go.set()
    await asyncio.wait({late})
    row = await row_of(house, kit.USER)
    assert (row.state, row.generation) == (State.LIVE, 2)
