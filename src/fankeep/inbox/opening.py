"""From a claimed row to what whoever handles it gets."""

from __future__ import annotations

from fankeep.datakeys import DataKeys, KeyGone
from fankeep.inbox.handlers import ReceivedEvent
from fankeep.inbox.identity import event_id
from fankeep.inbox.payload import open_payload
from fankeep.policy import Json
from fankeep.store.events import ClaimedEvent

__all__ = ["received"]


async def received(keys: DataKeys, claimed: ClaimedEvent) -> ReceivedEvent:
    """Open what was kept of an event.

    Raises:
        SealError: it does not open.
        RetryableError: the key service or the key database did not answer.
    """
    return ReceivedEvent(
        id=event_id(claimed.digest),
        type=claimed.type,
        family=claimed.family,
        creator=claimed.creator,
        occurred_at=claimed.occurred_at,
        received_at=claimed.received_at,
        data=await _data(keys, claimed),
        attempt=claimed.attempts,
        replayed=claimed.replays > 0,
    )


async def _data(keys: DataKeys, claimed: ClaimedEvent) -> dict[str, Json]:
    if claimed.payload is None or claimed.creator is None:
        return {}
    try:
        return await open_payload(
            keys,
            claimed.creator,
            event_id(claimed.digest),
            claimed.payload,
            family=claimed.family,
            type_name=claimed.type,
        )
    except KeyGone:  # erased since: the event stays, what was personal does not
        return {}
