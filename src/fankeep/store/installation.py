"""The one row that names this installation."""

from __future__ import annotations

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = ["backed_up_at", "create", "load", "put_in_use"]

_LOAD = Statement("SELECT id FROM installation", str)
_BACKED_UP_AT = Statement("SELECT backed_up_at FROM installation", lambda moment: moment)
_IN_USE = Command("UPDATE installation SET backed_up_at = NULL")
_CREATE = Command(
    """
    INSERT INTO installation (id, created_at)
    SELECT :id, {now} WHERE NOT EXISTS (SELECT 1 FROM installation)
    ON CONFLICT DO NOTHING
    """
)


async def load(tx: Transaction) -> str | None:
    """Return the installation's id, or None in a file that has none yet."""
    return await tx.one(_LOAD)


async def backed_up_at(tx: Transaction) -> float | None:
    """Return when this copy of the data was begun, in seconds since 1970; None for one that is in use."""
    found: list[float | None] = await tx.all(_BACKED_UP_AT)
    return found[0] if found else None


async def put_in_use(tx: Transaction) -> None:
    """Note that this copy of the data is a back-up no longer."""
    await tx.run(_IN_USE)


async def create(tx: Transaction, installation_id: str) -> str:
    """Store the id, 128 random bits as hex, unless there is one; return the one that stands.

    It becomes part of the associated data of every sealed value.
    """
    await tx.run(_CREATE, id=installation_id)
    return await load(tx) or installation_id
