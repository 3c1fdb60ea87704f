"""A room with a real database, real keys and a signing secret; deliveries are signed and verified."""

import json
import secrets
import time
from dataclasses import dataclass, field

import pytest

from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.fanvue import WebhookSecret, sign_webhook, verify_webhook
from fankeep.inbox import DatabaseLog, Dispatcher, Inbox
from fankeep.kms import create_key_file, from_setting
from fankeep.policy import RetrySchedule
from fankeep.secret import Secret
from fankeep.store import Database, Statement, installation, open_data, open_keys, users

APP_SECRET = "whsec_" + "a1" * 32

ROWS = Statement(
    """
    SELECT digest, family, type, creator_id, secret_name, payload IS NOT NULL, fan_index IS NOT NULL,
           message_index, dropped, state, reason, attempts
    FROM events ORDER BY seq
    """,
    lambda *columns: dict(
        zip(
            (
                "id",
                "family",
                "type",
                "creator",
                "secret",
                "payload",
                "fan",
                "message",
                "dropped",
                "state",
                "reason",
                "attempts",
            ),
            (columns[0].hex(), *columns[1:]),
            strict=True,
        )
    ),
)


@dataclass
class Room:
    database: Database
    keys: DataKeys
    log: DatabaseLog
    creator: str = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
    stranger: str = "00000000-0000-4000-8000-00000000beef"
    fan: str = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
    woken: list = field(default_factory=list)

    def inbox(self, log=None, **options):
        return Inbox(log or self.log, self.keys, stored=lambda: self.woken.append(1), **options)

    def dispatcher(self, **options):
        retries = RetrySchedule(first=0.01, factor=1.0, cap=0.01, tries=3)
        return Dispatcher(self.log, self.keys, **{"retries": retries, "poll": 0.02} | options)

    def verified(self, body, *, scope="app", value=APP_SECRET):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        secret = WebhookSecret("events-tab", Secret(value), scope)
        now = time.time()
        return verify_webhook(raw, sign_webhook(raw, secret, timestamp=int(now)), secret, now=now)

    def message(self, event_id="evt_1", *, creator=None, **data):
        return {
            "id": event_id,
            "type": "creator.message.received",
            "timestamp": "2026-11-14T22:13:20.000Z",
            "data": {
                "object": "message",
                "uuid": "11111111-1111-4111-8111-111111111111",
                "text": "canary-text",
                "fan": {"uuid": self.fan, "handle": "canary-handle"},
                "creator": {"uuid": creator or self.creator},
            }
            | data,
        }

    def legacy_message(self, *, creator=None, **more):
        return {
            "message": {"uuid": "22222222-2222-4222-8222-222222222222", "text": "canary-text"},
            "messageUuid": "22222222-2222-4222-8222-222222222222",
            "sender": {"uuid": self.fan, "displayName": "canary-name"},
            "recipientUuid": creator or self.creator,
            "timestamp": "2026-11-14T22:13:20.000Z",
        } | more

    def tip(self, **more):
        return {
            "context": "message",
            "messageUuid": "22222222-2222-4222-8222-222222222222",
            "price": 500,
            "recipientUuid": self.creator,
            "senderUuid": self.fan,
            "sender": {"uuid": self.fan},
            "timestamp": "2026-11-14T22:13:20.000Z",
        } | more

    async def connect(self, creator):
        await self.database.write(lambda tx: users.add(tx, creator))
        await self.keys.ensure(creator)

    async def rows(self):
        return await self.database.read(lambda tx: tx.all(ROWS))


@pytest.fixture
async def room(tmp_path, database_urls):
    create_key_file(tmp_path / "kek.json")
    database = await open_data(database_urls.data, create=True)
    keys_database = await open_keys(database_urls.keys, create=True)
    identifier = await database.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    kms = from_setting(f"file:{tmp_path}/kek.json")
    keys = await open_data_keys(keys_database, kms, installation_id=identifier)
    made = Room(database, keys, DatabaseLog(database))
    await made.connect(made.creator)
    yield made
    await database.close()
    await keys_database.close()
