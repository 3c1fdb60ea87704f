"""The key file's list of what must not come back with a back-up of the data."""

from __future__ import annotations

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = ["add", "load"]

# Who came back and is erased again is gone since the later time: a back-up from in between holds them.
_ADD = Command(
    """
    INSERT INTO ledger (hash, noted_at) VALUES (:hash, {now})
    ON CONFLICT (hash) DO UPDATE SET noted_at = {now}
    """
)
_LOAD = Statement("SELECT hash FROM ledger WHERE noted_at >= :since", bytes)


async def add(tx: Transaction, entry: bytes) -> None:
    """Write an entry down; one that stands there already gets the time of now."""
    await tx.run(_ADD, hash=entry)


async def load(tx: Transaction, since: float) -> list[bytes]:
    """Return the entries since a moment, in seconds since 1970 by the database's clock."""
    return await tx.all(_LOAD, since=since)
