"""Genuine deliveries, made ahead of time: distinct events, each signed the way Fanvue signs.

The signature is computed here from the documentation, not by fankeep's own code.
"""

from __future__ import annotations

import hmac
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["PATH", "Delivery", "deliveries"]

PATH = "/webhooks/fanvue"

_FANS = 500
_TOPIC = "creator.message.received"
_EVENT, _MESSAGE, _FAN = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
_HEAD = (
    f"POST {PATH} HTTP/1.1\r\nhost: localhost:%d\r\nuser-agent: bench\r\ncontent-type: application/json\r\n"
    f"x-fanvue-topic: {_TOPIC}\r\nx-fanvue-event-id: %s\r\nx-fanvue-signature: t=%d,v0=%s\r\n"
    "content-length: %d\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it goes over the wire.

    Attributes:
        event: tells apart what is a repeat and what is not.
    """

    event: str
    request: bytes


def deliveries(*, secret: str, creator: str, port: int, now: float) -> Iterator[Delivery]:
    """Give distinct deliveries without an end.

    Args:
        secret: the signing secret as displayed.
        creator: whose messages they are.
        port: of the receiver, for the ``Host`` header.
        now: seconds since 1970; stands in every signature.
    """
    numbers = random.Random(now)
    fans = [str(uuid.UUID(int=numbers.getrandbits(128), version=4)) for _ in range(_FANS)]
    before, between, after, end = _parts(creator, now)
    signed_time = int(now)
    key, signed_head = secret.encode(), b"%d." % signed_time
    while True:
        event, message = (str(uuid.UUID(int=numbers.getrandbits(128), version=4)) for _ in range(2))
        pieces = (before, event, between, message, after, numbers.choice(fans), end)
        body = "".join(pieces).encode()
        signature = hmac.digest(key, signed_head + body, "sha256").hex()
        head = _HEAD % (port, event, signed_time, signature, len(body))
        yield Delivery(event, head.encode() + body)


def _parts(creator: str, now: float) -> list[str]:
    """A received message, cut where the identifiers stand; compact, as ``JSON.stringify`` writes it."""
    time = f"2026-11-07T10:{int(now) // 60 % 60:02}:{int(now) % 60:02}.123Z"
    envelope = {
        "id": _EVENT,
        "type": _TOPIC,
        "timestamp": time,
        "data": {
            "object": "message",
            "uuid": _MESSAGE,
            "sender": "fan",
            "created_at": time,
            "deleted_at": None,
            "is_muted": False,
            "is_automated": False,
            "message_type": "SINGLE_RECIPIENT",
            "media_uuids": [],
            "fan": {"uuid": _FAN, "handle": "night-owl-42", "display_name": "Night Owl", "avatar_url": None},
            "creator": {"uuid": creator},
            "text": "hey, loved the new set ❤️ when is the next one?",
        },
    }
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    pieces: list[str] = []
    for mark in (_EVENT, _MESSAGE, _FAN):
        piece, text = text.split(mark)
        pieces.append(piece)
    return [*pieces, text]
