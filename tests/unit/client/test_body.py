"""Bodies that can be sent twice, and those that can't."""

import pytest

from fankeep.client.body import collect


async def source(*pieces: bytes):
    for piece in pieces:
        yield piece


async def everything(body) -> bytes:
    return b"".join([piece async for piece in body.pieces()])


async def test_no_body_is_a_whole_body():
    body = await collect(None)
    assert (body.content, body.whole) == (b"", True)


@pytest.mark.parametrize("pieces", [(), (b"",), (b"12345",), (b"123", b"45")])
async def test_a_body_up_to_the_limit_is_kept_whole(pieces):
    body = await collect(source(*pieces), limit=5)
    assert body.whole
    assert await everything(body) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [(b"123456",), (b"123", b"456"), (b"123", b"456", b"789", b"0")])
async def test_a_longer_body_is_passed_on_complete_but_only_once(pieces):
    body = await collect(source(*pieces), limit=5)
    assert not body.whole
    assert await everything(body) == b"".join(pieces)


async def test_no_more_is_read_ahead_than_the_limit_needs():
    read = []

    async def counted():
        for number in range(100):
            read.append(number)
            yield b"123"

    body = await collect(counted(), limit=5)
    assert len(read) == 2
    assert len(body.content) == 6
