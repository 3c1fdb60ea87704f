"""The statements of the vault: every change of a grant is one guarded UPDATE.

Each guard names the generation that the caller saw, so a late writer changes nothing. Times are compared by
the database's clock alone; rows carry what is *left* of each time, in seconds.
"""

from __future__ import annotations

from typing import NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, SqlValue, Statement
from fankeep.types import Generation, GrantId, UserId

__all__ = [
    "ABSURD_LEASE",
    "ABSURD_PAUSE",
    "CLAIM",
    "CLOCK_SLACK",
    "COLUMNS",
    "SAVE",
    "GrantRow",
    "NewPair",
    "abandon_send",
    "by_user",
    "claim",
    "claimed",
    "doubt",
    "insert",
    "keep",
    "load",
    "mark_dead",
    "mark_uncertain",
    "note_unknown",
    "replace",
    "save",
    "touch",
]

ABSURD_LEASE = 60.0
"""Seconds: a lease further off than this was written by a clock that has since been set back."""

ABSURD_PAUSE = 3_601.0
"""Seconds: no server may ask for as long a pause, so the clock has since been set back."""

CLOCK_SLACK = 1.0
"""Seconds: a first send further ahead than this was written by a clock that has since been set back."""


class GrantRow(NamedTuple):
    """A grant as it stands, with what is left of each of its times.

    Attributes:
        access_left: seconds until the access token expires; negative afterwards.
        lease_left: seconds until the claim on it ends, or None when nobody has claimed it.
        since_first_send: seconds since this generation's refresh token was first sent, or None.
        retry_in: seconds until another send is allowed; negative or None when it is.
        stored_age: seconds since this generation was stored.
        unused_for: seconds since the grant was last used, or None.
        ended_for: seconds since it began to end, or None.
    """

    id: GrantId
    user_id: UserId
    generation: Generation
    state: str
    attempt_id: str | None
    sends: int
    stored_by: str | None
    sealed_access: bytes | None
    sealed_refresh: bytes | None
    access_left: float | None
    access_lifetime: float | None
    lease_left: float | None
    since_first_send: float | None
    retry_in: float | None
    stored_age: float
    unused_for: float | None
    ended_for: float | None
    scopes: str
    last_error: str | None
    end_reason: str | None
    mac: bytes


class NewPair(NamedTuple):
    """A sealed token pair on its way into a row."""

    sealed_access: bytes
    sealed_refresh: bytes | None
    access_left: float
    access_lifetime: float
    scopes: str
    mac: bytes


COLUMNS = """
    id, user_id, generation, state, attempt_id, sends, stored_by, sealed_access, sealed_refresh,
    access_expires_at - {now}, access_lifetime, lease_until - {now}, {now} - first_sent_at, retry_at - {now},
    {now} - stored_at, {now} - last_used_at, {now} - ended_at, scopes, last_error, end_reason, mac
"""
"""What a `GrantRow` is read from."""

_LOAD = Statement("SELECT" + COLUMNS + "FROM grants WHERE id = :id", GrantRow)
_BY_USER = Statement("SELECT" + COLUMNS + "FROM grants WHERE user_id = :user_id", GrantRow)

_INSERT = Command(
    """
    INSERT INTO grants (id, user_id, generation, state, stored_by, sealed_access, sealed_refresh,
                        access_expires_at, access_lifetime, scopes, stored_at, created_at, last_used_at, mac)
    VALUES (:id, :user_id, :generation, 'live', :stored_by, :sealed_access, :sealed_refresh,
            {now} + :access_left, :access_lifetime, :scopes, {now}, {now}, {now}, :mac)
    ON CONFLICT (user_id) DO NOTHING
    """
)

_STORE_PAIR = """
    UPDATE grants
    SET generation = generation + 1, state = 'live', attempt_id = NULL, lease_until = NULL,
        first_sent_at = NULL, sends = 0, stored_by = :stored_by, retry_at = NULL,
        sealed_access = :sealed_access, sealed_refresh = :sealed_refresh,
        access_expires_at = {now} + :access_left, access_lifetime = :access_lifetime,
        scopes = :scopes, last_error = NULL, end_reason = NULL, ended_at = NULL, stored_at = {now}, mac = :mac
    WHERE id = :id AND generation = :generation
"""
# A login replaces exactly the row that it was decided on: a send since then would be one of which the chain's
# revocation does not know.
_REPLACE = Command(_STORE_PAIR + "AND sends = :seen_sends AND coalesce(attempt_id, '') = :seen_attempt")
# Neither lease nor attempt is in the condition: any successor of this generation is right.
SAVE = Command(_STORE_PAIR + "AND state IN ('live', 'refreshing', 'uncertain', 'blocked')")
"""The statement that stores an answer."""

# The refresh token stays the same, and with it everything that is known about its sends.
_KEEP = Command(
    """
    UPDATE grants
    SET generation = generation + 1, stored_by = :stored_by, sealed_access = :sealed_access,
        sealed_refresh = :sealed_refresh, access_expires_at = {now} + :access_left,
        access_lifetime = :access_lifetime, scopes = :scopes, stored_at = {now}, mac = :mac
    WHERE id = :id AND generation = :generation AND state = :seen_state
    """
)

# The database's clock decides, at the moment of execution. A repeat is allowed while the server's grace must
# still run; past it, only a row that an observer saw unchanged for long enough (:settled) gets one more send.
# That one may be the first to reach the server, and then the grace starts with it: so it opens a window of
# its own, for one repeat. Earlier sends stay in the count, as one, since they are still unanswered.
CLAIM = Statement(
    """
    UPDATE grants
    SET state = 'refreshing', mac = :mac, attempt_id = :attempt_id, lease_until = {now} + :lease,
        retry_at = NULL,
        first_sent_at = CASE WHEN :settled = 1 THEN {now} ELSE coalesce(first_sent_at, {now}) END,
        sends = CASE WHEN :settled = 1 THEN 2 ELSE sends + 1 END
    WHERE id = :id AND generation = :generation
      AND sends = :seen_sends AND coalesce(attempt_id, '') = :seen_attempt
      AND state IN ('live', 'refreshing', 'uncertain', 'blocked')
      AND (lease_until IS NULL OR lease_until <= {now} OR lease_until > {now} + :absurd)
      AND (retry_at IS NULL OR retry_at <= {now} OR retry_at > {now} + :absurd_pause
           OR first_sent_at > {now} + :slack)
      AND (first_sent_at IS NULL
           OR (:settled = 0 AND state <> 'uncertain' AND sends < :max_sends
               AND {now} BETWEEN first_sent_at - :slack AND first_sent_at + :repeat_window)
           OR (:settled = 1 AND state = 'uncertain'))
    RETURNING sends
    """,
    int,
)
"""The statement that takes the claim and counts the send."""

# A send that certainly reached nobody, or was refused before the token was looked at, did not count.
_ABANDON = Command(
    """
    UPDATE grants
    SET state = :state, mac = :mac, lease_until = NULL, retry_at = {now} + :retry_in,
        last_error = :last_error, sends = sends - 1,
        first_sent_at = CASE WHEN sends <= 1 THEN NULL ELSE first_sent_at END
    WHERE id = :id AND generation = :generation AND attempt_id = :attempt_id AND state = 'refreshing'
    """
)

# The claim is left to run out: that spaces the repeats over the grace.
_NOTE_UNKNOWN = Command(
    """
    UPDATE grants SET last_error = :last_error
    WHERE id = :id AND generation = :generation AND attempt_id = :attempt_id AND state = 'refreshing'
    """
)

_UNCERTAIN = Command(
    """
    UPDATE grants SET state = 'uncertain', mac = :mac, last_error = :last_error, lease_until = NULL
    WHERE id = :id AND generation = :generation AND attempt_id = :attempt_id
      AND state IN ('refreshing', 'blocked')
      AND (lease_until IS NULL OR lease_until <= {now} OR :mine = 1 OR first_sent_at > {now} + :slack)
    """
)

_DEAD = Command(
    """
    UPDATE grants
    SET generation = generation + 1, state = 'dead', mac = :mac, end_reason = :reason,
        last_error = :last_error, attempt_id = NULL, lease_until = NULL, first_sent_at = NULL, sends = 0,
        retry_at = NULL,
        sealed_access = NULL, sealed_refresh = NULL, access_expires_at = NULL, ended_at = {now}
    WHERE id = :id AND generation = :generation AND attempt_id = :attempt_id AND state = 'refreshing'
    """
)

# Nothing of what was under way when the back-up was made goes on. The access token is dropped: a refresh
# since, of which nobody knows, would have ended it.
_DOUBT = Command(
    """
    UPDATE grants
    SET state = 'uncertain', mac = :mac, stored_by = :stored_by, attempt_id = NULL, lease_until = NULL,
        first_sent_at = NULL, sends = 0, retry_at = NULL, last_error = NULL, sealed_access = NULL,
        access_expires_at = NULL
    WHERE id = :id AND generation = :generation
    """
)

_TOUCH = Command("UPDATE grants SET last_used_at = {now} WHERE id = :id")


def claimed(row: GrantRow, attempt_id: str) -> dict[str, SqlValue]:
    """Name the row at the generation that was seen, and the attempt."""
    return {"id": row.id, "generation": row.generation, "attempt_id": attempt_id}


def _seen(row: GrantRow) -> dict[str, SqlValue]:
    """Name the row as it was when it was read, with its sends."""
    return {
        "id": row.id,
        "generation": row.generation,
        "seen_sends": row.sends,
        "seen_attempt": row.attempt_id or "",
    }


async def load(tx: Transaction, grant: GrantId) -> GrantRow | None:
    """Read one grant."""
    return await tx.one(_LOAD, id=grant)


async def by_user(tx: Transaction, user: UserId) -> GrantRow | None:
    """Read the one grant of a creator."""
    return await tx.one(_BY_USER, user_id=user)


async def insert(tx: Transaction, grant: GrantId, user: UserId, pair: NewPair, *, stored_by: str) -> bool:
    """Store a creator's first grant as generation 1; False when the creator has one already."""
    changed = await tx.run(
        _INSERT, id=grant, user_id=user, generation=1, stored_by=stored_by, **pair._asdict()
    )
    return changed == 1


async def replace(tx: Transaction, row: GrantRow, pair: NewPair, *, stored_by: str) -> bool:
    """Store what a new login brought over whatever state the grant is in; False when the row has changed."""
    return await tx.run(_REPLACE, **_seen(row), stored_by=stored_by, **pair._asdict()) == 1


async def keep(tx: Transaction, row: GrantRow, pair: NewPair, *, stored_by: str) -> bool:
    """Store the access token of a login that brought no refresh token; ``pair`` has the stored one again.

    What was sent of it stays counted, and a claim stays in force. False when the row has changed.
    """
    changed = await tx.run(
        _KEEP,
        id=row.id,
        generation=row.generation,
        seen_state=row.state,
        stored_by=stored_by,
        **pair._asdict(),
    )
    return changed == 1


async def save(
    tx: Transaction, grant: GrantId, generation: Generation, pair: NewPair, *, stored_by: str
) -> bool:
    """Store the successor of ``generation``; False when it is not the newest or has ended."""
    return await tx.run(SAVE, id=grant, generation=generation, stored_by=stored_by, **pair._asdict()) == 1


async def claim(
    tx: Transaction,
    row: GrantRow,
    *,
    attempt_id: str,
    mac: bytes,
    lease: float,
    max_sends: int,
    repeat_window: float,
    settled: bool,
) -> bool:
    """Take the claim for one send of the row's refresh token, and count the send before it goes out.

    Args:
        row: what the caller decided on; the claim holds only if nobody has sent or stored since.
        lease: seconds for which the claim holds.
        max_sends: sends of one generation that the grace allows.
        repeat_window: seconds after the first send within which a repeat is safe.
        settled: the caller saw the row unchanged for the settle time; allows one send past the grace.
    """
    sends = await tx.one(
        CLAIM,
        **_seen(row),
        attempt_id=attempt_id,
        mac=mac,
        lease=lease,
        absurd=ABSURD_LEASE,
        absurd_pause=ABSURD_PAUSE,
        slack=CLOCK_SLACK,
        max_sends=max_sends,
        repeat_window=repeat_window,
        settled=int(settled),
    )
    return sends is not None


async def abandon_send(
    tx: Transaction,
    row: GrantRow,
    *,
    attempt_id: str,
    state: str,
    mac: bytes,
    retry_in: float,
    last_error: str,
) -> bool:
    """Give the claim back after a send that did not use the token up; it does not count."""
    changed = await tx.run(
        _ABANDON, **claimed(row, attempt_id), state=state, mac=mac, retry_in=retry_in, last_error=last_error
    )
    return changed == 1


async def note_unknown(tx: Transaction, row: GrantRow, *, attempt_id: str, last_error: str) -> bool:
    """Remember why a send has no answer; it stays counted, and the claim runs out by itself."""
    return await tx.run(_NOTE_UNKNOWN, **claimed(row, attempt_id), last_error=last_error) == 1


async def mark_uncertain(
    tx: Transaction, row: GrantRow, *, attempt_id: str, mac: bytes, last_error: str, mine: bool
) -> bool:
    """Note that the grace is over with an answer missing; ``mine`` when the caller holds the claim."""
    changed = await tx.run(
        _UNCERTAIN,
        **claimed(row, attempt_id),
        mac=mac,
        last_error=last_error,
        mine=int(mine),
        slack=CLOCK_SLACK,
    )
    return changed == 1


async def mark_dead(
    tx: Transaction, row: GrantRow, *, attempt_id: str, mac: bytes, reason: str, last_error: str
) -> bool:
    """End the grant on the server's word and drop its tokens."""
    changed = await tx.run(_DEAD, **claimed(row, attempt_id), mac=mac, reason=reason, last_error=last_error)
    return changed == 1


async def doubt(tx: Transaction, row: GrantRow, *, mac: bytes, stored_by: str) -> None:
    """Make a grant of a restored back-up uncertain, with nothing sent and nothing claimed."""
    await tx.run(_DOUBT, id=row.id, generation=row.generation, mac=mac, stored_by=stored_by)


async def touch(tx: Transaction, grant: GrantId) -> None:
    """Note that the grant was used."""
    await tx.run(_TOUCH, id=grant)
