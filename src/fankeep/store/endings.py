"""The statements of a grant's end: local use stops first, the token stays until it is surely revoked."""

from __future__ import annotations

from fankeep.store.database import Transaction
from fankeep.store.grants import ABSURD_LEASE, ABSURD_PAUSE, CLOCK_SLACK, GrantRow, claimed
from fankeep.store.statement import Command

__all__ = ["begin", "claim", "condemn", "finish", "keep_newer", "postpone"]

_BEGIN = Command(
    """
    UPDATE grants SET state = 'ending', mac = :mac, end_reason = :reason, ended_at = {now}, retry_at = NULL
    WHERE id = :id AND generation = :generation AND state IN ('live', 'refreshing', 'uncertain', 'blocked')
    """
)

# Whatever such a row says of its state is not to be believed; what can be revoked is in its sealed token.
_CONDEMN = Command(
    """
    UPDATE grants SET state = 'ending', mac = :mac, end_reason = :reason, ended_at = {now}, retry_at = NULL,
        sealed_access = NULL, last_error = :last_error
    WHERE id = :id AND generation = :generation AND mac = :seen_mac
    """
)

_CLAIM = Command(
    """
    UPDATE grants SET attempt_id = :attempt_id, lease_until = {now} + :lease, retry_at = NULL
    WHERE id = :id AND generation = :generation AND state = 'ending'
      AND (lease_until IS NULL OR lease_until <= {now} OR lease_until > {now} + :absurd)
      AND (retry_at IS NULL OR retry_at <= {now} OR retry_at > {now} + :absurd_pause
           OR first_sent_at > {now} + :slack)
    """
)

_KEEP_NEWER = Command(
    """
    UPDATE grants
    SET generation = generation + 1, sealed_refresh = :sealed_refresh, sealed_access = NULL, mac = :mac,
        stored_by = :attempt_id, lease_until = NULL, first_sent_at = NULL, sends = 0
    WHERE id = :id AND generation = :generation AND state = 'ending'
    """
)

_POSTPONE = Command(
    """
    UPDATE grants SET lease_until = NULL, retry_at = {now} + :retry_in, last_error = :last_error
    WHERE id = :id AND generation = :generation AND state = 'ending' AND attempt_id = :attempt_id
    """
)

_FINISH = Command(
    """
    UPDATE grants
    SET generation = generation + 1, state = 'dead', mac = :mac,
        attempt_id = NULL, lease_until = NULL, first_sent_at = NULL, sends = 0, retry_at = NULL,
        sealed_access = NULL, sealed_refresh = NULL, access_expires_at = NULL, last_error = :last_error
    WHERE id = :id AND generation = :generation AND state = 'ending'
    """
)


async def begin(tx: Transaction, row: GrantRow, *, mac: bytes, reason: str) -> bool:
    """Stop local use at once; the sealed token stays until the server has confirmed its revocation."""
    changed = await tx.run(_BEGIN, id=row.id, generation=row.generation, mac=mac, reason=reason)
    return changed == 1


async def condemn(tx: Transaction, row: GrantRow, *, mac: bytes, reason: str, last_error: str) -> bool:
    """Begin to end a row that is not authentic; False when it was changed since it was read."""
    changed = await tx.run(
        _CONDEMN,
        id=row.id,
        generation=row.generation,
        seen_mac=row.mac,
        mac=mac,
        reason=reason,
        last_error=last_error,
    )
    return changed == 1


async def claim(tx: Transaction, row: GrantRow, *, attempt_id: str, lease: float) -> bool:
    """Take the claim for one try at revoking."""
    changed = await tx.run(
        _CLAIM,
        **claimed(row, attempt_id),
        lease=lease,
        absurd=ABSURD_LEASE,
        absurd_pause=ABSURD_PAUSE,
        slack=CLOCK_SLACK,
    )
    return changed == 1


async def keep_newer(
    tx: Transaction, row: GrantRow, *, attempt_id: str, sealed_refresh: bytes, mac: bytes
) -> bool:
    """Keep the newest refresh token of an ending grant, so that a crash still revokes the right one."""
    changed = await tx.run(_KEEP_NEWER, **claimed(row, attempt_id), sealed_refresh=sealed_refresh, mac=mac)
    return changed == 1


async def postpone(
    tx: Transaction, row: GrantRow, *, attempt_id: str, retry_in: float, last_error: str
) -> None:
    """Give the claim back; the revocation is tried again later."""
    await tx.run(_POSTPONE, **claimed(row, attempt_id), retry_in=retry_in, last_error=last_error)


async def finish(tx: Transaction, row: GrantRow, *, mac: bytes, last_error: str | None) -> bool:
    """Drop the tokens of a grant whose revocation is confirmed; ``last_error`` says why one never will be."""
    changed = await tx.run(_FINISH, id=row.id, generation=row.generation, mac=mac, last_error=last_error)
    return changed == 1
