"""The states of a grant and the moves between them, as one table that code, docs and tests read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["ALIVE", "TRANSITIONS", "Event", "State", "after"]


class State(StrEnum):
    """Where a grant stands."""

    LIVE = "live"
    """A pair is stored and no answer is missing."""
    REFRESHING = "refreshing"
    """The refresh token was sent, or is about to be; within the grace an unanswered send is repeated."""
    UNCERTAIN = "uncertain"
    """The grace is over and an answer is missing; nothing is sent until the row has settled."""
    BLOCKED = "blocked"
    """The server refuses the app, not the creator; the operator has to act."""
    ENDING = "ending"
    """Not used any more; the token waits for its revocation to be confirmed."""
    DEAD = "dead"
    """Over. Only a new login helps."""


class Event(StrEnum):
    """What happens to a grant."""

    CLAIMED = "claimed"
    STORED = "stored"
    NOT_USED_UP = "not_used_up"
    """The send certainly did not use the token up and no other send is unanswered."""
    STILL_OPEN = "still_open"
    """The send certainly did not use the token up, but an earlier one is unanswered."""
    GRACE_OVER = "grace_over"
    APP_REFUSED = "app_refused"
    GRANT_REFUSED = "grant_refused"
    ENDED = "ended"
    REVOKED = "revoked"
    CONDEMNED = "condemned"
    LOGGED_IN = "logged_in"
    LOGIN_KEPT = "login_kept"
    """A login brought no refresh token, so the stored one stays, with what is open about it."""
    RESTORED = "restored"
    """The row comes from a back-up, and its refresh token may be spent."""


ALIVE = frozenset({State.LIVE, State.REFRESHING, State.UNCERTAIN, State.BLOCKED})
"""The states from which a refresh may be claimed."""

TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        **{(state, Event.CLAIMED): State.REFRESHING for state in ALIVE},
        **{(state, Event.ENDED): State.ENDING for state in ALIVE},
        **{(state, Event.RESTORED): State.UNCERTAIN for state in ALIVE},
        **{(state, Event.LOGGED_IN): State.LIVE for state in State},
        **{(state, Event.LOGIN_KEPT): state for state in ALIVE},
        # A late owner of any send of this generation may still bring its successor.
        (State.LIVE, Event.STORED): State.LIVE,
        (State.REFRESHING, Event.STORED): State.LIVE,
        (State.UNCERTAIN, Event.STORED): State.LIVE,
        (State.BLOCKED, Event.STORED): State.LIVE,
        (State.REFRESHING, Event.NOT_USED_UP): State.LIVE,
        (State.REFRESHING, Event.STILL_OPEN): State.REFRESHING,
        (State.REFRESHING, Event.GRACE_OVER): State.UNCERTAIN,
        (State.BLOCKED, Event.GRACE_OVER): State.UNCERTAIN,
        (State.REFRESHING, Event.APP_REFUSED): State.BLOCKED,
        (State.REFRESHING, Event.GRANT_REFUSED): State.DEAD,
        # The newest token of an ending grant is kept, so that it is the one revoked.
        (State.ENDING, Event.STORED): State.ENDING,
        (State.ENDING, Event.REVOKED): State.DEAD,
        # A row that is not authentic: whatever it says, it ends when its creator asks for it.
        **{(state, Event.CONDEMNED): State.ENDING for state in State},
    }
)


def after(state: State, event: Event) -> State:
    """Return the state that follows; a move that the table does not know is a mistake in this package."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a grant that is {state} cannot be {event}") from None
