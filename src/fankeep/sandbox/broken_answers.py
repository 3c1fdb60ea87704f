"""Answers that break on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from fankeep.sandbox.faults import Fault, FaultKind, Target
from fankeep.sandbox.http import json_answer
from fankeep.sandbox.journal import Entry
from fankeep.sandbox.rate_limit import exhausted
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["SilentResponse", "TruncatedResponse", "spoil"]

_FIREWALL_PAGE = (
    "<!doctype html><title>Attention Required</title><h1>Sorry, you have been blocked</h1>"
    "<p>You are unable to access this site.</p>"
)
_RACE_HINT = (
    "Failed to refresh token because of multiple concurrent requests using the same token which is not"
    " allowed."
)


class TruncatedResponse(Response):
    """Promises the whole body and closes the connection in the middle of it."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, and leave it at that."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class SilentResponse(Response):
    """Says nothing until the other side gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the other side."""
        del scope, send
        while (await receive())["type"] != "http.disconnect":
            pass


def _status(fault: Fault, sandbox: Sandbox) -> Response:
    """A proxy's plain text at the token endpoint, Fanvue's JSON at the API."""
    headers = {"retry-after": str(int(fault.seconds))} if fault.status in (429, 503) else {}
    if fault.target is not Target.API:
        return Response("upstream error", fault.status, headers, media_type="text/plain")
    if fault.status == 429:
        allowance = exhausted(sandbox.settings.rate_limit, wait=fault.seconds, now=sandbox.clock.told())
        headers = allowance.headers
    return json_answer({"error": _phrase(fault.status)}, fault.status, headers)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a status that has no name, such as 520
        return "Unknown Error"


async def spoil(fault: Fault, answer: Response, entry: Entry, sandbox: Sandbox) -> Response:
    """Turn the answer into what the fault makes of it.

    Args:
        fault: what goes wrong.
        answer: what would have been answered.
        entry: its journal entry, which is told about the fault.
        sandbox: where held answers wait, and what else the fault needs to know.
    """
    entry.note(fault=fault.kind.value, fault_moment=fault.moment.value)
    match fault.kind:
        case FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        case FaultKind.HELD:
            await sandbox.faults.hold(entry.number)
        case _:
            return _broken(fault, answer, sandbox)
    return answer


def _broken(fault: Fault, answer: Response, sandbox: Sandbox) -> Response:
    makers: dict[FaultKind, Callable[[], Response]] = {
        FaultKind.STATUS: lambda: _status(fault, sandbox),
        FaultKind.FIREWALL: lambda: HTMLResponse(_FIREWALL_PAGE, 403),
        FaultKind.TRUNCATED: lambda: TruncatedResponse(answer),
        FaultKind.MALFORMED: lambda: Response(b'{"access_token": ', media_type="application/json"),
        FaultKind.LOST: lambda: SilentResponse(status_code=0),
        FaultKind.RACE: _race,
    }
    return makers[fault.kind]()


def _race() -> Response:
    refusal = Refusal(RefusalKind.INVALID_REQUEST, _RACE_HINT)
    return json_answer(refusal.fields, refusal.kind.status)
