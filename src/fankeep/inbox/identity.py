"""Which deliveries are the same event: keyed digests of what was signed."""

from __future__ import annotations

from typing import Final

from fankeep.fanvue import Event, VerifiedWebhook
from fankeep.sealing import Mac
from fankeep.types import UserId

__all__ = ["DIGEST_BYTES", "event_digest", "event_id", "fan_index", "index_of_fan", "message_index"]

DIGEST_BYTES: Final = 16

# A flat body has no id of its own. A received message happens once, so its uuid is one; a message can be
# tipped or bought twice, so for every other kind the body itself is.
_ONCE_PER_MESSAGE: Final = frozenset({"message.received"})


def event_digest(mac: Mac, verified: VerifiedWebhook, event: Event) -> bytes:
    """Compute the 16 bytes by which a repeated delivery is known.

    Args:
        mac: under a key of the installation; without it nobody can tell from the stored digests what was
            delivered.
        verified: the delivery.
        event: the same delivery, parsed.

    Security:
        Only signed bytes go in, and the scope of the secret that signed them: nothing that an outsider
        or another creator's subscription sends can make a genuine event look like a repeat.
    """
    if event.id is not None:
        identity: tuple[str | bytes, ...] = ("id", event.id)
    elif event.message_uuid is not None and event.type in _ONCE_PER_MESSAGE:
        identity = ("message", event.type, event.message_uuid)
    else:
        identity = ("body", verified.body)
    return mac(event.family, verified.scope, *identity)[:DIGEST_BYTES]


def event_id(digest: bytes) -> str:
    """Write a digest as the id that handlers see: 32 hex digits, the same for every repeat."""
    return digest.hex()


def fan_index(mac: Mac, event: Event) -> bytes | None:
    """Compute the blind index by which one fan's events are found for export and erasure.

    It differs from creator to creator, so that stored rows don't show which creators share a fan.
    """
    return None if event.fan is None else index_of_fan(mac, event.creator, event.fan)


def index_of_fan(mac: Mac, creator: UserId | None, fan: str) -> bytes:
    """Compute the index of a fan who is known by name."""
    return mac(creator, fan)[:DIGEST_BYTES]


def message_index(mac: Mac, event: Event) -> bytes | None:
    """Compute the blind index by which the events about one message are found, in whatever family they came.

    None when the body names no message, or no creator whose message it is.
    """
    if event.message_uuid is None or event.creator is None:
        return None
    return mac(event.creator, event.message_uuid)[:DIGEST_BYTES]
