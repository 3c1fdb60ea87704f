"""The statements of the inbox: one row is the record of a delivery and its work item.

A group of any size goes in and out as one statement. On SQLite it comes out as one JSON text, and who was
known is asked only when the insert has left rows out; PostgreSQL tells who is new with the insert, which also
waits for a group of another process that holds the same event. See
``docs/adr/0002-sql-files-and-raw-drivers.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from fankeep.store import deletions, families
from fankeep.store.database import Transaction
from fankeep.store.deletions import Deletion
from fankeep.store.event_order import CLAIM_FIRST_DUE, FIRST_DUE
from fankeep.store.statement import Command, Rows, Statement
from fankeep.types import UserId

__all__ = [
    "REPLAYED",
    "Backlog",
    "ClaimedEvent",
    "NewEvent",
    "Settlement",
    "State",
    "backlog",
    "claim",
    "erase_creator",
    "insert",
    "mark_handled",
    "repair_due",
    "replay",
    "settle",
]

State: TypeAlias = Literal["pending", "handled", "dead", "shadow"]


class NewEvent(NamedTuple):
    """A verified delivery on its way into a row.

    Attributes:
        digest: 16 bytes; two deliveries with the same one are the same event.
        secret_name: which signing secret matched.
        occurred_at: seconds since 1970, as the sender says.
        payload: sealed; stored only of a creator who connected at some time and was not erased, as are
            the two indexes.
        fan_index: keyed digest of the fan's uuid.
        message_index: keyed digest of the uuid of the message that it is about.
        dropped: names of the fields that were not kept, parted by spaces.
        wanted: False when nobody handles events of this type: the row is then a record and no work item.
        deletes: it says that the message is gone, with what is stored of it.
    """

    digest: bytes
    family: str
    type: str
    creator: UserId | None
    secret_name: str
    occurred_at: float | None = None
    payload: bytes | None = None
    fan_index: bytes | None = None
    message_index: bytes | None = None
    dropped: str = ""
    wanted: bool = True
    deletes: bool = False


class ClaimedEvent(NamedTuple):
    """A row that this process may handle until its claim ends.

    Attributes:
        claim: names the claim; only its holder may settle the row.
        occurred_at: seconds since 1970, as the sender says; ``received_at`` is by the database's clock.
        attempts: claims so far, this one included, since the event came or was replayed.
        replays: how often an operator has asked for it again.
    """

    seq: int
    claim: str
    digest: bytes
    family: str
    type: str
    creator: UserId | None
    occurred_at: float | None
    received_at: float
    payload: bytes | None
    attempts: int
    replays: int


class Settlement(NamedTuple):
    """What became of a claimed row.

    Attributes:
        state: ``pending`` to have it tried again.
        reason: a code, or None.
        due_in: seconds until the next try.
    """

    seq: int
    claim: str
    state: State
    reason: str | None = None
    due_in: float = 0.0


class Backlog(NamedTuple):
    """How much is waiting, and for how long.

    Attributes:
        oldest_age: seconds since the oldest waiting event came, or None when nothing waits; events that an
            operator has asked for again are left out.
        overdue: seconds for which the next event could have been taken, or None when none is due.
    """

    pending: int
    dead: int
    oldest_age: float | None
    overdue: float | None


_CLOCK_JUMP: Final = 86_400.0
"""Seconds: a row due further off than this was written before the clock was set back."""

_DIGESTS: Final = Rows(digest="blob")
_EVENTS: Final = Rows(  # as `NewEvent` has them
    digest="blob",
    family="text",
    type="text",
    creator="text",
    secret_name="text",  # noqa: S106  the type of a column
    occurred_at="real",
    payload="blob",
    fan_index="blob",
    message_index="blob",
    dropped="text",
    wanted="boolean",
    deletes="boolean",
)
_SETTLEMENTS: Final = Rows(seq="integer", claim="text", state="text", reason="text", due_in="real")

# The payload is kept only of a creator who connected at some time, and is not erased at this moment: an
# erase that was committed while the event was being sealed must win. Nor is it kept of a message that is
# gone. Every process goes by the order of the digests: no two groups wait for each other.
_INSERT_TEXT: Final = """
    INSERT INTO events (digest, family, type, creator_id, secret_name, occurred_at, received_at,
                        payload, fan_index, message_index, dropped, state, due_at, reason, handled_at)
    SELECT row.digest, row.family, row.type, row.creator, row.secret_name, row.occurred_at, {now},
           CASE WHEN users.id IS NOT NULL AND gone.type IS NULL THEN row.payload END,
           CASE WHEN users.id IS NOT NULL AND gone.type IS NULL THEN row.fan_index END,
           CASE WHEN users.id IS NOT NULL THEN row.message_index END,
           CASE WHEN gone.type IS NULL THEN row.dropped ELSE '' END,
           CASE WHEN coalesce(modern.creator_id, filled.type) IS NOT NULL THEN 'shadow'
                WHEN row.wanted THEN 'pending' ELSE 'handled' END,
           {now},
           CASE WHEN NOT (row.wanted OR coalesce(modern.creator_id, filled.type) IS NOT NULL)
                THEN 'no_handler' END,
           CASE WHEN NOT (row.wanted OR coalesce(modern.creator_id, filled.type) IS NOT NULL)
                THEN {now} END
    FROM {rows} AS row
    LEFT JOIN users ON users.id = row.creator AND users.erased_at IS NULL
    LEFT JOIN creator_families AS modern ON modern.creator_id = row.creator AND row.family = 'legacy'
    LEFT JOIN filled_messages AS filled ON filled.message_index = row.message_index AND filled.type = row.type
    LEFT JOIN deleted_messages AS gone ON gone.message_index = row.message_index AND NOT row.deletes
    WHERE true
    ORDER BY row.digest
    ON CONFLICT (digest) DO NOTHING
"""
_SQLITE_IN_ORDER = Statement(
    """
    SELECT json_group_array(hex(digest)) FROM (
        SELECT digest FROM events WHERE digest IN (SELECT row.digest FROM {rows} AS row) ORDER BY seq
    )
    """,
    str,
    rows=_DIGESTS,
)
_SQLITE_INSERT = Command(_INSERT_TEXT, rows=_EVENTS)
_POSTGRESQL_INSERT = Statement(_INSERT_TEXT + "RETURNING digest", bytes, rows=_EVENTS)

_SQLITE_DUE = Statement(
    """
    SELECT json_group_array(seq) FROM (
        SELECT seq FROM events WHERE state = 'pending' AND due_at <= {now} ORDER BY due_at LIMIT :limit
    )
    """,
    str,
)

_REPAIR_DUE = Command(
    """
    UPDATE events SET due_at = {now} WHERE state = 'pending' AND due_at > (SELECT {now}) + :clock_jump
    """
)

# The count stops where it means nothing any more: a row that somebody spoiled must not stop the others.
_SQLITE_CLAIM = Command(
    """
    UPDATE events SET claim = :claim, due_at = {now} + :lease, attempts = min(attempts, 999999) + 1
    WHERE seq IN (SELECT value FROM json_each(:seqs))
    """
)
_SQLITE_CLAIMED = Statement(
    """
    SELECT json_group_array(json_array(seq, claim, hex(digest), family, type, creator_id, occurred_at,
                                       received_at, hex(payload), attempts, replays))
    FROM (SELECT * FROM events WHERE seq IN (SELECT value FROM json_each(:seqs)) ORDER BY seq)
    """,
    str,
)
# Several processes claim at once: each passes over the rows that another one is taking. The clock is read
# first, in a query of its own, so that the index over due rows can be used. The rows are chosen once: a query
# in place of the list could be run again for each row of the table, and would choose more each time.
_POSTGRESQL_CLAIM = Statement(
    """
    WITH free (due) AS MATERIALIZED (
        SELECT seq FROM events
        WHERE state = 'pending' AND due_at <= (SELECT {now}) ORDER BY due_at LIMIT :limit
        FOR UPDATE SKIP LOCKED)
    UPDATE events SET claim = :claim, due_at = {now} + :lease, attempts = least(attempts, 999999) + 1
    FROM free WHERE seq = due
    RETURNING seq, claim, digest, family, type, creator_id, occurred_at, received_at, payload, attempts,
              replays
    """,
    ClaimedEvent,
)
_POSTGRESQL_CLAIM_FIRST = Statement(CLAIM_FIRST_DUE, ClaimedEvent)

_SETTLE = Command(
    """
    UPDATE events
    SET state = row.state, reason = row.reason, due_at = {now} + row.due_in, claim = NULL,
        handled_at = CASE WHEN row.state = 'handled' THEN {now} END
    FROM {rows} AS row
    WHERE events.seq = row.seq AND events.claim = row.claim AND events.state = 'pending'
    """,
    rows=_SETTLEMENTS,
)

_HANDLED = Command(
    """
    UPDATE events SET state = 'handled', reason = NULL, claim = NULL, handled_at = {now}
    WHERE seq = :seq AND claim = :claim AND state = 'pending'
    """
)

REPLAYED: Final = """
    state = 'pending', due_at = {now}, claim = NULL, reason = NULL, attempts = 0, replays = replays + 1,
    handled_at = NULL
"""
_REPLAY = Command("UPDATE events SET" + REPLAYED + "WHERE digest = :digest")

_ERASE_CREATOR = Command(
    """
    UPDATE events SET payload = NULL, fan_index = NULL, message_index = NULL, dropped = ''
    WHERE creator_id = :creator
    """
)

_BACKLOG = Statement(
    """
    SELECT (SELECT count(*) FROM events WHERE state = 'pending'),
           (SELECT count(*) FROM events WHERE state = 'dead'),
           (SELECT {now} - min(received_at) FROM events WHERE state = 'pending' AND replays = 0),
           (SELECT {now} - min(due_at) FROM events WHERE state = 'pending' AND due_at <= {now})
    """,
    Backlog,
)

_ClaimedRow: TypeAlias = tuple[int, str, str, str, str, UserId | None, float | None, float, str, int, int]
_claimed_rows = msgspec.json.Decoder(list[_ClaimedRow])
_hexes = msgspec.json.Decoder(list[str])


async def insert(
    tx: Transaction, events: Sequence[NewEvent], *, modern: Sequence[UserId] = ()
) -> frozenset[bytes]:
    """Store events that are not stored yet.

    One that says that a message is gone takes everything personal out of the other events about it: of those
    that are stored, of those in the same group, and of those that come later.

    Args:
        tx: a write transaction.
        events: each digest once.
        modern: creators for whom an event of the ``creator`` family has come. Their legacy events, now and
            from then on, are stored as ``shadow``: both families subscribed must not double an effect. So
            are events about messages that were filled in before (``reconciling``), and those that the
            legacy family has told of before (``families``).

    Returns:
        The digests that were stored before.
    """
    if modern:
        await families.note_modern(tx, modern)
    if any(event.deletes for event in events):
        await deletions.apply(tx, _deletions(events))
    if tx.engine == "postgresql":
        added = await tx.all(_POSTGRESQL_INSERT, rows=events)
        return frozenset(event.digest for event in events) - frozenset(added)
    known = len(events) - await tx.run(_SQLITE_INSERT, rows=events)
    if not known:
        return frozenset()
    # Numbers only ever go up, so those that are new come last.
    found = await tx.one(_SQLITE_IN_ORDER, rows=[(event.digest,) for event in events])
    return frozenset(bytes.fromhex(digest) for digest in _hexes.decode(found or "[]")[:known])


async def claim(
    tx: Transaction, *, claim: str, limit: int, lease: float, ordered: bool = False
) -> list[ClaimedEvent]:
    """Take up to ``limit`` rows that are due, oldest first.

    Args:
        tx: a write transaction.
        claim: a new random name.
        limit: how many.
        lease: seconds after which others may take them.
        ordered: pass over rows that have an earlier pending one of the same creator.
    """
    await repair_due(tx)
    if tx.engine == "postgresql":
        taking = _POSTGRESQL_CLAIM_FIRST if ordered else _POSTGRESQL_CLAIM
        return sorted(await tx.all(taking, claim=claim, limit=limit, lease=lease))
    seqs = await tx.one(FIRST_DUE if ordered else _SQLITE_DUE, limit=limit)
    if seqs is None or seqs == "[]":
        return []
    await tx.run(_SQLITE_CLAIM, claim=claim, lease=lease, seqs=seqs)
    rows = await tx.one(_SQLITE_CLAIMED, seqs=seqs)
    return [_claimed(row) for row in _claimed_rows.decode(rows or "[]")]


async def repair_due(tx: Transaction) -> None:
    """Have those taken now that would wait longer than anything may, since the clock was set back."""
    await tx.run(_REPAIR_DUE, clock_jump=_CLOCK_JUMP)


async def settle(tx: Transaction, settlements: Sequence[Settlement]) -> int:
    """Record what became of claimed rows; return how many of the claims still stood."""
    return await tx.run(_SETTLE, rows=settlements)


async def mark_handled(tx: Transaction, *, seq: int, claim: str) -> bool:
    """Mark one row as handled, in the transaction of its effect; False when the claim no longer stands.

    Security:
        On False the caller must roll back, or the effect may happen twice.
    """
    return await tx.run(_HANDLED, seq=seq, claim=claim) == 1


async def replay(tx: Transaction, digest: bytes) -> bool:
    """Have an event handled once more, whatever became of it; False when there is none.

    A claim that stands is taken away, so that its holder's result no longer counts.
    """
    return await tx.run(_REPLAY, digest=digest) == 1


async def erase_creator(tx: Transaction, creator: UserId) -> int:
    """Remove what is personal from a creator's events; the rows stay as a record of what was seen."""
    return await tx.run(_ERASE_CREATOR, creator=creator)


async def backlog(tx: Transaction) -> Backlog:
    """Count what is waiting and what was given up."""
    return await tx.one(_BACKLOG) or Backlog(0, 0, None, None)


def _deletions(events: Sequence[NewEvent]) -> Iterator[Deletion]:
    for event in events:
        if event.deletes and event.message_index is not None:
            yield Deletion(event.message_index, event.type)


def _claimed(row: _ClaimedRow) -> ClaimedEvent:
    seq, claim, digest, family, kind, creator, occurred_at, received_at, payload, attempts, replays = row
    return ClaimedEvent(
        seq,
        claim,
        bytes.fromhex(digest),
        family,
        kind,
        creator,
        occurred_at,
        received_at,
        bytes.fromhex(payload) or None,
        attempts,
        replays,
    )
