"""The statements of an operator who looks at stored events, or has many of them handled again.

A filter fits any number of rows among millions, so every statement looks at a stretch of the sequence and no
further: whoever asks goes from one stretch to the next. Dead letters have an index of their own and are one
stretch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, LiteralString, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.events import REPLAYED, State
from fankeep.store.statement import Rows, SqlValue, Statement
from fankeep.types import UserId

__all__ = [
    "ANY",
    "Counted",
    "EventFilter",
    "StoredEvent",
    "among",
    "count",
    "following",
    "last_seq",
    "load",
    "page",
    "payload",
    "replay_some",
    "stretches",
]


class StoredEvent(NamedTuple):
    """A row as an operator may see it: everything but the payload and who holds the claim.

    Attributes:
        digest: in hex it is the event's id.
        occurred_at: seconds since 1970, as the sender says; the other times are by the database's clock.
        due_in: seconds until it may be taken; of a claimed one, until the claim ends.
        claimed: 1 while somebody is handling it.
        payload: 1 while the fields that were kept are there.
        dropped: names of the fields that were not kept, parted by spaces.
    """

    seq: int
    digest: bytes
    family: str
    type: str
    creator: UserId | None
    secret_name: str
    occurred_at: float | None
    received_at: float
    handled_at: float | None
    state: State
    reason: str | None
    attempts: int
    replays: int
    due_in: float
    claimed: int
    payload: int
    dropped: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant; what is None does not matter.

    Attributes:
        type: a name, or with ``*`` for any characters.
        since: seconds since 1970; received then or later.
        until: received before then.
    """

    type: str | None = None
    creator: UserId | None = None
    state: State | None = None
    since: float | None = None
    until: float | None = None
    reason: str | None = None
    secret_name: str | None = None

    def matches(self, event: StoredEvent) -> bool:
        """Whether an event that was read already is meant."""
        return all(
            (
                self.type is None or _as_pattern(self.type).fullmatch(event.type) is not None,
                self.creator in (None, event.creator),
                self.state in (None, event.state),
                self.reason in (None, event.reason),
                self.secret_name in (None, event.secret_name),
                event.received_at >= (self.since or -math.inf),
                event.received_at < (self.until or math.inf),
            )
        )


ANY: Final = EventFilter()


class Counted(NamedTuple):
    """How many events are meant, and of how many of them the payload is gone."""

    events: int
    without_payload: int


_STRETCH: Final = 50_000
_EVERYTHING: Final = 2**62
_SEQS: Final = Rows(seq="integer")

_COLUMNS: Final = """
    seq, digest, family, type, creator_id, secret_name, occurred_at, received_at, handled_at, state, reason,
    attempts, replays, due_at - {now},
    CASE WHEN state = 'pending' AND claim IS NOT NULL AND due_at > {now} THEN 1 ELSE 0 END,
    CASE WHEN payload IS NULL THEN 0 ELSE 1 END, dropped
"""
# The casts are for PostgreSQL, which has to know the type of a parameter that may be missing. Patterns are
# lower-case, as types are: the LIKE of SQLite takes no notice of case.
_MEANT: Final = r"""
    seq >= :low AND seq < :high
    AND (CAST(:type AS TEXT) IS NULL OR type LIKE CAST(:type AS TEXT) ESCAPE '\')
    AND (CAST(:creator AS TEXT) IS NULL OR creator_id = CAST(:creator AS TEXT))
    AND (CAST(:since AS DOUBLE PRECISION) IS NULL OR received_at >= CAST(:since AS DOUBLE PRECISION))
    AND (CAST(:until AS DOUBLE PRECISION) IS NULL OR received_at < CAST(:until AS DOUBLE PRECISION))
    AND (CAST(:reason AS TEXT) IS NULL OR reason = CAST(:reason AS TEXT))
    AND (CAST(:secret_name AS TEXT) IS NULL OR secret_name = CAST(:secret_name AS TEXT))
"""
# Written out, so that the indexes over some of the rows can be used.
_IN_STATE: Final[Mapping[State | None, LiteralString]] = {
    None: "",
    "pending": " AND state = 'pending'",
    "handled": " AND state = 'handled'",
    "dead": " AND state = 'dead'",
    "shadow": " AND state = 'shadow'",
}


def _bytes_or_none(value: bytes | None) -> bytes | None:
    return value


_PAGE: Final = {
    state: Statement(
        "SELECT" + _COLUMNS + "FROM events WHERE" + _MEANT + clause + " ORDER BY seq DESC LIMIT :limit",
        StoredEvent,
    )
    for state, clause in _IN_STATE.items()
}
_COUNT: Final = {
    state: Statement(
        "SELECT count(*), count(*) - count(payload) FROM events WHERE"  # noqa: S608  from constants, as below
        + _MEANT
        + clause,
        Counted,
    )
    for state, clause in _IN_STATE.items()
}
# The state once more outside: of two operators who mean the same rows, the second one finds them changed.
_REPLAY_SOME: Final = {
    state: Statement(
        "UPDATE events SET"  # noqa: S608
        + REPLAYED
        + "WHERE seq IN (SELECT seq FROM events WHERE"
        + _MEANT
        + clause
        + " ORDER BY seq LIMIT :limit)"
        + clause
        + " RETURNING seq",
        int,
    )
    for state, clause in _IN_STATE.items()
}
_LOAD = Statement("SELECT" + _COLUMNS + "FROM events WHERE digest = :digest", StoredEvent)
_PAYLOAD = Statement("SELECT payload FROM events WHERE digest = :digest", _bytes_or_none)
_FOLLOWING = Statement(
    "SELECT" + _COLUMNS + "FROM events WHERE seq > :seq ORDER BY seq LIMIT :limit", StoredEvent
)
_AMONG = Statement(
    "SELECT" + _COLUMNS + "FROM events WHERE seq IN (SELECT row.seq FROM {rows} AS row)"  # noqa: S608
    " ORDER BY seq",
    StoredEvent,
    rows=_SEQS,
)
_LAST = Statement("SELECT coalesce(max(seq), 0) FROM events", int)


async def page(
    tx: Transaction, wanted: EventFilter, *, limit: int, before: int = _EVERYTHING
) -> list[StoredEvent]:
    """Read events, the newest first.

    Args:
        tx: a transaction.
        wanted: which.
        limit: how many at most.
        before: the ``seq`` of the last one of the page before.
    """
    found: list[StoredEvent] = []
    high = min(before, await last_seq(tx) + 1)
    for low, end in reversed(list(stretches(wanted, 1, high))):
        left = limit - len(found)
        found += await tx.all(_PAGE[wanted.state], limit=left, low=low, high=end, **_parameters(wanted))
        if len(found) == limit:
            break
    return found


async def load(tx: Transaction, digest: bytes) -> StoredEvent | None:
    """Read one event."""
    return await tx.one(_LOAD, digest=digest)


async def payload(tx: Transaction, digest: bytes) -> bytes | None:
    """Read what was sealed of one event; None when it is gone."""
    return await tx.one(_PAYLOAD, digest=digest)


async def count(tx: Transaction, wanted: EventFilter, *, after: int = 0) -> Counted:
    """Count the events that are meant, from behind a place in the sequence."""
    events = without = 0
    for low, high in stretches(wanted, after + 1, await last_seq(tx) + 1):
        found = await tx.one(_COUNT[wanted.state], low=low, high=high, **_parameters(wanted))
        assert found is not None
        events, without = events + found.events, without + found.without_payload
    return Counted(events, without)


async def replay_some(tx: Transaction, wanted: EventFilter, *, low: int, high: int, limit: int) -> list[int]:
    """Have up to ``limit`` events of one stretch handled once more, the oldest first.

    Claims that stand are taken away, so that their holders' results no longer count.

    Returns:
        Their places in the sequence, in order.
    """
    statement = _REPLAY_SOME[wanted.state]
    return sorted(await tx.all(statement, low=low, high=high, limit=limit, **_parameters(wanted)))


async def last_seq(tx: Transaction) -> int:
    """The newest event's place in the sequence; 0 when there is none."""
    return await tx.one(_LAST) or 0


async def following(tx: Transaction, seq: int, *, limit: int) -> list[StoredEvent]:
    """Read events behind a place in the sequence, in order."""
    return await tx.all(_FOLLOWING, seq=seq, limit=limit)


async def among(tx: Transaction, seqs: list[int]) -> list[StoredEvent]:
    """Read the events at these places that there are, in order."""
    return await tx.all(_AMONG, rows=[(seq,) for seq in seqs])


def stretches(wanted: EventFilter, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Part the sequence from ``low`` to before ``high`` into stretches that one statement may look at."""
    length = _EVERYTHING if wanted.state == "dead" else _STRETCH
    for start in range(low, high, length):
        yield start, min(start + length, high)


def _parameters(wanted: EventFilter) -> dict[str, SqlValue]:
    return {
        "type": None if wanted.type is None else _like(wanted.type),
        "creator": wanted.creator,
        "since": wanted.since,
        "until": wanted.until,
        "reason": wanted.reason,
        "secret_name": wanted.secret_name,
    }


@cache
def _as_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


def _like(pattern: str) -> str:
    for special in "\\%_":
        pattern = pattern.replace(special, "\\" + special)
    return pattern.replace("*", "%")
