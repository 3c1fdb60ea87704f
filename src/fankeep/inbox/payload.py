"""What is kept of an event: the listed fields, sealed as one blob under the creator's data key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from fankeep.datakeys import DataKeys, NoKey
from fankeep.errors import SealError
from fankeep.fanvue import Event, event_type
from fankeep.inbox.persons import second_persons
from fankeep.policy import Json, KeepList, minimise
from fankeep.sealing import Context
from fankeep.telemetry import alarm
from fankeep.types import UserId

__all__ = ["KeepLists", "KeptPayload", "keep_payload", "open_payload"]

_TABLE: Final = "events"
_FIELD: Final = "payload"
_MOST: Final = 65_536
"""Bytes of the kept fields. The limit of a body is no bound, since ``1e15`` is written as 1000000000000000.0;
and up to 500 events are in memory at once."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[dict[str, Json]] = msgspec.json.Decoder(dict)


class KeptPayload(NamedTuple):
    """The sealed fields and the names of those not kept.

    Nothing is sealed of a creator who never connected, or was erased.
    """

    sealed: bytes | None
    dropped: tuple[str, ...]


class KeepLists:
    """The kept fields of each type of event: those that are not personal, and those that were opted in.

    Args:
        opted_in: paths by type, as ``opted_in`` of ``fankeep.fanvue.opt_ins`` returns them.
    """

    def __init__(self, opted_in: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> None:
        self._opted_in = opted_in
        self._lists: dict[str, KeepList] = {}

    def of(self, type_name: str) -> KeepList:
        """Return the list of one type; one that is not in the catalogue has nothing on it."""
        found = self._lists.get(type_name)
        if found is None:
            more = (path.replace("[]", "") for path in self._opted_in.get(type_name, ()))
            found = self._lists[type_name] = KeepList((*event_type(type_name).kept, *more))
        return found


_BY_DEFAULT: Final = KeepLists()
_NOTHING: Final = KeepList(())


async def keep_payload(
    keys: DataKeys, event: Event, event_id: str, type_name: str, *, keep: KeepLists = _BY_DEFAULT
) -> KeptPayload:
    """Minimise by the manifest of the event's type, then seal.

    Somebody in it who is neither the creator nor the fan under whose index it is found is not kept, nor is
    any field when they take more than 64 KiB together: then there is an alarm.

    Args:
        keys: of the creators.
        event: with everything that came.
        event_id: of the row.
        type_name: under which the row is stored and handed out.
        keep: the fields of each type that are kept.

    Raises:
        RetryableError: the key service or the key database did not answer.
    """
    listed = keep.of(event.type)
    others = second_persons(event)
    kept = minimise(event.data, listed.without(others) if others else listed)
    if event.creator is None:
        return KeptPayload(None, kept.dropped)
    encoded = _encoder.encode(kept.kept)
    size = len(encoded)
    if size > _MOST:
        kept = minimise(event.data, _NOTHING)
        encoded = _encoder.encode(kept.kept)
    context = _context(keys, event.creator, event_id, event.family, type_name)
    try:
        sealed = await keys.seal(context, encoded)
    except NoKey:  # never connected, or erased
        return KeptPayload(None, kept.dropped)
    except SealError:  # the stored key is damaged: the event is kept all the same, and somebody must look
        alarm("seal_failure", table=_TABLE, creator=event.creator)
        return KeptPayload(None, kept.dropped)
    if size > _MOST:
        alarm("payload_too_large", event_id=event_id, type=type_name, creator=event.creator, bytes=size)
    return KeptPayload(sealed, kept.dropped)


async def open_payload(
    keys: DataKeys, creator: UserId, event_id: str, sealed: bytes, *, family: str, type_name: str
) -> dict[str, Json]:
    """Open what ``keep_payload`` sealed, in a row that says the same about it.

    Raises:
        SealError: it does not open, or the creator was erased.
        RetryableError: the key service or the key database did not answer.
    """
    plaintext = await keys.open(_context(keys, creator, event_id, family, type_name), sealed)
    return _decoder.decode(plaintext)


def _context(keys: DataKeys, creator: UserId, event_id: str, family: str, type_name: str) -> Context:
    """Name the place of a payload. The type is part of it: relabelled, a message is not taken for a tip."""
    field = f"{_FIELD}/{family}/{type_name}"
    return keys.context(user=creator, table=_TABLE, record=event_id, field=field)
