"""The two drivers for exchanges of several round trips.

A flow asks for one request after the other and decides itself what an answer, or the lack of one, means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fankeep.errors import TransportError
from fankeep.transport.transport import Transport
from fankeep.types import Flow, HttpRequest, HttpResponse

__all__ = ["drive", "drive_sync"]

T = TypeVar("T")


async def drive(
    flow: Flow[T],
    transport: Transport,
    *,
    timeout: float,  # noqa: ASYNC109  - the limit of each round trip, as in Transport.send
    guard: Callable[[], None] | None = None,
) -> T:
    """Run a flow to its end.

    Args:
        flow: a generator that has not been started; it is closed in every case.
        transport: what carries its requests.
        timeout: seconds for each of its round trips.
        guard: asked before each request that has a body leaves, as in ``Transport.send``.

    Returns:
        What the flow returns.

    Raises:
        TransportError: raised inside the flow where it waits for the answer; it may turn it into something
            else, repeat the request, or let it pass.
    """
    try:
        request = next(flow)
        while True:
            outcome = await _answer(transport, request, timeout, guard)
            request = flow.throw(outcome) if isinstance(outcome, TransportError) else flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


def drive_sync(flow: Flow[T], transport: Transport, *, timeout: float) -> T:
    """Run a flow to its end from code without an event loop; see ``drive``.

    Raises:
        RuntimeError: called while an event loop runs in this thread.
    """
    return asyncio.run(drive(flow, transport, timeout=timeout))


async def _answer(
    transport: Transport, request: HttpRequest, seconds: float, guard: Callable[[], None] | None
) -> HttpResponse | TransportError:
    """Give the error as a value: a StopIteration of the flow could not pass through a coroutine."""
    try:
        return await transport.send(request, timeout=seconds, guard=guard if request.body else None)
    except TransportError as error:
        return error
