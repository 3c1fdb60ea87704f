"""Fetching events over the internal listener: whose key gets which, and what is refused."""

import asyncio
import json
import re
from dataclasses import dataclass, field, replace

import pytest

from fankeep.datakeys import Ledger
from fankeep.gateway import InternalServices, internal_app
from fankeep.inbox import BacklogGauges
from fankeep.lifecycle import Directory
from fankeep.servicekeys import Permissions, Reach, ServiceKeys
from fankeep.store import open_keys
from fankeep.transport.listener import listening
from fankeep.types import UserId

MIA = UserId("00000000-0000-4000-8000-000000000001")
ID, RECEIPT = "0f" * 16, "a1" * 16
ACK = {"events": [{"id": ID, "receipt": RECEIPT}]}


@dataclass
class Handed:
    events: list[dict[str, object]]
    cursor: str = "next"


@dataclass
class Done:
    acknowledged: list[str]
    lost: list[str]


@dataclass
class StandInQueue:
    asked: list[dict[str, object]] = field(default_factory=list)
    acked: list[tuple[str, str]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def pull(self, **asked) -> Handed:
        self.asked.append(asked)
        try:
            if asked["wait"]:
                await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Handed([{"id": ID, "receipt": RECEIPT}])

    async def acknowledge(self, receipts) -> Done:
        self.acked += receipts
        return Done([ID], ["ff" * 16])


@dataclass
class Inside:
    wire: object
    keys: ServiceKeys
    queue: StandInQueue

    async def key(self, **permissions) -> str:
        given = {"reach": Reach.ALL, "events": True, **permissions}
        _, shown = await self.keys.create("worker", Permissions(frozenset(), **given), lifetime=60)
        return f"Bearer {shown.reveal()}"

    async def get(self, key: str | None, query: str = ""):
        return await self.wire("GET", f"/internal/v1/events{query}", authorization=key)

    async def ack(self, key: str | None, body: object = ACK, content_type: str = "application/json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.wire(
            "POST", "/internal/v1/events/ack", raw, authorization=key, content_type=content_type
        )


@pytest.fixture
async def open_inside(site, make_keys, find_port, tmp_path):
    keys_db = await open_keys(f"sqlite:///{tmp_path}/keys.db", create=True)
    keys = ServiceKeys(site.database, make_keys(), Ledger(keys_db, make_keys()))
    running = []

    async def run(queue):
        services = InternalServices(
            site.services,
            keys,
            Directory(site.database),
            tokens=None,
            refresh_metrics=BacklogGauges(site.database).refresh,
            events=queue,
        )
        port = find_port()
        listener = listening(internal_app(site.config, services), host="127.0.0.1", port=port)
        running.append(listener)
        await listener.__aenter__()
        return Inside(replace(site, port=port), keys, queue)

    yield run
    for listener in running:
        await listener.__aexit__(None, None, None)
    await keys_db.close()


@pytest.fixture
async def inside(open_inside):
    return await open_inside(StandInQueue())


async def test_events_come_with_a_cursor_and_are_acknowledged_by_their_receipts(inside):
    key = await inside.key()
    page = await inside.get(key, "?limit=7&lease=30&cursor=abc")
    done = await inside.ack(key)
    assert (page.status, page.json) == (200, {"events": [{"id": ID, "receipt": RECEIPT}], "cursor": "next"})
    assert page.one("cache-control") == "no-store"
    assert inside.queue.asked == [{"cursor": "abc", "limit": 7, "lease": 30, "wait": 0, "only": None}]
    assert (done.status, done.json) == (200, {"acknowledged": [ID], "lost": ["ff" * 16]})
    assert inside.queue.acked == [(ID, RECEIPT)]


async def test_a_key_gets_the_events_of_its_creators(inside):
    await inside.get(await inside.key(reach=Reach.LISTED, listed=frozenset({MIA})))
    assert inside.queue.asked[0]["only"] == {MIA}


async def test_without_a_key_for_events_nothing_is_handed_out_or_acknowledged(inside):
    others = [
        (None, 401, "service_key_required"),
        (await inside.key(events=False), 403, "not_covered"),
        (await inside.key(reach=Reach.SESSION, events=False), 403, "not_covered"),
    ]
    for key, status, code in others:
        for answer in (await inside.get(key), await inside.ack(key)):
            assert (answer.status, answer.json["error"]) == (status, code)
    assert (inside.queue.asked, inside.queue.acked) == ([], [])


@pytest.mark.parametrize(
    "query",
    ["?limit=0", "?limit=501", "?limit=x", "?limit=-1", "?limit=%D9%A1", "?lease=4", "?lease=3601",
     "?wait=21", "?limit=1&limit=2", "?after=1"],
)  # fmt: skip
async def test_a_parameter_out_of_its_bounds_is_refused(inside, query):
    answer = await inside.get(await inside.key(), query)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert inside.queue.asked == []


@pytest.mark.parametrize("name", ["limit", "lease", "wait"])
async def test_a_refusal_says_the_bounds_that_hold(inside, name):
    inside.queue.release.set()
    key = await inside.key()
    told = (await inside.get(key, f"?{name}=x")).json["message"]
    least, most = (int(number) for number in re.search(r"(\d+) to (\d+)", told).groups())
    for number, status in ((least - 1, 400), (least, 200), (most, 200), (most + 1, 400)):
        answer = await inside.get(key, f"?{name}={number}")
        assert (number, answer.status) == (number, status)
        assert status == 200 or answer.json["message"] == told


async def test_a_mistyped_parameter_is_told_which_there_are_and_is_not_repeated(inside):
    answer = await inside.get(await inside.key(), "?curser=x")
    assert answer.json["message"] == "There is no parameter but cursor, limit, lease and wait."
    assert set(answer.json) == {"error", "message", "reference"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"events": []}',
        {"events": [{"id": ID}]},
        {"events": [{"id": ID, "receipt": RECEIPT, "more": 1}]},
        {"events": [{"id": ID.upper(), "receipt": RECEIPT}]},
        {"events": [{"id": ID + "\n", "receipt": RECEIPT}]},
        {"events": [{"id": 1, "receipt": RECEIPT}]},
        {"events": [{"id": ID, "receipt": RECEIPT}] * 1001},
        b'{"events": ' + b"[" * 5000,
    ],
)
async def test_an_acknowledgement_that_is_none_is_refused_whole(inside, body):
    answer = await inside.ack(await inside.key(), body)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert inside.queue.acked == []


async def test_an_acknowledgement_of_another_type_or_size_is_refused(inside):
    key = await inside.key()
    assert (await inside.ack(key, ACK, "text/plain")).status == 415
    assert (await inside.ack(key, b"x" * ((1 << 18) + 1))).status == 413


async def test_where_events_go_to_handlers_none_are_handed_out(open_inside):
    inside = await open_inside(None)
    key = await inside.key()
    for answer in (await inside.get(key), await inside.ack(key)):
        assert (answer.status, answer.json["error"]) == (409, "events_not_pulled")


async def test_whoever_leaves_while_waiting_gets_nothing_claimed(inside):
    key = await inside.key()
    _, writer = await asyncio.open_connection("127.0.0.1", inside.wire.port)
    request = f"GET /internal/v1/events?wait=20 HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\n\r\n"
    writer.write(request.encode())
    await writer.drain()
    async with asyncio.timeout(10):
        while not inside.queue.asked:
            await asyncio.sleep(0.01)
        writer.close()
        await inside.queue.cancelled.wait()
