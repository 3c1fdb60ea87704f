"""An installation with two connected creators, and subscriptions in its database, on both engines."""

import pytest

from fankeep.datakeys import open_data_keys
from fankeep.fanvue.subscriptions import CreatedSubscription
from fankeep.kms import create_key_file, from_setting
from fankeep.secret import Secret
from fankeep.store import Command, grants, open_data, open_keys, subscriptions, users
from fankeep.subscriptions import SubscriptionSecrets
from fankeep.subscriptions.names import make_name
from fankeep.subscriptions.records import Records
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault import TokenPair
from fankeep.vault.records import GrantRecords

ALICE = UserId("00000000-0000-4000-8000-000000000001")
BOB = UserId("00000000-0000-4000-8000-000000000002")
SECRET = "whsec_" + "0123456789abcdef" * 4
STATE = Command("UPDATE grants SET state = :state, end_reason = :reason WHERE user_id = :user")
AGED = Command("UPDATE subscriptions SET ended_at = ended_at - :seconds")


class House:
    """Databases and keys of an installation."""

    def __init__(self, data, datakeys):
        self.data = data
        self.datakeys = datakeys
        self.records = Records(datakeys)
        self.now = 0.0
        self.secrets = self.another_process()

    def another_process(self):
        return SubscriptionSecrets(self.data, self.datakeys, tolerance=300, clock=lambda: self.now)

    async def connect(self, user):
        pair = TokenPair(Secret("access"), Secret("refresh"), 3600.0, 3600.0, ("read:self",))
        await self.datakeys.ensure(user)
        grant = GrantId(f"grant of {user}")
        sealed = await GrantRecords(self.datakeys).seal(grant, user, Generation(1), pair)

        async def work(tx):
            await users.add(tx, user)
            assert await grants.insert(tx, grant, user, sealed, stored_by="login:1")

        await self.data.write(work)

    def name(self, number):
        return make_name(self.datakeys.installation.key("subscription-name"), bytes([number]) * 16)

    async def row(self, number=1, user=ALICE, secret=SECRET):
        name = self.name(number)
        return await self.records.row(
            user,
            CreatedSubscription(f"sub-{number}", Secret(secret)),
            name=name,
            url=f"https://app.example.com/webhooks/fanvue/{name}",
            events=("creator.follow.created", "creator.message.received"),
            now=1_700_000_000.123,
        )

    async def subscribe(self, number=1, user=ALICE, secret=SECRET):
        """Store a subscription and return its name."""
        row = await self.row(number, user, secret)
        assert await self.data.write(lambda tx: subscriptions.insert(tx, row))
        return row.name

    async def grant_is(self, state, reason=None, user=ALICE):
        await self.data.write(lambda tx: tx.run(STATE, state=state, reason=reason, user=user))

    async def end(self, number=1, *, seconds_ago=0.0):
        await self.data.write(lambda tx: subscriptions.end(tx, f"sub-{number}"))
        await self.data.write(lambda tx: tx.run(AGED, seconds=seconds_ago))


@pytest.fixture
async def house(database_urls, tmp_path):
    create_key_file(tmp_path / "kek.json")
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    kms = from_setting(f"file:{tmp_path}/kek.json")
    datakeys = await open_data_keys(keys, kms, installation_id="00112233445566778899aabbccddeeff")
    built = House(data, datakeys)
    await built.connect(ALICE)
    await built.connect(BOB)
    yield built
    await data.close()
    await keys.close()


@pytest.fixture
def alice():
    return ALICE


@pytest.fixture
def bob():
    return BOB


@pytest.fixture
def shown_secret():
    return SECRET
