"""Lists of grants, for those who look after them before anybody asks."""

from __future__ import annotations

from fankeep.store.database import Transaction
from fankeep.store.grants import ABSURD_LEASE, ABSURD_PAUSE, CLOCK_SLACK, COLUMNS, GrantRow
from fankeep.store.statement import Statement

__all__ = ["due", "everything", "left_open", "unused"]

_EVERYTHING = Statement("SELECT" + COLUMNS + "FROM grants ORDER BY created_at, id", GrantRow)
_DUE = Statement(
    "SELECT"
    + COLUMNS
    + """FROM grants
    WHERE (lease_until IS NULL OR lease_until <= {now} OR lease_until > {now} + :absurd)
      AND (retry_at IS NULL OR retry_at <= {now} OR retry_at > {now} + :absurd_pause
           OR first_sent_at > {now} + :slack)
      AND state IN ('live', 'blocked') AND sends = 0 AND sealed_refresh IS NOT NULL
      AND ((last_used_at > {now} - :used_within AND access_expires_at < {now} + :ahead)
           OR stored_at < {now} - :idle)
    ORDER BY access_expires_at
    LIMIT :most
    """,
    GrantRow,
)
# Where the grace may still run comes first: nothing else is lost by waiting.
_LEFT_OPEN = Statement(
    "SELECT"
    + COLUMNS
    + """FROM grants
    WHERE (lease_until IS NULL OR lease_until <= {now} OR lease_until > {now} + :absurd
           OR first_sent_at > {now} + :slack)
      AND (retry_at IS NULL OR retry_at <= {now} OR retry_at > {now} + :absurd_pause
           OR first_sent_at > {now} + :slack)
      AND (state IN ('refreshing', 'uncertain', 'ending') OR (state = 'blocked' AND sends > 0))
    ORDER BY CASE WHEN state IN ('refreshing', 'blocked') THEN 0 WHEN state = 'ending' THEN 1
                  WHEN sends > 0 THEN 2 ELSE 3 END,
             first_sent_at, stored_at
    LIMIT :most
    """,
    GrantRow,
)
_UNUSED = Statement(
    "SELECT"
    + COLUMNS
    + """FROM grants
    WHERE state IN ('live', 'refreshing', 'uncertain', 'blocked') AND last_used_at < {now} - :unused_for
    ORDER BY last_used_at
    LIMIT :most
    """,
    GrantRow,
)


async def everything(tx: Transaction) -> list[GrantRow]:
    """List every grant, the oldest first."""
    return await tx.all(_EVERYTHING)


async def due(tx: Transaction, *, ahead: float, used_within: float, idle: float, most: int) -> list[GrantRow]:
    """List grants that somebody should refresh ahead of time, and nobody holds.

    Those are tokens in use that end soon, and chains that were not renewed for long.

    Args:
        ahead: seconds before its expiry at which a token in use is listed.
        used_within: seconds since the last use for which a grant counts as in use.
        idle: seconds after which any grant is refreshed.
        most: rows.
    """
    return await tx.all(
        _DUE,
        absurd=ABSURD_LEASE,
        absurd_pause=ABSURD_PAUSE,
        slack=CLOCK_SLACK,
        ahead=ahead,
        used_within=used_within,
        idle=idle,
        most=most,
    )


async def left_open(tx: Transaction, *, most: int) -> list[GrantRow]:
    """List grants with a send or an ending that its process has left open, the most urgent first.

    Grants of a restored back-up come last: of them nothing is open, but none is believed.
    """
    return await tx.all(
        _LEFT_OPEN, absurd=ABSURD_LEASE, absurd_pause=ABSURD_PAUSE, slack=CLOCK_SLACK, most=most
    )


async def unused(tx: Transaction, *, unused_for: float, most: int) -> list[GrantRow]:
    """List grants that still stand and were not used for that many seconds, the longest unused first."""
    return await tx.all(_UNUSED, unused_for=unused_for, most=most)
