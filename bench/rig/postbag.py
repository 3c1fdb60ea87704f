"""What Fanvue sends in the benchmark of deliveries: distinct events of two kinds, signed anew for every try.

The signature is computed here from the documentation, not by fankeep's own code.
"""

from __future__ import annotations

import hmac
import json
import time
import uuid
from dataclasses import dataclass

__all__ = ["PLAIN", "TWO_PHASE", "Letter", "letters"]

TWO_PHASE = "creator.message.received"
PLAIN = "creator.message.sent"
"""Each kind of event has a handler of one kind."""

_PATH = "/webhooks/fanvue"


@dataclass(frozen=True, slots=True)
class Letter:
    """One event.

    Attributes:
        message: the uuid of its message, by which its effect is known.
        kind: ``TWO_PHASE`` or ``PLAIN``.
    """

    message: str
    kind: str
    body: bytes

    def request(self, host: str, secret: str) -> bytes:
        """Sign it now, as it goes over the wire."""
        signed_time = int(time.time())
        signature = hmac.digest(secret.encode(), b"%d." % signed_time + self.body, "sha256").hex()
        return (
            f"POST {_PATH} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"x-fanvue-signature: t={signed_time},v0={signature}\r\ncontent-length: {len(self.body)}\r\n\r\n"
        ).encode() + self.body


def letters(count: int, creator: str) -> list[Letter]:
    """Make so many events of a creator, every second one of each kind."""
    return [_letter(creator, PLAIN if number % 2 else TWO_PHASE) for number in range(count)]


def _letter(creator: str, kind: str) -> Letter:
    message = str(uuid.uuid4())
    envelope = {
        "id": str(uuid.uuid4()),
        "type": kind,
        "timestamp": "2026-11-07T10:04:05.123Z",
        "data": {
            "object": "message",
            "uuid": message,
            "created_at": "2026-11-07T10:04:05.123Z",
            "fan": {"uuid": str(uuid.uuid4()), "handle": "night-owl-42", "display_name": "Night Owl"},
            "creator": {"uuid": creator},
            "text": "hey, loved the new set ❤️ when is the next one?",
        },
    }
    return Letter(message, kind, json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode())
