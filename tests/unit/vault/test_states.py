"""The table of a grant's states."""

from __future__ import annotations

import pytest

from fankeep.vault.states import ALIVE, TRANSITIONS, Event, State, after


def test_every_state_can_be_reached_and_only_a_login_leaves_death() -> None:
    assert set(TRANSITIONS.values()) == set(State)
    assert {event for state, event in TRANSITIONS if state is State.DEAD} == {
        Event.LOGGED_IN,
        Event.CONDEMNED,
    }


def test_only_a_living_grant_can_be_claimed_or_ended() -> None:
    for event in (Event.CLAIMED, Event.ENDED):
        assert {state for state, happened in TRANSITIONS if happened is event} == ALIVE


def test_a_login_that_keeps_the_token_keeps_the_state_as_well() -> None:
    kept = {state: after for (state, event), after in TRANSITIONS.items() if event is Event.LOGIN_KEPT}
    assert kept == {state: state for state in ALIVE}


def test_a_move_outside_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="dead cannot be claimed"):
        after(State.DEAD, Event.CLAIMED)
