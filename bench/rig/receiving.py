"""The whole gateway in this process, called as a server calls it, with bodies that are signed and hostile."""

from __future__ import annotations

import asyncio
import hmac
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.rig.hostile_bodies import Hostile
from bench.rig.post_office import Office, office

from fankeep import Keep, Settings
from fankeep.errors import FankeepError
from fankeep.inbox.identity import event_id
from fankeep.inbox.payload import open_payload
from fankeep.keep.stores import open_stores
from fankeep.store import Statement
from fankeep.telemetry import metrics
from fankeep.transport.listener import AsgiApp
from fankeep.types import UserId

__all__ = ["Received", "receive"]

_AT_ONCE: Final = 64
_ODD: Final = 0.05
_EXPECTED: Final = frozenset({200, 400, 401, 405, 413, 415})

_JSON: Final = (b"content-type", b"application/json")
_SIGNATURE: Final = b"x-fanvue-signature"


class _Row(NamedTuple):
    digest: bytes
    family: str
    type: str
    creator: UserId | None
    payload: bytes | None


_ROWS: Final = Statement("SELECT digest, family, type, creator_id, payload FROM events", _Row)


@dataclass(slots=True)
class Received:
    """What became of the bodies.

    Attributes:
        statuses: how often each was answered.
        foreign: exceptions that left the gateway, and answers that it has none for.
        answers: the bodies of the answers, by status: of a kind they all have to be the same.
        rows: in the inbox.
        repeats: bodies that were confirmed as known.
        half_stored: rows whose payload does not open under what the row says it is.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    answers: dict[int, set[bytes]] = field(default_factory=dict)
    rows: int = 0
    repeats: int = 0
    half_stored: int = 0


async def receive(folder: Path, count: int, *, seed: int, progress: Callable[[int], None]) -> Received:
    """Send so many bodies through the gateway over a SQLite inbox.

    Args:
        folder: private, for the databases.
        count: how many.
        seed: the same one makes the same bodies.
        progress: told now and then how many are done.
    """
    found = Received()
    async with office(folder, "sqlite") as place:
        async with Keep(Settings(**place.settings), events=False) as keep:
            hostile, numbers = Hostile(seed), random.Random(seed)
            left = iter(range(count))

            async def send_some() -> None:
                for number in left:
                    await _send(keep.gateway, place, hostile.body(), numbers, found)
                    if number % 1000 == 0:
                        progress(number)

            await asyncio.gather(*(send_some() for _ in range(_AT_ONCE)))
        found.repeats = int(
            metrics.REGISTRY.get_sample_value("fankeep_webhooks_total", {"outcome": "duplicate"}) or 0
        )
        await _look_at_rows(place, found)
    return found


async def _send(app: AsgiApp, place: Office, body: bytes, numbers: random.Random, found: Received) -> None:
    given: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive_one() -> Any:
        return given.pop(0) if given else {"type": "http.disconnect"}

    async def send_one(message: Any) -> None:
        sent.append(message)

    try:
        await app(_scope(place, body, numbers), receive_one, send_one)
    except Exception as problem:  # noqa: BLE001 - what else can escape is what is asked
        found.foreign[type(problem).__name__] += 1
        return
    status: int = sent[0]["status"]
    found.statuses[status] += 1
    found.answers.setdefault(status, set()).add(b"".join(part.get("body", b"") for part in sent[1:]))
    if status not in _EXPECTED:
        found.foreign[str(status)] += 1


def _scope(place: Office, body: bytes, numbers: random.Random) -> dict[str, Any]:
    """A request; of twenty, one has something else wrong with it as well."""
    signed_time = int(time.time())
    signature = hmac.digest(place.secret.encode(), b"%d." % signed_time + body, "sha256").hex()
    headers = [_JSON, (_SIGNATURE, f"t={signed_time},v0={signature}".encode())]
    method = "POST"
    if numbers.random() < _ODD:
        method = numbers.choice(("POST", "PUT", "GET", "DELETE", "OPTIONS"))
        headers = numbers.choice(
            (headers, headers[:1], headers[1:], headers + headers[:1], headers + headers[1:], [])
        )
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/webhooks/fanvue",
        "raw_path": b"/webhooks/fanvue",
        "query_string": b"",
        "headers": [
            (b"host", place.host.encode()),
            *headers,
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
    }


async def _look_at_rows(place: Office, found: Received) -> None:
    async with open_stores(Settings(**place.settings), create=False) as stores:
        rows = await stores.data.read(lambda tx: tx.all(_ROWS))
        found.rows = len(rows)
        for row in rows:
            if row.payload is None or row.creator is None:
                continue
            try:
                await open_payload(
                    stores.datakeys,
                    row.creator,
                    event_id(row.digest),
                    row.payload,
                    family=row.family,
                    type_name=row.type,
                )
            except FankeepError:
                found.half_stored += 1
