"""Which events are due when a creator's events go one after the other.

An event waits while an earlier one of its creator is pending, be it due, in hand or to be tried again later.
So the first pending event of each creator is all that can be taken: the index over pending rows by creator
gives one after the other, and a creator with a long backlog costs no more than any other. Events that name no
creator have no order.
"""

from __future__ import annotations

from typing import Final, LiteralString

from fankeep.store.statement import Statement

__all__ = ["CLAIM_FIRST_DUE", "FIRST_DUE"]

_DUE: Final[LiteralString] = """
    WITH RECURSIVE first (seq, creator_id, due_at) AS (
        SELECT seq, creator_id, due_at FROM events
        WHERE seq = (SELECT seq FROM events
                     WHERE state = 'pending' AND creator_id IS NOT NULL ORDER BY creator_id, seq LIMIT 1)
        UNION ALL
        SELECT events.seq, events.creator_id, events.due_at FROM first CROSS JOIN events
        WHERE events.seq = (SELECT later.seq FROM events AS later
                            WHERE later.state = 'pending' AND later.creator_id > first.creator_id
                            ORDER BY later.creator_id, later.seq LIMIT 1)
    ),
    free (seq, due_at) AS (
        SELECT seq, due_at FROM events
        WHERE state = 'pending' AND creator_id IS NULL AND due_at <= (SELECT {now})
        ORDER BY due_at LIMIT :limit
    ),
    due (seq, due_at) AS (
        SELECT seq, due_at FROM first WHERE due_at <= (SELECT {now}) UNION ALL SELECT seq, due_at FROM free
    )
"""
FIRST_DUE: Final = Statement(
    _DUE  # noqa: S608  from constants, as is the next one
    + "SELECT json_group_array(seq) FROM (SELECT seq FROM due ORDER BY due_at LIMIT :limit)",
    str,
)
"""Lists what may be taken, on SQLite."""

# Another process may be about to take some of them: those are passed over, so a few more are looked at. What
# it has taken by then is no longer due.
CLAIM_FIRST_DUE: Final[LiteralString] = (
    _DUE  # noqa: S608
    + """,
    taken (seq) AS MATERIALIZED (
        SELECT events.seq FROM (SELECT seq FROM due ORDER BY due_at LIMIT :limit * 8) AS next
        JOIN events ON events.seq = next.seq
        WHERE events.state = 'pending' AND events.due_at <= (SELECT {now})
        ORDER BY events.due_at LIMIT :limit
        FOR UPDATE OF events SKIP LOCKED)
    UPDATE events SET claim = :claim, due_at = {now} + :lease, attempts = least(attempts, 999999) + 1
    FROM taken WHERE events.seq = taken.seq
    RETURNING events.seq, claim, digest, family, type, creator_id, occurred_at, received_at, payload,
              attempts, replays
    """
)
"""Takes it, on PostgreSQL, and returns rows as every claim does."""
