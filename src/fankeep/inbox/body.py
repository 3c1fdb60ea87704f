"""The one form in which an event leaves for an app in any language, sent or fetched."""

from __future__ import annotations

from datetime import UTC, datetime

from fankeep.fanvue.times import is_writable
from fankeep.inbox.handlers import ReceivedEvent

__all__ = ["event_body"]


def event_body(event: ReceivedEvent) -> dict[str, object]:
    """Write an event as a JSON object.

    It has ``id``, ``type``, ``timestamp`` (ISO 8601, when the event happened, or came if it does not say),
    ``family``, ``creator``, ``replayed`` and ``data`` with the fields that were kept.
    """
    happened = event.occurred_at
    if happened is None or not is_writable(happened):  # the latter is in rows that somebody has written to
        happened = event.received_at
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": datetime.fromtimestamp(happened, UTC).isoformat().replace("+00:00", "Z"),
        "family": event.family,
        "creator": event.creator,
        "replayed": event.replayed,
        "data": event.data,
    }
