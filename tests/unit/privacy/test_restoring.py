"""What is done to a restored back-up, on both engines; the copies of files are tested as a whole."""

import pytest

from fankeep.datakeys import open_data_keys
from fankeep.fanvue.subscriptions import CreatedSubscription
from fankeep.kms import create_key_file, from_setting
from fankeep.privacy.restoring import settle_restored
from fankeep.secret import Secret
from fankeep.servicekeys import Permissions, ServiceKeys
from fankeep.sessions import Sessions
from fankeep.store import Command, grants, installation, open_data, open_keys, subscriptions, users
from fankeep.subscriptions.records import Records
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault import TokenPair
from fankeep.vault.records import GrantRecords

ALICE = UserId("00000000-0000-4000-8000-000000000001")
BOB = UserId("00000000-0000-4000-8000-000000000002")
INSTALLATION_ID = "00112233445566778899aabbccddeeff"
NOTED_EARLIER = Command("UPDATE ledger SET noted_at = 5.0")
ACTIVE = Command(
    """
    UPDATE grants SET lease_until = {now} + 5, attempt_id = 'a', first_sent_at = {now}, sends = 2
    WHERE user_id = :user
    """
)


class House:
    """Both databases with two connected creators."""

    def __init__(self, data, keys, datakeys):
        self.data = data
        self.keys = keys
        self.datakeys = datakeys
        self.records = GrantRecords(datakeys)
        self.sessions = Sessions(data, datakeys.installation)
        self.service_keys = ServiceKeys(data, datakeys.installation, datakeys.ledger)

    async def connect(self, user):
        pair = TokenPair(Secret("access"), Secret("refresh"), 3600.0, 3600.0, ("read:self",))
        await self.datakeys.ensure(user)
        sealed = await self.records.seal(GrantId(f"grant of {user}"), user, Generation(1), pair)

        async def work(tx):
            await users.add(tx, user)
            assert await grants.insert(tx, GrantId(f"grant of {user}"), user, sealed, stored_by="login:1")

        await self.data.write(work)

    async def grant(self, user):
        return await self.data.read(lambda tx: grants.by_user(tx, user))

    async def settle(self):
        return await settle_restored(self.data, self.datakeys)


@pytest.fixture
async def house(database_urls, tmp_path):
    create_key_file(tmp_path / "kek.json")
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    kms = from_setting(f"file:{tmp_path}/kek.json")
    await data.write(lambda tx: installation.create(tx, INSTALLATION_ID))
    made = House(data, keys, await open_data_keys(keys, kms, installation_id=INSTALLATION_ID))
    for user in (ALICE, BOB):
        await made.connect(user)
    yield made
    await data.close()
    await keys.close()


async def test_every_living_grant_is_doubted_with_nothing_sent_and_nothing_to_serve(house):
    await house.data.write(lambda tx: tx.run(ACTIVE, user=BOB))
    assert (await house.settle()).grants_uncertain == 2
    for user in (ALICE, BOB):
        row = await house.grant(user)
        assert (row.state, row.sends, row.attempt_id, row.lease_left) == ("uncertain", 0, None, None)
        assert (row.since_first_send, row.sealed_access, row.access_left) == (None, None, None)
        assert house.records.authentic(row)
        assert (await house.records.open_refresh(row)).reveal() == "refresh"


async def test_settling_again_changes_nothing_more(house):
    first = await house.settle()
    rows = [await house.grant(user) for user in (ALICE, BOB)]
    assert await house.settle() == first
    assert [(await house.grant(user)).mac for user in (ALICE, BOB)] == [row.mac for row in rows]


async def test_all_sessions_end_and_a_creator_who_was_erased_is_erased_again(house):
    session = await house.sessions.start(BOB)
    await house.sessions.start(ALICE)
    await house.datakeys.ledger.note("user", ALICE)
    settled = await house.settle()
    assert (settled.creators_erased, settled.sessions_ended, settled.grants_uncertain) == (1, 1, 1)
    assert await house.sessions.lookup(session) is None
    assert await house.grant(ALICE) is None
    assert (await house.data.read(lambda tx: users.load(tx, ALICE))).erased
    assert (await house.settle()).creators_erased == 0


async def test_a_service_key_that_was_revoked_is_gone_and_another_stays(house):
    allowed = Permissions(frozenset({"all"}))
    lost, shown = await house.service_keys.create("lost", allowed, lifetime=60)
    _, kept = await house.service_keys.create("kept", allowed, lifetime=60)
    await house.datakeys.ledger.note("service_key", lost.id)
    assert (await house.settle()).service_keys_revoked == 1
    assert await house.service_keys.authenticate(shown) is None
    assert await house.service_keys.authenticate(kept)


async def test_a_subscription_that_was_removed_is_gone_with_its_secret_and_another_stays(house):
    records = Records(house.datakeys)
    for name in ("removed", "kept"):
        created = CreatedSubscription(name, Secret("whsec_" + "0123456789abcdef" * 4))
        row = await records.row(
            ALICE, created, name=name, url="https://x.example", events=("a.b",), now=1_700_000_000.0
        )
        assert await house.data.write(lambda tx, row=row: subscriptions.insert(tx, row))
    await house.datakeys.ledger.note("subscription", "removed")
    assert (await house.settle()).subscriptions_removed == 1
    assert [row.id for row in await house.data.read(subscriptions.every)] == ["kept"]


async def test_the_ledger_names_nobody_to_whom_it_is_shown_without_its_key(house):
    await house.datakeys.ledger.note("user", ALICE)
    assert await house.datakeys.ledger.gone("user", [ALICE, BOB]) == [ALICE]
    assert await house.datakeys.ledger.gone("service_key", [ALICE]) == []
    assert await house.datakeys.ledger.gone("user", [ALICE], since=4e9) == []


async def test_who_is_erased_a_second_time_is_gone_since_then(house):
    await house.datakeys.ledger.note("user", ALICE)
    await house.keys.write(lambda tx: tx.run(NOTED_EARLIER))
    assert await house.datakeys.ledger.gone("user", [ALICE], since=10.0) == []
    await house.datakeys.ledger.note("user", ALICE)
    assert await house.datakeys.ledger.gone("user", [ALICE], since=10.0) == [ALICE]
