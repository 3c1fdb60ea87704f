"""What is malformed, hostile though signed, or comes at a bad time: one fixed answer, nothing half stored."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import apsw
import pytest

from fankeep.keep.stores import open_stores
from fankeep.store import Statement

WHOLE = Statement(
    "SELECT type, creator_id, payload IS NOT NULL, reason FROM events ORDER BY seq", lambda *columns: columns
)
RECEIVED = "creator.message.received"


def deep(depth):
    return b'{"data":' * depth + b"1" + b"}" * depth


@pytest.fixture
def sqlite_receiver(run_receiver, tmp_path):
    def run(**settings):
        return run_receiver(f"sqlite:///{tmp_path}/data.db", f"sqlite:///{tmp_path}/keys.db", **settings)

    return run


async def test_every_refusal_of_a_kind_has_one_fixed_body(sqlite_receiver):
    async with sqlite_receiver() as site:
        good = site.message()
        kinds = {
            400: [
                {"body": body} for body in (b"", b"{", b"[1,]", b"\xff", b'{"a":1,"a":2}', deep(40), b"NaN")
            ],
            401: [{"header": "nonsense"}, {"secret": "some secret that nobody knows"}, {"at": 5}],
            405: [{"method": method} for method in ("GET", "PUT", "DELETE")],
            413: [{"body": b"x" * (1 << 20) + b"x"}, {"content_length": 1 << 40}],
            415: [{"content_type": "text/plain"}, {"content_encoding": "gzip"}],
        }
        for status, requests in kinds.items():
            answers = [await site.answer(how.pop("body", good), **how) for how in requests]
            assert {answer[0] for answer in answers} == {status}
            (content,) = {answer[1] for answer in answers}
            assert set(json.loads(content)) == {"error", "message"}
        assert await site.rows() == []
        assert await site.deliver(good) == 200


@pytest.mark.parametrize(
    ("change", "type_name"),
    [
        pytest.param({"id": 7}, RECEIVED, id="an id that is a number"),
        pytest.param({"id": None}, RECEIVED, id="an id that is null"),
        pytest.param({"id": {"$ne": ""}}, RECEIVED, id="an id that is an object"),
        pytest.param({"id": ""}, RECEIVED, id="an empty id"),
        pytest.param({"id": "x" * 1_000_000}, RECEIVED, id="an id of a megabyte"),
        pytest.param({"id": "a\0b"}, RECEIVED, id="an id with NUL"),
        pytest.param({"id": "../../etc/passwd"}, RECEIVED, id="an id that is a path"),
        pytest.param({"type": "creator.message.received\n"}, "unknown", id="a type with a line end"),
        pytest.param({"type": "\x1b[2Jcreator"}, "unknown", id="a type with control characters"),
        pytest.param({"type": "a\0b"}, "unknown", id="a type with NUL"),
        pytest.param({"type": ["creator"]}, "unknown", id="a type that is a list"),
        pytest.param({"timestamp": "9" * 400}, RECEIVED, id="a time without end"),
        pytest.param({"\0": "\0"}, RECEIVED, id="a key that is NUL"),
    ],
)
async def test_a_signed_body_with_a_strange_field_is_stored_whole_and_once(receiver, change, type_name):
    async with receiver() as site:
        body = site.message(**change)
        assert [await site.deliver(body) for _ in range(2)] == [200, 200]
        async with open_stores(site.keep.settings, create=False) as stores:
            (row,) = await stores.data.read(lambda tx: tx.all(WHOLE))
        assert row[:2] == (type_name, site.creator)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"id":"1","id":"2","type":"x","data":{}}', id="two keys of one name"),
        pytest.param(b'{"type":"x","data":{"uuid":1,"uuid":2}}', id="two keys of one name further in"),
        pytest.param(b'{"id":"\xff","type":"x","data":{}}', id="bad UTF-8"),
        pytest.param(b'{"id":"\xed\xa0\x80","type":"x","data":{}}', id="an encoded surrogate"),
        pytest.param(b'{"id":"\\ud800","type":"x","data":{}}', id="half of a surrogate pair"),
        pytest.param(b'\xef\xbb\xbf{"type":"x"}', id="a byte order mark"),
        pytest.param('{"type":"x"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"id":"a\0b"}', id="a bare NUL"),
        pytest.param(deep(33), id="nested too deeply"),
        pytest.param(deep(100_000), id="nested far too deeply"),
        pytest.param(b'{"price":1e999}', id="a number without end"),
        pytest.param(b'{"a":1} {"a":1}', id="two bodies"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_signed_body_without_one_reading_is_refused_and_leaves_nothing(sqlite_receiver, body):
    async with sqlite_receiver() as site:
        assert await site.deliver(body) == 400
        assert await site.rows() == []


async def test_a_handler_that_raises_or_is_missing_costs_no_event(receiver):
    async with receiver() as site:

        @site.keep.on("payout.paid")
        async def fail(event):
            raise RuntimeError("not today")

        for kind in ("payout.paid", "app.payment.succeeded"):
            assert await site.deliver(site.message(type=kind, id=kind)) == 200
        async with open_stores(site.keep.settings, create=False) as stores, asyncio.timeout(20):
            rows = await stores.data.read(lambda tx: tx.all(WHOLE))
            while not all(row[3] for row in rows):
                await asyncio.sleep(0.02)
                rows = await stores.data.read(lambda tx: tx.all(WHOLE))
        assert [(row[0], row[3]) for row in rows] == [
            ("payout.paid", "handler_failed"),
            ("app.payment.succeeded", "no_handler"),
        ]


def unavailable(answer):
    status, content, head = answer
    return (status, json.loads(content)["error"], b"retry-after" in head) == (503, "try_again", True)


async def test_while_the_database_is_down_nothing_is_confirmed_and_a_retry_is_stored(
    run_receiver, own_postgresql
):
    server = own_postgresql
    async with run_receiver(server.url("data"), server.url("keys")) as site:
        assert await site.deliver(site.message(1)) == 200
        server.stop()
        assert unavailable(await site.answer(site.message(2)))
        server.start()
        async with asyncio.timeout(60):
            while (status := await site.deliver(site.message(2))) != 200:
                assert status == 503
                await asyncio.sleep(0.1)
        assert len(await site.settled()) == len(site.handled) == 2


async def test_while_the_disk_is_full_nothing_is_confirmed_and_a_retry_is_stored(
    sqlite_receiver, monkeypatch
):
    """SQLite itself says that there is no page left; `max_page_count` is what a full disk does to it."""
    connections = []
    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, connections.append])

    def limit(pages):
        for connection in connections:
            with suppress(apsw.ConnectionClosedError):
                if connection.filename.endswith("data.db"):
                    connection.execute(f"PRAGMA max_page_count = {pages}")

    async with sqlite_receiver() as site:
        assert await site.deliver(site.message(1)) == 200
        await site.settled()
        limit(1)  # which is as many as there are
        statuses = [
            await site.deliver(site.message(number, type=f"made.up_{number:036}")) for number in range(2, 200)
        ]
        assert set(statuses) == {200, 503}
        assert unavailable(await site.answer(site.message(900)))
        assert len(await site.rows()) == 1 + statuses.count(200)
        limit(1_000_000)
        assert await site.deliver(site.message(900)) == 200
        assert len(await site.settled()) == 2 + statuses.count(200)


async def test_while_the_key_service_is_down_nothing_is_confirmed_and_a_retry_is_stored(
    sqlite_receiver, key_service
):
    def silent(*_):
        raise ConnectionError("no answer")

    async with sqlite_receiver(keys=key_service.place) as site:
        key_service.handle = silent
        assert unavailable(await site.answer(site.message()))
        del key_service.handle
        assert await site.rows() == []
        assert await site.deliver(site.message()) == 200
        assert len(await site.settled()) == len(site.handled) == 1
