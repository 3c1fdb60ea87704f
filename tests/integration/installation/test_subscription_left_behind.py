"""A subscription whose secret could not be kept does not stay at Fanvue."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from fankeep.client import FanvueApi
from fankeep.errors import StorageUnavailable, TransportError
from fankeep.keep.grants import open_grants
from fankeep.keep.stores import open_stores
from fankeep.subscriptions import Standing, Subscriptions
from fankeep.transport import Transport

EVENTS = ("creator.follow.created",)


class Data:
    """The database, with something in the way of a write."""

    def __init__(self, database, obstacle):
        self._database = database
        self._obstacle = obstacle

    def __getattr__(self, name):
        return getattr(self._database, name)

    async def write(self, work):
        await self._obstacle(self._database, work)
        return await self._database.write(work)


class Line:
    """The way to Fanvue; cuts the answer to the next POST off after Fanvue has acted on it."""

    def __init__(self, url):
        self._target = urlsplit(url).netloc.rsplit(":", 1)
        self._cut = True

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _carry(self, reader, writer):
        host, port = self._target
        up, down = await asyncio.open_connection(host, int(port))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), b":0"
        )
        down.write(head + await reader.readexactly(int(length.partition(b":")[2])))
        answer = await up.read(1)
        if head.startswith(b"POST") and self._cut:
            self._cut = False
        else:
            writer.write(answer + await up.read(1 << 16))
            await writer.drain()
        for stream in (writer, down):
            stream.close()


@asynccontextmanager
async def subscriptions(installation, *, obstacle=None, api_url=None):
    settings = installation.settings()
    transport = Transport(https_only=False, keep_alive=False)
    async with open_stores(settings, create=False) as stores, open_grants(settings, stores) as grants:
        yield Subscriptions(
            stores.data if obstacle is None else Data(stores.data, obstacle),
            stores.datakeys,
            FanvueApi(transport, grants.vault, api_url=api_url or settings.api_url),
            address="http://localhost:8000/webhooks/fanvue",
            readings=("literal",),
            actor="operator:test",
        )
    await transport.close()


async def found(installation, creator):
    async with subscriptions(installation) as managing:
        return await managing.of(creator)


@pytest.fixture
async def creator(installation):
    return await asyncio.to_thread(installation.connect, "miahart")


async def test_nothing_stays_when_the_database_fails(installation, creator):
    async def fail(database, work):
        raise StorageUnavailable

    async with subscriptions(installation, obstacle=fail) as managing:
        with pytest.raises(StorageUnavailable):
            await managing.add(creator, EVENTS)
    (deleted,) = [row for row in installation.fanvue.control.journal(kind="api") if row["method"] == "DELETE"]
    assert deleted["status"] == 204
    assert await found(installation, creator) == []


async def test_nothing_stays_when_nobody_knows_whether_the_commit_was_made(installation, creator):
    done = []

    async def commit_and_fail(database, work):
        if not done:
            done.append(await database.write(work))
            raise StorageUnavailable(outcome_unknown=True)

    async with subscriptions(installation, obstacle=commit_and_fail) as managing:
        with pytest.raises(StorageUnavailable):
            await managing.add(creator, EVENTS)
    assert await found(installation, creator) == []


async def test_nothing_stays_when_the_answer_with_the_secret_is_lost(installation, creator):
    async with (
        Line(installation.fanvue.api_url) as line,
        subscriptions(installation, api_url=line.url) as managing,
    ):
        with pytest.raises(TransportError):
            await managing.add(creator, EVENTS)
        posts = [row for row in installation.fanvue.control.journal(kind="api") if row["method"] == "POST"]
        assert [row["status"] for row in posts] == [201]
        assert await managing.of(creator) == []


async def test_nothing_stays_when_somebody_interrupts(installation, creator):
    reached = asyncio.Event()

    async def wait(database, work):
        if not reached.is_set():
            reached.set()
            await asyncio.Event().wait()

    async with subscriptions(installation, obstacle=wait) as managing:
        adding = asyncio.create_task(managing.add(creator, EVENTS))
        await reached.wait()
        adding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adding
    assert await found(installation, creator) == []


async def test_what_a_crash_left_is_shown_and_can_be_removed(installation, creator):
    async def crash(database, work):
        raise SystemExit(9)

    async with subscriptions(installation, obstacle=crash) as managing:
        managing._take_back = nothing
        with pytest.raises(SystemExit):
            await managing.add(creator, EVENTS)
    (left,) = await found(installation, creator)
    assert (left.standing, left.events) == (Standing.SECRET_NOT_HELD, EVENTS)
    async with subscriptions(installation) as managing:
        assert (await managing.remove(left.id, creator)).value == "removed"
    assert await found(installation, creator) == []


async def nothing(*_):
    """In place of what a killed process does not come to."""
