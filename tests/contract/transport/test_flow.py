"""A flow asks, a driver carries; both drivers over the same real server."""

import asyncio
import inspect

import pytest

from fankeep.errors import ProviderError, TransportError
from fankeep.transport import NotSent, drive, drive_sync
from fankeep.types import HttpRequest


def echo_twice(origin: str):
    first = yield HttpRequest("POST", origin + "/echo", {}, b"a")
    second = yield HttpRequest("POST", origin + "/echo", {}, first.body + b"b")
    return second.body


async def test_a_flow_gets_its_answers_and_its_result_comes_back(server, transport):
    assert await drive(echo_twice(server.origin), transport, timeout=30) == b"ab"


async def test_the_same_flow_runs_without_an_event_loop(server, transport):
    result = await asyncio.to_thread(drive_sync, echo_twice(server.origin), transport, timeout=30)
    assert result == b"ab"


async def test_a_flow_may_answer_a_lost_connection_itself(server, transport):
    lost = []

    def flow():
        try:
            yield HttpRequest("POST", server.origin + "/fin", {}, b"a")
        except TransportError as error:
            lost.append(error.outcome_unknown)
        answer = yield HttpRequest("GET", server.origin + "/ok")
        return answer.status

    assert await drive(flow(), transport, timeout=30) == 200
    assert lost == [True]


@pytest.mark.parametrize("path", ["/fin", "/ok"])
async def test_whatever_a_flow_raises_comes_out_and_the_flow_is_closed(server, transport, path):
    closed = []

    def flow():
        try:
            yield HttpRequest("GET", server.origin + path)
            raise ProviderError
        finally:
            closed.append(True)

    with pytest.raises((ProviderError, TransportError)):
        await drive(flow(), transport, timeout=30)
    assert closed == [True]


async def test_a_cancelled_driver_closes_its_flow(server, transport):
    def waiting():
        yield HttpRequest("GET", server.origin + "/silent")

    flow = waiting()
    driver = asyncio.create_task(drive(flow, transport, timeout=1))
    await asyncio.sleep(0.1)
    driver.cancel()
    await asyncio.gather(driver, return_exceptions=True)
    assert inspect.getgeneratorstate(flow) == inspect.GEN_CLOSED


async def test_a_flow_that_needs_no_request_gives_its_result_at_once(transport):
    def flow():
        return 7
        yield

    assert await drive(flow(), transport, timeout=30) == 7


async def test_the_guard_is_asked_for_every_request_with_a_body(server, transport):
    asked = []

    def guard():
        asked.append(len(server.requests))
        if len(asked) == 2:
            raise NotSent

    with pytest.raises(TransportError) as caught:
        await drive(echo_twice(server.origin), transport, timeout=30, guard=guard)
    assert caught.value.outcome_unknown is False
    assert len(asked) == 2
