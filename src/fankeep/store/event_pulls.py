"""The statements of an app that fetches its events: taking a page of them, and saying which are done.

They go out by the time at which they became due: for a new event that is when it came, for one that was not
acknowledged the end of its lease. So whoever goes on behind the last one meets those again as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from fankeep.store.database import Transaction
from fankeep.store.events import ClaimedEvent, repair_due
from fankeep.store.statement import Command, Rows, Statement
from fankeep.types import UserId

__all__ = ["Ack", "Taken", "acknowledge", "take"]


class Taken(NamedTuple):
    """What one look at the waiting events gave.

    Attributes:
        events: claimed, in the order in which they came.
        given_up: how many became dead letters in place of being claimed once more.
        position: behind which the next look may begin, in seconds since 1970.
    """

    events: list[ClaimedEvent]
    given_up: int
    position: float


class Ack(NamedTuple):
    """An event that is done, and the claim under which it was handed out."""

    digest: bytes
    claim: str


class _Due(NamedTuple):
    now: float
    due_at: float
    seq: int
    digest: bytes
    family: str
    type: str
    creator: UserId | None
    occurred_at: float | None
    received_at: float
    payload: bytes | None
    attempts: int
    replays: int


_HELD_BACK: Final = 60.0
"""Seconds: no position is nearer to now. A row is stamped before it is committed, and may become visible
after younger ones; no transaction of ours lasts that long."""

_CREATORS: Final = Rows(creator="text")
_CLAIMS: Final = Rows(seq="integer", lease="real")
_SEQS: Final = Rows(seq="integer")
_ACKS: Final = Rows(digest="blob", claim="text")

_DUE: Final = """
    FROM events WHERE state = 'pending' AND due_at <= (SELECT {now}) AND due_at >= :position
"""
_OF_CREATORS: Final = " AND creator_id IN (SELECT row.creator FROM {rows} AS row)"
_FIRST: Final = " ORDER BY due_at LIMIT :limit"
# As one JSON text on SQLite; see `fankeep.store.events`.
_SQLITE: Final = """
    SELECT json_group_array(json_array({now}, due_at, seq, hex(digest), family, type, creator_id, occurred_at,
                                       received_at, hex(payload), attempts, replays))
    FROM (SELECT *
"""
_SQLITE_DUE = Statement(_SQLITE + _DUE + _FIRST + ")", str)
_SQLITE_DUE_OF = Statement(_SQLITE + _DUE + _OF_CREATORS + _FIRST + ")", str, rows=_CREATORS)
_POSTGRESQL: Final = """
    SELECT {now}, due_at, seq, digest, family, type, creator_id, occurred_at, received_at, payload, attempts,
           replays
"""
_SKIP: Final = " FOR UPDATE SKIP LOCKED"
_POSTGRESQL_DUE = Statement(_POSTGRESQL + _DUE + _FIRST + _SKIP, _Due)
_POSTGRESQL_DUE_OF = Statement(_POSTGRESQL + _DUE + _OF_CREATORS + _FIRST + _SKIP, _Due, rows=_CREATORS)

# The count stops where it means nothing any more: a row that somebody spoiled must not stop the others.
_CLAIM = Command(
    """
    UPDATE events SET claim = :claim, due_at = {now} + row.lease, attempts = {least}(attempts, 999999) + 1
    FROM {rows} AS row WHERE events.seq = row.seq
    """,
    rows=_CLAIMS,
)
_GIVE_UP = Command(
    """
    UPDATE events SET state = 'dead', reason = :reason, claim = NULL
    WHERE seq IN (SELECT row.seq FROM {rows} AS row)
    """,
    rows=_SEQS,
)

# The claim stays, so that an acknowledgement whose answer was lost can be repeated.
_ACKNOWLEDGE = Command(
    """
    UPDATE events SET state = 'handled', reason = NULL, handled_at = {now}
    FROM {rows} AS row
    WHERE events.digest = row.digest AND events.claim = row.claim AND events.state = 'pending'
    """,
    rows=_ACKS,
)
_STANDING: Final = """
    FROM events JOIN {rows} AS row ON events.digest = row.digest AND events.claim = row.claim
    WHERE events.state = 'handled'
"""
_SQLITE_STANDING = Statement("SELECT json_group_array(hex(events.digest))" + _STANDING, str, rows=_ACKS)
_POSTGRESQL_STANDING = Statement("SELECT events.digest" + _STANDING, bytes, rows=_ACKS)

_DueRow: TypeAlias = tuple[
    float, float, int, str, str, str, UserId | None, float | None, float, str, int, int
]
_due_rows = msgspec.json.Decoder(list[_DueRow])
_hexes = msgspec.json.Decoder(list[str])


async def take(
    tx: Transaction,
    *,
    claim: str,
    limit: int,
    lease: Callable[[int], float | None],
    reason: str,
    position: float = 0.0,
    creators: Collection[UserId] | None = None,
) -> Taken:
    """Claim up to ``limit`` events that are due, those that have waited longest first.

    Args:
        tx: a write transaction.
        claim: a new random name.
        limit: how many at most.
        lease: seconds for an event that was handed out so many times before; None to give it up.
        reason: of those that are given up, as a code.
        position: of the last look; 0 for all.
        creators: leave out what is not about one of these.
    """
    await repair_due(tx)
    due = await _due(tx, limit, position, creators)
    if not due:
        return Taken([], 0, position)
    leases = [(row.seq, lease(row.attempts)) for row in due]
    claims = [(seq, seconds) for seq, seconds in leases if seconds is not None]
    given_up = [(seq,) for seq, seconds in leases if seconds is None]
    if claims:
        await tx.run(_CLAIM, rows=claims, claim=claim)
    if given_up:
        await tx.run(_GIVE_UP, rows=given_up, reason=reason)
    claimed = {seq for seq, _ in claims}
    events = sorted(_claimed(row, claim) for row in due if row.seq in claimed)
    return Taken(events, len(given_up), min(due[-1].due_at, due[-1].now - _HELD_BACK))


async def acknowledge(tx: Transaction, acks: Sequence[Ack]) -> frozenset[bytes]:
    """Mark events as handled whose claims stand.

    Returns:
        The digests of those that are handled under the claim that was shown, now or before.
    """
    ordered = sorted(acks)  # one order for all: no two groups wait for each other
    await tx.run(_ACKNOWLEDGE, rows=ordered)
    if tx.engine == "postgresql":
        return frozenset(await tx.all(_POSTGRESQL_STANDING, rows=ordered))
    standing = await tx.one(_SQLITE_STANDING, rows=ordered)
    return frozenset(bytes.fromhex(digest) for digest in _hexes.decode(standing or "[]"))


async def _due(
    tx: Transaction, limit: int, position: float, creators: Collection[UserId] | None
) -> list[_Due]:
    bounds = {"limit": limit, "position": position}
    only = [(creator,) for creator in creators or ()]
    if tx.engine == "postgresql":
        if creators is None:
            return await tx.all(_POSTGRESQL_DUE, **bounds)
        return await tx.all(_POSTGRESQL_DUE_OF, rows=only, **bounds)
    if creators is None:
        found = await tx.one(_SQLITE_DUE, **bounds)
    else:
        found = await tx.one(_SQLITE_DUE_OF, rows=only, **bounds)
    return [_row(row) for row in _due_rows.decode(found or "[]")]


def _row(row: _DueRow) -> _Due:
    now, due_at, seq, digest, family, kind, creator, occurred, received, payload, attempts, replays = row
    sealed = bytes.fromhex(payload) or None
    return _Due(
        now, due_at, seq, bytes.fromhex(digest), family, kind, creator, occurred, received, sealed, attempts,
        replays,
    )  # fmt: skip


def _claimed(row: _Due, claim: str) -> ClaimedEvent:
    return ClaimedEvent(
        row.seq,
        claim,
        row.digest,
        row.family,
        row.type,
        row.creator,
        row.occurred_at,
        row.received_at,
        row.payload,
        row.attempts + 1,
        row.replays,
    )
