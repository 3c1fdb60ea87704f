"""Which key-encryption keys this installation knows, and which of them is primary.

Whoever stores something that a key wraps takes the row of that key first, in the same transaction. So a
promotion waits for what is under way, and nothing is wrapped under the old key after it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from fankeep.errors import RetryableError, StorageError
from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = [
    "KekRow",
    "NotPrimary",
    "OutOfUse",
    "State",
    "all_known",
    "finish",
    "primary",
    "promote",
    "require_primary",
    "state_of",
    "take_primary",
]

State: TypeAlias = Literal["primary", "former", "compromised", "retired"]


class NotPrimary(RetryableError):
    """Another key-encryption key was promoted meanwhile; nothing was stored."""


class OutOfUse(StorageError):
    """This key-encryption key was taken out of use for good."""

    code = "key_out_of_use"


class KekRow(NamedTuple):
    """A key-encryption key.

    Attributes:
        age: seconds since it came into this state.
        data_keys: how many data keys it wraps now.
    """

    id: str
    state: str
    age: float
    data_keys: int


_PRIMARY = Statement("SELECT id FROM key_encryption_keys WHERE state = 'primary'", str)
_STATE_OF = Statement("SELECT state FROM key_encryption_keys WHERE id = :id", str)
_ALL_KNOWN = Statement(
    """
    SELECT id, state, {now} - since,
           (SELECT count(*) FROM data_keys WHERE kek_id = key_encryption_keys.id AND wrapped IS NOT NULL)
    FROM key_encryption_keys ORDER BY since, CASE WHEN state = 'primary' THEN 1 ELSE 0 END, id
    """,
    KekRow,
)
_TAKE_PRIMARY = Command("UPDATE key_encryption_keys SET used_at = {now} WHERE id = :id AND state = 'primary'")
_STEP_DOWN = Command(
    """
    UPDATE key_encryption_keys SET state = :state, since = {now} WHERE state = 'primary' AND id <> :id
    """
)
_STEP_UP = Command(
    """
    INSERT INTO key_encryption_keys (id, state, since) VALUES (:id, 'primary', {now})
    ON CONFLICT (id) DO UPDATE SET state = 'primary', since = {now}
    WHERE key_encryption_keys.state IN ('former', 'primary')
    """
)
_FINISH = Command(
    """
    UPDATE key_encryption_keys SET state = :state, since = {now}
    WHERE id = :id AND state <> 'primary' AND state <> :state
    """
)


async def primary(tx: Transaction) -> str | None:
    """Return the key that wraps, or None in a new key database."""
    return await tx.one(_PRIMARY)


async def require_primary(tx: Transaction) -> str:
    """Return the key that wraps.

    Raises:
        StorageError: there is none, which only damage explains.
    """
    found = await primary(tx)
    if found is None:
        raise StorageError("the key database names no primary key-encryption key")
    return found


async def state_of(tx: Transaction, kek_id: str) -> str | None:
    """Return a key's state, one of ``State``, or None for one that was never primary."""
    return await tx.one(_STATE_OF, id=kek_id)


async def all_known(tx: Transaction) -> list[KekRow]:
    """Return every key that is or was primary, and how much each wraps."""
    return await tx.all(_ALL_KNOWN)


async def take_primary(tx: Transaction, kek_id: str) -> None:
    """Hold the primary key until the transaction ends; comes before storing what it wraps.

    Raises:
        NotPrimary: another one is primary.
    """
    if not await tx.run(_TAKE_PRIMARY, id=kek_id):
        raise NotPrimary


async def promote(tx: Transaction, kek_id: str, *, former: State = "former") -> None:
    """Make a key primary; the one that was becomes ``former``, or what is given here.

    Raises:
        OutOfUse: it was retired or compromised.
    """
    await tx.run(_STEP_DOWN, id=kek_id, state=former)
    if not await tx.run(_STEP_UP, id=kek_id):
        raise OutOfUse


async def finish(tx: Transaction, kek_id: str, state: Literal["compromised", "retired"]) -> bool:
    """Take a key that is not primary out of use for good."""
    return await tx.run(_FINISH, id=kek_id, state=state) == 1
