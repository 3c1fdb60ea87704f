"""A delivery of our own, to see whether the way in works."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from fankeep.errors import TransportError
from fankeep.fanvue.signature import SIGNATURE_HEADER, sign_webhook
from fankeep.fanvue.webhook_secrets import Reading, WebhookSecret
from fankeep.inbox import TEST_EVENT
from fankeep.transport import Transport
from fankeep.types import HttpRequest

__all__ = ["Probe", "ProbeResult"]

_SECONDS: Final = 15.0
_CREATOR: Final = "creator:"
_GOOD: Final = range(200, 300)
_REDIRECTED: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came back.

    Attributes:
        status: of the answer, or None when there was none.
        error: a code for what went wrong, or None.
    """

    url: str
    status: int | None
    error: str | None


class Probe:
    """Sends sample events, signed as Fanvue would sign them with the same secret."""

    def __init__(self, transport: Transport, reading: Reading) -> None:
        self._transport = transport
        self._reading = reading

    async def send(self, url: str, secret: WebhookSecret) -> ProbeResult:
        """Send one sample event.

        Args:
            url: the address that Fanvue would use.
            secret: signs it; the event is about the creator for whom it speaks.
        """
        body = _sample(secret)
        signature = sign_webhook(body, secret, timestamp=int(time.time()), reading=self._reading)
        headers = {"content-type": "application/json", SIGNATURE_HEADER: signature}
        try:
            answer = await self._transport.send(HttpRequest("POST", url, headers, body), timeout=_SECONDS)
        except TransportError:
            return ProbeResult(url, None, "no_answer")
        return ProbeResult(url, answer.status, _complaint(answer.status, answer.body))


def _sample(secret: WebhookSecret) -> bytes:
    data: dict[str, object] = {"object": "test"}
    if secret.scope.startswith(_CREATOR):
        data["creator"] = {"uuid": secret.scope.removeprefix(_CREATOR)}
    return msgspec.json.encode(
        {
            "id": f"evt_fankeep_test_{secrets.token_hex(16)}",
            "type": TEST_EVENT,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": data,
        }
    )


def _complaint(status: int, body: bytes) -> str | None:
    if status in _GOOD:
        return None if body == b'{"status": "stored"}' else "not_fankeep"
    return "redirected" if status in _REDIRECTED else "refused"
