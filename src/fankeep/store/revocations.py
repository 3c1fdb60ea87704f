"""The statements of chains that a login has replaced and that Fanvue has still to revoke."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement
from fankeep.types import UserId

__all__ = ["RevocationRow", "add", "claim", "due", "keep_newer", "postpone", "remove"]


class RevocationRow(NamedTuple):
    """A refresh token that no grant holds any more.

    Attributes:
        unanswered: it was sent before without an answer, so its successor may exist unseen.
        tries: how often somebody has claimed it.
        age: seconds since it was replaced.
    """

    id: str
    user_id: UserId
    sealed_refresh: bytes
    unanswered: bool
    tries: int
    age: float


_ADD = Command(
    """
    INSERT INTO revocations (id, user_id, sealed_refresh, unanswered, created_at, due_at)
    VALUES (:id, :user_id, :sealed_refresh, :unanswered, {now}, {now} + :due_in)
    """
)
_DUE = Statement(
    """
    SELECT id, user_id, sealed_refresh, unanswered <> 0, tries, {now} - created_at FROM revocations
    WHERE due_at <= {now} ORDER BY due_at LIMIT :most
    """,
    RevocationRow,
)
# The number of tries is the claim: of several processes that read a row, one moves it.
_CLAIM = Command(
    """
    UPDATE revocations SET tries = tries + 1, due_at = {now} + :lease
    WHERE id = :id AND tries = :tries AND due_at <= {now}
    """
)
_KEEP_NEWER = Command(
    "UPDATE revocations SET sealed_refresh = :sealed_refresh, unanswered = 0, due_at = {now} WHERE id = :id"
)
_POSTPONE = Command("UPDATE revocations SET due_at = {now} + :retry_in WHERE id = :id")
_REMOVE = Command("DELETE FROM revocations WHERE id = :id")


async def add(tx: Transaction, new: RevocationRow, *, due_in: float) -> None:
    """Store a token for its revocation, in the transaction that replaces it.

    Args:
        new: what to store.
        due_in: seconds for which somebody's claim to send this token holds.
    """
    await tx.run(
        _ADD,
        id=new.id,
        user_id=new.user_id,
        sealed_refresh=new.sealed_refresh,
        unanswered=int(new.unanswered),
        due_in=due_in,
    )


async def due(tx: Transaction, *, most: int) -> list[RevocationRow]:
    """List what can be tried now."""
    return await tx.all(_DUE, most=most)


async def claim(tx: Transaction, row: RevocationRow, *, lease: float) -> bool:
    """Take a row for one try; False when another process has it."""
    return await tx.run(_CLAIM, id=row.id, tries=row.tries, lease=lease) == 1


async def keep_newer(tx: Transaction, row: RevocationRow, *, sealed_refresh: bytes) -> None:
    """Keep the newest token of the chain in place of a spent one."""
    await tx.run(_KEEP_NEWER, id=row.id, sealed_refresh=sealed_refresh)


async def postpone(tx: Transaction, row: RevocationRow, *, retry_in: float) -> None:
    """Try again later."""
    await tx.run(_POSTPONE, id=row.id, retry_in=retry_in)


async def remove(tx: Transaction, row: RevocationRow) -> None:
    """Forget a chain that is revoked, or past help."""
    await tx.run(_REMOVE, id=row.id)
