"""Events that never came as a webhook: which those are, and storing them all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.fanvue import EVENT_TYPES, Event, event_type
from fankeep.inbox.identity import DIGEST_BYTES, event_id, fan_index, message_index
from fankeep.inbox.payload import KeepLists, keep_payload
from fankeep.sealing import Mac
from fankeep.store import Database, Transaction, events, reconciling
from fankeep.store.events import NewEvent
from fankeep.store.reconciling import RECONCILED
from fankeep.types import UserId

__all__ = ["Filling"]


class Filling:
    """Knows what came about messages, and stores what did not.

    Args:
        database: where events are kept.
        keys: seals what is personal and keys the digests.
        stored: called after something was stored, to wake whoever handles it.
        wanted: whether anybody handles events of a type.
        keep: the fields of each type that are kept.
    """

    def __init__(
        self,
        database: Database,
        keys: DataKeys,
        *,
        stored: Callable[[], None] = lambda: None,
        wanted: Callable[[str], bool] = lambda _: True,
        keep: KeepLists | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._stored = stored
        self._wanted = wanted
        self._keep = keep or KeepLists()
        self._digests: Final = Mac(keys.installation.key("event-digest"))
        self._fans: Final = Mac(keys.installation.key("fan-index"))
        self._messages: Final = Mac(keys.installation.key("message-index"))

    async def missing(self, found: Sequence[Event]) -> list[Event]:
        """Return those events about messages which no webhook has told of.

        What a fan wrote before being erased here is not missing: it is not to come back.

        Args:
            found: of one type; each names its message and its creator.

        Raises:
            StorageError: the database did not answer.
        """
        if not found:
            return []
        indexes = [self._index(event) for event in found]
        types = _told_by(found[0].type)
        known = await self._database.read(lambda tx: reconciling.known_messages(tx, indexes, types=types))
        new = [event for event, index in zip(found, indexes, strict=True) if index not in known]
        return [event for event in new if not await self._erased(event)]

    async def hears(self, creator: UserId, type_name: str) -> bool:
        """Whether a webhook has ever told of such an event for the creator.

        Raises:
            StorageError: the database did not answer.
        """
        types = list(_same_as(type_name))
        return await self._database.read(lambda tx: reconciling.heard(tx, creator, types=types))

    async def fill(self, missing: Sequence[Event]) -> int:
        """Store events about messages; return how many were still missing.

        A delivery of the same event that comes later is kept as a shadow, without an effect.

        Args:
            missing: of one type.

        Raises:
            RetryableError: the database or the key service did not answer; nothing was stored.
        """
        if not missing:
            return 0
        rows = {self._index(event): await self._row(event) for event in missing}
        types = _told_by(missing[0].type)

        async def work(tx: Transaction) -> int:
            known = await reconciling.known_messages(tx, list(rows), types=types)
            new = {index: row for index, row in rows.items() if index not in known}
            if not new:
                return 0
            before = await events.insert(tx, sorted(new.values()))
            told = sorted((index, name) for index in new for name in _same_as(missing[0].type))
            await reconciling.note_filled(tx, told)
            return len(new) - len(before)

        filled = await self._database.write(work, deliveries="held_up")
        if filled:
            self._stored()
        return filled

    async def _erased(self, event: Event) -> bool:
        fan = fan_index(self._fans, event)
        if fan is None:
            return False
        gone = await self._keys.ledger.gone("fan", [fan.hex()], since=event.occurred_at or 0.0)
        return bool(gone)

    def _index(self, event: Event) -> bytes:
        index = message_index(self._messages, event)
        if index is None:
            raise ValueError("an event that is filled in names its message and its creator")
        return index

    async def _row(self, event: Event) -> NewEvent:
        # The same message read twice is the same event.
        identity = self._digests(RECONCILED, event.type, event.creator, event.message_uuid)
        digest = identity[:DIGEST_BYTES]
        payload = await keep_payload(self._keys, event, event_id(digest), event.type, keep=self._keep)
        return NewEvent(
            digest=digest,
            family=event.family,
            type=event.type,
            creator=event.creator,
            secret_name=RECONCILED,
            occurred_at=event.occurred_at,
            payload=payload.sealed,
            fan_index=fan_index(self._fans, event) if payload.sealed else None,
            message_index=self._index(event) if payload.sealed else None,
            dropped=" ".join(payload.dropped),
            wanted=self._wanted(event.type),
        )


def _same_as(type_name: str) -> frozenset[str]:
    """The types that tell the same: the event itself and its twins."""
    return frozenset({type_name, *event_type(type_name).twins})


def _told_by(type_name: str) -> frozenset[str]:
    """The types by which somebody can know of the event: those that tell it, and what takes it back."""
    return _same_as(type_name) | {name for name, other in EVENT_TYPES.items() if other.deletes_message}
