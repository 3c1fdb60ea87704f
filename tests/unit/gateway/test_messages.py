import asyncio
from contextlib import asynccontextmanager

import pytest

from fankeep.errors import HostileInputError
from fankeep.gateway import messages
from fankeep.gateway.messages import IncomingBody, has_body, header_texts, header_values, one_header, raw_path
from fankeep.gateway.refusals import BodyTooLarge, BodyTooSlow, ClientGone


def scope(*headers, **more):
    return {"type": "http", "headers": list(headers), "path": "/a b", **more}


def receiver(*messages):
    left = list(messages)

    async def receive():
        if not left:
            await asyncio.sleep(60)
        return left.pop(0)

    return receive


def piece(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def incoming(given, *messages, limit=10):
    return IncomingBody(given, receiver(*messages), limit=limit, seconds=0.05)


def test_the_path_is_taken_as_it_was_sent():
    assert raw_path(scope(raw_path=b"/a%20b")) == b"/a%20b"
    assert raw_path(scope(raw_path=b"/a%20b?c=d")) == b"/a%20b"
    assert raw_path(scope()) == b"/a b"


def test_headers_are_found_by_name_with_every_value():
    given = scope((b"a", b"1"), (b"b", b"\xff"), (b"a", b"2"))
    assert header_values(given, b"a") == [b"1", b"2"]
    assert header_texts(given, b"b") == ["\xff"]
    assert one_header(given, b"b") == b"\xff"
    assert one_header(given, b"c") is None
    with pytest.raises(HostileInputError):
        one_header(given, b"a")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"5")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_is_announced_by_length_or_coding(headers, expected):
    assert has_body(scope(*headers)) is expected


async def test_a_body_comes_in_pieces_up_to_the_limit():
    body = incoming(scope(), piece(b"12345", more=True), piece(b"", more=True), piece(b"67890"))
    assert [chunk async for chunk in body.chunks()] == [b"12345", b"67890"]
    assert body.ended


async def test_one_byte_too_many_is_refused():
    with pytest.raises(BodyTooLarge):
        await incoming(scope(), piece(b"12345", more=True), piece(b"678901")).read()


@pytest.mark.parametrize("length", [b"11", b"9" * 16, b"-1", b"+1", b"1e1", b"", b"\xb2"])
async def test_a_length_that_is_too_large_or_no_length_is_refused_before_reading(length):
    with pytest.raises(BodyTooLarge):
        await incoming(scope((b"content-length", length)), piece(b"1")).read()


def trickle(size, pause, *, sleep=asyncio.sleep):
    """Endless pieces of this size, each after this many seconds."""

    async def receive():
        await sleep(pause)
        return piece(b"x" * size, more=True)

    return receive


class Clock:
    """Time that passes only when it is told to, so that a slow machine makes nothing late."""

    def __init__(self):
        self._now = 0.0

    def monotonic(self):
        return self._now

    async def sleep(self, seconds):
        self._now += seconds

    @asynccontextmanager
    async def timeout(self, seconds):
        until = self._now + seconds
        yield
        if self._now > until:
            raise TimeoutError


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(messages, "time", clock)
    return clock


def timed(clock, receive):
    return IncomingBody(scope(), receive, limit=1 << 20, seconds=0.05, timeout=clock.timeout)


async def test_a_body_that_trickles_is_refused_in_time_although_no_piece_is_late():
    body = IncomingBody(scope(), trickle(1, 0.02), limit=1 << 20, seconds=0.05)
    async with asyncio.timeout(30):
        with pytest.raises(BodyTooSlow):
            await body.read()


async def test_a_body_that_comes_fast_enough_on_the_whole_may_take_its_time(clock):
    chunks = timed(clock, trickle(1024, 0.02, sleep=clock.sleep)).chunks()
    for _ in range(10):
        assert await anext(chunks) == b"x" * 1024


async def test_time_that_the_reader_takes_is_not_held_against_the_client(clock):
    chunks = timed(clock, trickle(1, 0.0)).chunks()
    for _ in range(4):
        assert await anext(chunks) == b"x"
        await clock.sleep(0.05)


async def test_a_body_that_stops_is_refused_in_time():
    with pytest.raises(BodyTooSlow):
        await incoming(scope(), piece(b"1", more=True)).read()


async def test_a_client_who_leaves_is_noticed():
    body = incoming(scope(), piece(b"1", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await body.read()
    assert body.ended
