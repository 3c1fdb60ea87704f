"""The statements about the two families that can tell of one fact: which of them has effects.

From the first event of the new family on, those of the old one are stored as shadows. What the old one has
told of before that is the other way round: then the event of the new family is the shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Rows, Statement
from fankeep.types import UserId

__all__ = ["changing", "not_noted", "note_modern", "tell_once"]

_LEGACY: Final = "message.received"
_MODERN: Final = "creator.message.received"
"""A message is received once, so that its uuid tells that two events are one fact. Nothing else that both
families tell has an id in both of them by which that could be told; see ``tell_once`` for the rest."""

_LOOK_BACK: Final = 3 * 86_400.0
"""Seconds: a sender that gets no answer tries again for about three days."""

_LAST: Final = 64
"""Events of a creator that are looked at; their number must not depend on how many there are."""

_CREATORS: Final = Rows(creator="text")
_NAMES: Final = Rows(digest="blob", twin="text")

# Before the creator is noted, so that it happens once. A legacy event that nobody handles had no effect.
_NOTE_EFFECTIVE = Command(
    """
    INSERT INTO filled_messages (message_index, type, filled_at)
    SELECT DISTINCT events.message_index, CAST(:modern AS TEXT), {now}
    FROM {rows} AS row
    JOIN events ON events.creator_id = row.creator
    LEFT JOIN creator_families AS noted ON noted.creator_id = row.creator
    WHERE noted.creator_id IS NULL AND events.family = 'legacy' AND events.type = :legacy
          AND events.message_index IS NOT NULL AND events.state <> 'shadow'
          AND coalesce(events.reason, '') <> 'no_handler' AND events.received_at > {now} - :look_back
    ORDER BY 1
    ON CONFLICT (message_index, type) DO NOTHING
    """,
    rows=_CREATORS,
)
_NOTE_MODERN = Command(
    """
    INSERT INTO creator_families (creator_id, since)
    SELECT row.creator, {now} FROM {rows} AS row WHERE true ORDER BY row.creator
    ON CONFLICT (creator_id) DO NOTHING
    """,
    rows=_CREATORS,
)
_NOT_NOTED = Statement(
    """
    SELECT row.creator FROM {rows} AS row
    LEFT JOIN creator_families AS noted ON noted.creator_id = row.creator
    WHERE noted.creator_id IS NULL ORDER BY row.creator
    """,
    UserId,
    rows=_CREATORS,
)
_CHANGING = Statement(
    """
    SELECT row.creator FROM {rows} AS row
    JOIN creator_families AS modern ON modern.creator_id = row.creator
    WHERE modern.since > (SELECT {now}) - :seconds
      AND EXISTS (SELECT 1 FROM (SELECT family, state, received_at FROM events
                                 WHERE creator_id = row.creator ORDER BY seq DESC LIMIT :last) AS recent
                  WHERE family = 'legacy' AND state <> 'shadow'
                        AND received_at > (SELECT {now}) - :seconds)
    """,
    UserId,
    rows=_CREATORS,
)
_TELL_ONCE = Command(
    """
    UPDATE events SET state = 'shadow', reason = 'told_before'
    WHERE seq IN (
        SELECT new.seq FROM {rows} AS row
        JOIN events AS new ON new.digest = row.digest
        JOIN events AS old ON old.fan_index = new.fan_index AND old.type = row.twin
        WHERE new.state = 'pending' AND old.state <> 'shadow' AND coalesce(old.reason, '') <> 'no_handler'
          AND old.received_at > (SELECT {now}) - :seconds
          AND old.message_index IS NOT DISTINCT FROM new.message_index
          AND abs(old.occurred_at - new.occurred_at) <= :apart
    )
    """,
    rows=_NAMES,
)


async def not_noted(tx: Transaction, creators: Sequence[UserId]) -> list[UserId]:
    """Return those creators for whom no event of the ``creator`` family has come before."""
    return await tx.all(_NOT_NOTED, rows=[(creator,) for creator in creators])


async def note_modern(tx: Transaction, creators: Sequence[UserId]) -> None:
    """Note that events of the ``creator`` family come for these creators; from now on they are effective.

    What came before as an event of the legacy family alone has had its effect, or will have it: when the
    same message is told of in the other family, that event has none.

    Args:
        tx: the transaction that stores the first of them; before the insert. It holds other deliveries up:
            one that is being stored at this moment by the old name has to be seen.
        creators: those for whom such an event has come; some of them may be known.
    """
    rows = [(creator,) for creator in creators]
    await tx.run(_NOTE_EFFECTIVE, rows=rows, legacy=_LEGACY, modern=_MODERN, look_back=_LOOK_BACK)
    await tx.run(_NOTE_MODERN, rows=rows)


async def changing(tx: Transaction, creators: Sequence[UserId], *, seconds: float) -> list[UserId]:
    """Return those creators of whom both families have come within so many seconds."""
    rows = [(creator,) for creator in creators]
    return await tx.all(_CHANGING, rows=rows, seconds=seconds, last=_LAST)


async def tell_once(
    tx: Transaction, names: Sequence[tuple[bytes, str]], *, seconds: float, apart: float
) -> int:
    """Make shadows of events whose fact came by another name before; return how many.

    It is the same fact if it is about the same fan, the same message or none, and happened at the same time.
    One that nobody has heard of by its other name, since there was no handler, is told.

    Args:
        tx: the transaction that has stored the events.
        names: the digest of an event, with the type that tells the same by the other name.
        seconds: how long ago the other one may have come.
        apart: how many seconds the times may differ.
    """
    return await tx.run(_TELL_ONCE, rows=names, seconds=seconds, apart=apart)
