"""From a verified delivery to a committed row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.errors import VerificationError
from fankeep.fanvue import UNKNOWN, Event, VerifiedWebhook, event_type, parse_event
from fankeep.inbox.dropping import DroppedFields
from fankeep.inbox.group_commit import GroupCommit
from fankeep.inbox.identity import event_digest, event_id, fan_index, message_index
from fankeep.inbox.log import EventLog
from fankeep.inbox.metrics import STORED
from fankeep.inbox.payload import KeepLists, keep_payload
from fankeep.sealing import Mac
from fankeep.store.events import NewEvent
from fankeep.telemetry import alarm, get_logger

__all__ = ["TEST_EVENT", "Accepted", "Inbox"]

_log = get_logger("fankeep.inbox")

WRONG_SCOPE: Final = "wrong_scope"

TEST_EVENT: Final = "fankeep.test"
"""The type of the events with which fankeep tries its own way in: verified, stored, and never handed out."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A delivery that is stored for good.

    Attributes:
        event_id: 32 hex digits; the same for every repeat of the event.
        duplicate: the event was known before.
    """

    event_id: str
    duplicate: bool


class Inbox:
    """Accepts deliveries. Used from one event loop.

    Args:
        log: where events are kept.
        keys: seals what is personal and keys the digests.
        stored: called after new events that somebody handles were committed, to wake whoever does.
        wanted: whether anybody handles events of a type. Others are recorded and never handed out.
        keep: the fields of each type that are kept.
    """

    def __init__(
        self,
        log: EventLog,
        keys: DataKeys,
        *,
        stored: Callable[[], None],
        wanted: Callable[[str], bool] = lambda _: True,
        keep: KeepLists | None = None,
    ) -> None:
        self._keys = keys
        self._keep = keep or KeepLists()
        self._dropped = DroppedFields()
        self._wanted = wanted
        self._commits = GroupCommit(log, stored=stored)
        self._digests, self._fans, self._messages = (
            Mac(keys.installation.key(purpose)) for purpose in ("event-digest", "fan-index", "message-index")
        )

    async def accept(self, verified: VerifiedWebhook) -> Accepted:
        """Store the event unless it is known; return after the commit.

        A caller that is cancelled leaves the row on its way.

        Raises:
            VerificationError: the secret that signed it does not speak for the creator it is about.
            HostileInputError: the body is not JSON with one reading, or cannot be stored in any form.
            RetryableError: the database or the key service did not answer, or too much is waiting. The
                sender has to try again.
            StorageError: the database is damaged.

        Security:
            A 2xx is only right after this has returned.
        """
        event = parse_event(verified)
        if not verified.covers(event.creator):
            alarm("webhook_foreign_scope", matched=verified.secret_name)
            raise VerificationError(WRONG_SCOPE)
        digest = event_digest(self._digests, verified, event)
        commit = self._commits.join(digest)
        if commit is None:
            commit = self._commits.add(await self._row(verified, event, digest))
        duplicate = await commit
        if not duplicate:
            _stored(event.type)(1)
        return Accepted(event_id(digest), duplicate)

    async def close(self) -> None:
        """Wait until every delivery on its way is stored or refused."""
        await self._commits.close()

    async def _row(self, verified: VerifiedWebhook, event: Event, digest: bytes) -> NewEvent:
        type_name = _type(event)
        payload = await keep_payload(self._keys, event, event_id(digest), type_name, keep=self._keep)
        self._dropped.note(type_name, payload.dropped)
        return NewEvent(
            digest=digest,
            family=event.family,
            type=type_name,
            creator=event.creator,
            secret_name=verified.secret_name,
            occurred_at=event.occurred_at,
            payload=payload.sealed,
            fan_index=fan_index(self._fans, event) if payload.sealed else None,
            message_index=message_index(self._messages, event) if payload.sealed else None,
            dropped=" ".join(payload.dropped),
            wanted=type_name != TEST_EVENT and self._wanted(type_name),
            deletes=event_type(type_name).deletes_message,
        )


@cache
def _stored(type_name: str) -> Callable[[float], None]:
    return STORED.adding(type=type_name)


def _type(event: Event) -> str:
    """Name the kind; one that is not in the catalogue by the plain name it gives itself, if it has one.

    An envelope that claims a name of the catalogue without being of that kind stays unknown, so that no
    handler takes it for the real thing.
    """
    if event.family != UNKNOWN.family:
        return event.type
    declared = event.declared_type
    _log.info("event_type_unknown", type=declared)
    return declared if declared and event_type(declared) is UNKNOWN else UNKNOWN.name
