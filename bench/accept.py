"""How fast signed deliveries are verified, minimised, sealed and committed, without the HTTP server.

One process, SQLite, 64 deliveries waiting at a time. Beside it the same with one INSERT a row instead of one
statement a group.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import uvloop
from bench.harness import in_turn, medians, print_result

from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.fanvue import VerifiedWebhook, WebhookSecret, sign_webhook, verify_webhook
from fankeep.inbox import DatabaseLog, Inbox
from fankeep.kms import create_key_file, from_setting
from fankeep.secret import Secret
from fankeep.store import Command, Database, Transaction, installation, open_data, open_keys, users
from fankeep.store.events import NewEvent
from fankeep.types import UserId

NAME = "accept"
ROUNDS = 7
DELIVERIES = 10_000
WAITING = 64

_CREATOR = UserId("5939ae62-3eb5-4433-954f-f78c7b4282f3")
_SECRET = WebhookSecret("app", Secret("whsec_" + secrets.token_hex(32)))
_EVENT_ROW = Command(
    """
    INSERT INTO events (digest, family, type, creator_id, secret_name, occurred_at, received_at, payload,
                        fan_index, dropped, state, due_at)
    SELECT :digest, :family, :type, :creator, :secret_name, :occurred_at, {now},
           CASE WHEN users.id IS NOT NULL THEN :payload END,
           CASE WHEN users.id IS NOT NULL THEN :fan_index END,
           :dropped, CASE WHEN modern.creator_id IS NULL THEN 'pending' ELSE 'shadow' END, {now}
    FROM (SELECT 1)
    LEFT JOIN users ON users.id = :creator AND users.erased_at IS NULL
    LEFT JOIN creator_families AS modern ON modern.creator_id = :creator AND :family = 'legacy'
    WHERE true
    ON CONFLICT (digest) DO NOTHING
    """
)


class _RowByRow(DatabaseLog):
    """One INSERT a row, with the same joins, in one transaction a group."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rows = database

    async def add(self, new: Sequence[NewEvent], *, modern: Sequence[UserId]) -> frozenset[bytes]:
        del modern

        async def insert(tx: Transaction) -> frozenset[bytes]:
            before = [row.digest for row in new if not await tx.run(_EVENT_ROW, **row._asdict())]
            return frozenset(before)

        return await self._rows.write(insert)


def main() -> None:
    """Print ``deliveries_per_s`` and ``p99_ms``."""
    latencies: dict[str, list[float]] = {"groups": [], "row_by_row": []}
    ways: dict[str, Callable[[Database], DatabaseLog]] = {"groups": DatabaseLog, "row_by_row": _RowByRow}

    def measured(name: str) -> float:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            seconds, times = runner.run(_run(ways[name]))
        latencies[name].append(statistics.quantiles(times, n=100)[98])
        return DELIVERIES / seconds

    rates = medians(in_turn(ROUNDS, {name: partial(measured, name) for name in ways}))
    own = rates.pop("groups")
    print_result(NAME, "deliveries_per_s", own, "1/s", beside=rates, engine="sqlite")
    p99 = {name: value * 1e3 for name, value in medians(latencies).items()}
    own = p99.pop("groups")
    print_result(NAME, "p99_ms", own, "ms", beside=p99, engine="sqlite")


async def _run(make_log: Callable[[Database], DatabaseLog]) -> tuple[float, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        database, keys_database, keys = await _room(Path(folder))
        inbox = Inbox(make_log(database), keys, stored=lambda: None)
        begin = time.time()
        signed = [
            (body, sign_webhook(body, _SECRET, timestamp=int(begin)))
            for body in map(_body, range(DELIVERIES))
        ]
        seconds, latencies = await _deliver(signed, inbox.accept)
        await database.close()
        await keys_database.close()
    return seconds, latencies


async def _deliver(
    signed: list[tuple[bytes, str]], accept: Callable[[VerifiedWebhook], Awaitable[object]]
) -> tuple[float, list[float]]:
    queue, latencies = iter(signed), []

    async def sender() -> None:
        for body, header in queue:
            arrived = time.perf_counter()
            await accept(verify_webhook(body, header, _SECRET, now=time.time()))
            latencies.append(time.perf_counter() - arrived)

    begin = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(WAITING)))
    return time.perf_counter() - begin, latencies


async def _room(folder: Path) -> tuple[Database, Database, DataKeys]:
    create_key_file(folder / "kek.json")
    database = await open_data(f"sqlite:///{folder}/data.db", create=True)
    keys_database = await open_keys(f"sqlite:///{folder}/keys.db", create=True)
    identifier = await database.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    kms = from_setting(f"file:{folder}/kek.json")
    keys = await open_data_keys(keys_database, kms, installation_id=identifier)
    await database.write(lambda tx: users.add(tx, _CREATOR))
    await keys.ensure(_CREATOR)
    return database, keys_database, keys


def _body(number: int) -> bytes:
    fan = {"uuid": str(uuid.uuid4()), "handle": "someone", "display_name": "Some One"}
    message = {
        "object": "message",
        "uuid": str(uuid.uuid4()),
        "sender": "fan",
        "created_at": "2026-11-14T22:13:20.000Z",
        "text": "How are you today? " * 6,
        "media_uuids": [],
        "fan": fan,
        "creator": {"uuid": _CREATOR},
    }
    event = {
        "id": f"evt_{number}",
        "type": "creator.message.received",
        "timestamp": "2026-11-14T22:13:20.000Z",
    }
    return json.dumps(event | {"data": message}).encode()
