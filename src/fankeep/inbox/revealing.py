"""Opening an event for an operator's eyes: never without a line on the trail."""

from __future__ import annotations

from typing import Final

from fankeep.datakeys import DataKeys, KeyGone
from fankeep.inbox.identity import event_id
from fankeep.inbox.payload import open_payload
from fankeep.policy import Json
from fankeep.store import Database, Transaction, event_queries, trail
from fankeep.store.event_queries import StoredEvent

__all__ = ["reveal"]

_ACTION: Final = "event_payload_shown"


async def reveal(database: Database, keys: DataKeys, event: StoredEvent, *, actor: str) -> dict[str, Json]:
    """Open the fields that were kept of an event; none when they are gone.

    Args:
        database: where the event is.
        keys: open it.
        event: as it was read.
        actor: who looks.

    Raises:
        SealError: they do not open.
        RetryableError: the database or the key service did not answer.
    """
    identifier = event_id(event.digest)

    async def work(tx: Transaction) -> bytes | None:
        await trail.note(tx, actor=actor, action=_ACTION, subject=identifier, outcome="shown")
        return await event_queries.payload(tx, event.digest)

    sealed = await database.write(work)
    if sealed is None or event.creator is None:
        return {}
    try:
        return await open_payload(
            keys, event.creator, identifier, sealed, family=event.family, type_name=event.type
        )
    except KeyGone:  # erased since
        return {}
