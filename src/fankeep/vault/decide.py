"""What to do about a grant, as a pure function of its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fankeep.errors import FankeepError, ReconnectRequired, RetryableError
from fankeep.store.grants import ABSURD_LEASE, ABSURD_PAUSE, CLOCK_SLACK, GrantRow
from fankeep.vault.states import State
from fankeep.vault.timing import Timing

__all__ = [
    "Decision",
    "NoteGraceOver",
    "Refuse",
    "Send",
    "Serve",
    "Settle",
    "Wait",
    "decide",
    "leased",
    "paused",
]


@dataclass(frozen=True, slots=True)
class Serve:
    """The stored access token is good."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody holds the claim; look again soon."""


@dataclass(frozen=True, slots=True)
class Send:
    """Claim the grant and send its refresh token; ``settled`` for the one send past the grace."""

    settled: bool


@dataclass(frozen=True, slots=True)
class NoteGraceOver:
    """An answer is missing and a repeat is not safe any more: the grant becomes uncertain."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Watch the row; a living owner of an earlier send may still bring the answer."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The caller gets this error."""

    error: FankeepError


Decision: TypeAlias = Serve | Wait | Send | NoteGraceOver | Settle | Refuse


def decide(row: GrantRow, timing: Timing, *, forced: bool = False, settled: bool = False) -> Decision:
    """Decide what a caller who needs an access token does next.

    Args:
        row: the grant, read just now.
        timing: the bounds.
        forced: the API refused the stored access token, so its expiry does not count.
        settled: this process saw the row unchanged for the settle time.
    """
    if row.state in (State.DEAD, State.ENDING):
        return Refuse(ReconnectRequired(row.end_reason or "ended"))
    if not forced and _fresh(row, timing):
        return Serve()
    if row.sealed_refresh is None:
        return Refuse(ReconnectRequired("no_refresh_token"))
    if not _set_back(row):
        if leased(row):
            return Wait()
        if paused(row):
            return Refuse(RetryableError("the connection to Fanvue is paused", retry_after=row.retry_in))
    return _send(row, timing, settled=settled)


def leased(row: GrantRow) -> bool:
    """Whether somebody's claim still holds; one that is absurdly far off is no claim."""
    return row.lease_left is not None and 0 < row.lease_left <= ABSURD_LEASE


def paused(row: GrantRow) -> bool:
    """Whether the server asked for patience; a pause that is absurdly long is none."""
    return row.retry_in is not None and 0 < row.retry_in <= ABSURD_PAUSE


def _set_back(row: GrantRow) -> bool:
    """Whether the database's clock was set back after the first send: then nobody knows if the grace runs."""
    return row.since_first_send is not None and row.since_first_send < -CLOCK_SLACK


def _fresh(row: GrantRow, timing: Timing) -> bool:
    """Whether the access token can be served.

    Once a refresh token was sent, the server may have rotated, and rotation kills the paired access token:
    so only a row without an unanswered send counts. Near its expiry a token is served only when there is
    no way to a better one right now.
    """
    if row.sealed_access is None or row.access_left is None:
        return False
    if row.sends or row.state not in (State.LIVE, State.BLOCKED):
        return False
    if paused(row) or row.sealed_refresh is None:
        return row.access_left > 0
    return row.access_left > timing.margin_of(row.access_lifetime or 0.0)


def _send(row: GrantRow, timing: Timing, *, settled: bool) -> Decision:
    if row.since_first_send is None:
        return Send(settled=False)
    if row.state == State.UNCERTAIN:
        return Send(settled=True) if settled else Settle()
    if not _set_back(row) and row.sends < timing.max_sends and row.since_first_send < timing.repeat_window:
        return Send(settled=False)
    return NoteGraceOver()
