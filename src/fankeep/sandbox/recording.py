"""Writes every request into the journal around its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from fankeep.sandbox.faults import Target
from fankeep.sandbox.http import BodyTooLarge, json_answer
from fankeep.sandbox.journal import Entry, Kind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["Handler", "Recorded", "recorded"]

Handler: TypeAlias = Callable[[Request, Entry], Awaitable[Response]]
Recorded: TypeAlias = Callable[[Request], Awaitable[Response]]


def recorded(sandbox: Sandbox, kind: Kind, route: str, handler: Handler) -> Recorded:
    """Give a handler a journal entry, and the entry its outcome.

    Args:
        sandbox: whose journal it is; incidents that wait for any request strike before the handler.
        kind: what the requests are for.
        route: the path template that the entry shows.
        handler: answers the request and may add notes to the entry.
    """

    async def endpoint(request: Request) -> Response:
        entry = sandbox.journal.begin(kind, request.method, route, at=sandbox.now())
        sandbox.befall(Target.ANY, None, entry)
        try:
            answer = await handler(request, entry)
        except BodyTooLarge:
            answer = json_answer({"error": "payload_too_large"}, 413)
        except ClientDisconnect:
            entry.outcome = "client_left"
            answer = Response(status_code=400)  # nobody reads it
        except BaseException:
            entry.outcome = "failed"
            entry.finish(500, at=sandbox.now())
            raise
        entry.finish(answer.status_code, at=sandbox.now())
        return answer

    return endpoint
