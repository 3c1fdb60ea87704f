"""The statements of the living replicas: one row each, seen again and again while it lives."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Statement

__all__ = ["InstanceRow", "living", "prune", "remove", "seen"]


class InstanceRow(NamedTuple):
    """A replica as it last described itself.

    Attributes:
        place: host and process id, for people.
        key_ids: of the key-encryption keys that it holds, space separated, as are ``client_secrets``, the
            names of its versions of the client secret.
        age: seconds since it started.
        unseen_for: seconds since it was last seen.
    """

    id: str
    place: str
    key_ids: str
    client_secrets: str
    age: float
    unseen_for: float


# A row that was seen in the future was written before the clock was set back; a living replica mends its own.
_LIVING = Statement(
    """
    SELECT id, place, key_ids, client_secrets, {now} - started_at, {now} - seen_at FROM instances
    WHERE seen_at > {now} - :bound AND seen_at < {now} + :bound
    ORDER BY started_at, id
    """,
    InstanceRow,
)
_SEEN = Command(
    """
    INSERT INTO instances (id, place, key_ids, client_secrets, started_at, seen_at)
    VALUES (:id, :place, :key_ids, :client_secrets, {now}, {now})
    ON CONFLICT (id) DO UPDATE
    SET key_ids = excluded.key_ids, client_secrets = excluded.client_secrets, seen_at = excluded.seen_at
    """
)
_REMOVE = Command("DELETE FROM instances WHERE id = :id")
_PRUNE = Command("DELETE FROM instances WHERE seen_at <= {now} - :bound OR seen_at >= {now} + :bound")


async def living(tx: Transaction, *, bound: float) -> list[InstanceRow]:
    """List the replicas that were seen within ``bound`` seconds, the oldest first."""
    return await tx.all(_LIVING, bound=bound)


async def seen(tx: Transaction, instance_id: str, *, place: str, key_ids: str, client_secrets: str) -> None:
    """Note that a replica lives, and what it holds now; one that was forgotten comes back."""
    await tx.run(_SEEN, id=instance_id, place=place, key_ids=key_ids, client_secrets=client_secrets)


async def remove(tx: Transaction, instance_id: str) -> None:
    """Forget a replica that stops."""
    await tx.run(_REMOVE, id=instance_id)


async def prune(tx: Transaction, *, bound: float) -> None:
    """Forget the replicas that were not seen within ``bound`` seconds."""
    await tx.run(_PRUNE, bound=bound)
