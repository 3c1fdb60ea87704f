"""An installation with connected creators, to whom signed events of fans are delivered."""

import json
import time

import pytest

from fankeep.datakeys import open_data_keys
from fankeep.fanvue import WebhookSecret, sign_webhook, verify_webhook
from fankeep.inbox import DatabaseLog, Inbox
from fankeep.kms import create_key_file, from_setting
from fankeep.secret import Secret
from fankeep.store import installation, open_data, open_keys, users
from fankeep.types import UserId

SECRET = WebhookSecret("main", Secret("whsec_" + "a1" * 32), "app")
INSTALLATION_ID = "00112233445566778899aabbccddeeff"


class Hall:
    """Both databases, two creators and an inbox."""

    alice = UserId("00000000-0000-4000-8000-00000000000a")
    bob = UserId("00000000-0000-4000-8000-00000000000b")
    fan = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
    other = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa13"

    def __init__(self, data, datakeys):
        self.data = data
        self.datakeys = datakeys
        self._inbox = Inbox(DatabaseLog(data), datakeys, stored=lambda: None)

    async def deliver(self, body):
        raw, now = json.dumps(body).encode(), time.time()
        header = sign_webhook(raw, SECRET, timestamp=int(now))
        return await self._inbox.accept(verify_webhook(raw, header, SECRET, now=now))

    async def message(self, event_id, fan=None, creator=None):
        """A message of the new family."""
        return await self.deliver(
            {
                "id": event_id,
                "type": "creator.message.received",
                "timestamp": "2026-11-14T22:13:20.000Z",
                "data": {
                    "uuid": "11111111-1111-4111-8111-111111111111",
                    "text": "hello",
                    "fan": {"uuid": fan or self.fan},
                    "creator": {"uuid": creator or self.alice},
                },
            }
        )

    async def tip(self, fan=None, creator=None, price=500):
        """A tip of the legacy family."""
        return await self.deliver(
            {
                "context": "message",
                "price": price,
                "recipientUuid": creator or self.alice,
                "senderUuid": fan or self.fan,
                "timestamp": "2026-11-14T22:13:20.000Z",
            }
        )


@pytest.fixture
async def hall(database_urls, tmp_path):
    create_key_file(tmp_path / "kek.json")
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    kms = from_setting(f"file:{tmp_path}/kek.json")
    await data.write(lambda tx: installation.create(tx, INSTALLATION_ID))
    made = Hall(data, await open_data_keys(keys, kms, installation_id=INSTALLATION_ID))
    for creator in (Hall.alice, Hall.bob):
        await data.write(lambda tx, creator=creator: users.add(tx, creator))
        await made.datakeys.ensure(creator)
    yield made
    await data.close()
    await keys.close()
