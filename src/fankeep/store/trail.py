"""The statements of the trail: who did what, written in the transaction of what was done."""

from __future__ import annotations

from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = ["Entry", "note", "page"]


class Entry(NamedTuple):
    """One line of the trail.

    Attributes:
        at: seconds since 1970 by the database's clock.
        actor: ``operator:<account>``, ``service_key:<id>``, ``app`` or ``system``.
        action: a code, for example ``events_replayed``.
        object: what it was done to: an id or a keyed digest, never a name.
        outcome: a word or a count.
    """

    seq: int
    at: float
    actor: str
    action: str
    object: str
    outcome: str


_NOTE: Final = Command(
    """
    INSERT INTO trail (at, actor, action, object, outcome)
    VALUES ({now}, :actor, :action, :object, :outcome)
    """
)
_PAGE: Final = Statement(
    """
    SELECT seq, at, actor, action, object, outcome FROM trail
    WHERE seq < :before ORDER BY seq DESC LIMIT :limit
    """,
    Entry,
)
_NEWEST: Final = 2**62


async def note(tx: Transaction, *, actor: str, action: str, subject: str, outcome: str) -> None:
    """Add a line.

    Args:
        tx: the transaction of what was done, so that neither stands without the other.
        actor: who did it.
        action: a code.
        subject: what it was done to.
        outcome: a word or a count.

    Security:
        Nothing personal and nothing secret goes in: the trail outlives every erasure.
    """
    await tx.run(_NOTE, actor=actor, action=action, object=subject, outcome=outcome)


async def page(tx: Transaction, *, limit: int, before: int = _NEWEST) -> list[Entry]:
    """Read lines, the newest first."""
    return await tx.all(_PAGE, before=before, limit=limit)
