"""What a caller does about a grant, decided from its row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fankeep.errors import ReconnectRequired, RetryableError
from fankeep.store.grants import ABSURD_LEASE, ABSURD_PAUSE, CLOCK_SLACK, GrantRow
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault.decide import NoteGraceOver, Refuse, Send, Serve, Settle, Wait, decide
from fankeep.vault.states import State
from fankeep.vault.timing import Timing

TIMING = Timing()


def grant(**changes: Any) -> GrantRow:
    row = GrantRow(
        id=GrantId("0" * 32),
        user_id=UserId("00000000-0000-4000-8000-000000000001"),
        generation=Generation(3),
        state="live",
        attempt_id=None,
        sends=0,
        stored_by="a",
        sealed_access=b"access",
        sealed_refresh=b"refresh",
        access_left=3000.0,
        access_lifetime=3600.0,
        lease_left=None,
        since_first_send=None,
        retry_in=None,
        stored_age=600.0,
        unused_for=1.0,
        ended_for=None,
        scopes="openid",
        last_error=None,
        end_reason=None,
        mac=b"",
    )
    return row._replace(**changes)


def unanswered(**changes: Any) -> GrantRow:
    return grant(**{"state": "refreshing", "attempt_id": "b", "sends": 1, "since_first_send": 8.0, **changes})


def test_a_token_with_life_left_is_served() -> None:
    assert decide(grant(), TIMING) == Serve()


def test_a_token_inside_the_margin_is_refreshed() -> None:
    assert decide(grant(access_left=59.0), TIMING) == Send(settled=False)


def test_the_margin_of_a_short_lived_token_is_a_tenth_of_its_life() -> None:
    assert decide(grant(access_left=0.3, access_lifetime=2.0), TIMING) == Serve()
    assert decide(grant(access_left=0.1, access_lifetime=2.0), TIMING) == Send(settled=False)


def test_a_refused_token_is_refreshed_although_it_has_life_left() -> None:
    assert decide(grant(), TIMING, forced=True) == Send(settled=False)


def test_a_token_whose_successor_may_exist_is_not_served() -> None:
    assert decide(unanswered(lease_left=3.0), TIMING) == Wait()


def test_a_claim_of_somebody_else_is_waited_for() -> None:
    assert decide(unanswered(access_left=-1.0, lease_left=0.001), TIMING) == Wait()


def test_a_blocked_grant_serves_its_token_unless_a_send_of_it_is_unanswered() -> None:
    assert decide(grant(state="blocked", retry_in=20.0), TIMING) == Serve()
    refused = decide(unanswered(state="blocked", retry_in=20.0), TIMING)
    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, RetryableError)
    assert decide(unanswered(state="blocked"), TIMING) == Send(settled=False)
    assert decide(unanswered(state="blocked", since_first_send=22.1), TIMING) == NoteGraceOver()


@pytest.mark.parametrize("lease_left", [None, 0.0, -5.0, ABSURD_LEASE + 1])
def test_a_claim_that_ran_out_or_is_absurdly_far_off_does_not_hold(lease_left: float | None) -> None:
    assert decide(unanswered(lease_left=lease_left), TIMING) == Send(settled=False)


def test_an_unanswered_token_is_repeated_only_inside_the_window() -> None:
    assert decide(unanswered(since_first_send=21.9), TIMING) == Send(settled=False)
    assert decide(unanswered(since_first_send=22.1), TIMING) == NoteGraceOver()


def test_an_unanswered_token_is_repeated_only_so_often() -> None:
    assert decide(unanswered(sends=2), TIMING) == Send(settled=False)
    assert decide(unanswered(sends=3), TIMING) == NoteGraceOver()


def test_past_the_grace_nothing_is_sent_until_the_row_has_settled() -> None:
    row = unanswered(state="uncertain", since_first_send=40.0)
    assert decide(row, TIMING) == Settle()
    assert decide(row, TIMING, settled=True) == Send(settled=True)


def test_a_paused_grant_is_served_to_the_end_of_its_token_and_refused_after() -> None:
    assert decide(grant(access_left=1.0, retry_in=20.0), TIMING) == Serve()
    refused = decide(grant(access_left=-1.0, retry_in=20.0), TIMING)
    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, RetryableError)
    assert refused.error.retry_after == 20.0


def test_a_pause_that_no_server_may_ask_for_is_none() -> None:
    assert isinstance(decide(grant(access_left=-1.0, retry_in=ABSURD_PAUSE), TIMING), Refuse)
    assert decide(grant(access_left=-1.0, retry_in=ABSURD_PAUSE + 1), TIMING) == Send(settled=False)


@pytest.mark.parametrize("state", ["dead", "ending"])
def test_an_ended_grant_asks_for_a_new_login_and_says_why(state: str) -> None:
    refused = decide(grant(state=state, end_reason="revoked_at_fanvue"), TIMING)
    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, ReconnectRequired)
    assert refused.error.reason == "revoked_at_fanvue"


def test_without_a_refresh_token_the_access_token_is_served_until_it_ends() -> None:
    assert decide(grant(sealed_refresh=None, access_left=1.0), TIMING) == Serve()
    refused = decide(grant(sealed_refresh=None, access_left=-1.0), TIMING)
    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, ReconnectRequired)


def test_what_was_sent_in_the_future_is_past_the_grace() -> None:
    assert decide(unanswered(since_first_send=-1800.0, lease_left=50.0), TIMING) == NoteGraceOver()
    assert decide(unanswered(state="uncertain", since_first_send=-1800.0), TIMING) == Settle()


def test_an_uncertain_grant_is_not_repeated_although_the_window_seems_open_again() -> None:
    assert decide(unanswered(state="uncertain", since_first_send=8.0), TIMING) == Settle()


seconds = st.none() | st.floats(-1e5, 1e5)


@given(
    state=st.sampled_from([state.value for state in State]),
    sends=st.integers(0, 5),
    access_left=seconds,
    lease_left=seconds,
    since_first_send=seconds,
    retry_in=seconds,
    sealed_refresh=st.none() | st.just(b"r"),
    forced=st.booleans(),
    settled=st.booleans(),
)
def test_no_row_makes_a_send_that_the_rules_forbid(forced: bool, settled: bool, **columns: Any) -> None:
    row = grant(**columns)
    decision = decide(row, TIMING, forced=forced, settled=settled)
    if isinstance(decision, Send):
        assert row.state not in ("dead", "ending")
        assert row.sealed_refresh is not None
        held = row.lease_left is not None and 0 < row.lease_left <= ABSURD_LEASE
        repeat = row.since_first_send is not None
        set_back = row.since_first_send is not None and row.since_first_send < -CLOCK_SLACK
        assert not held or set_back
        assert not set_back or decision.settled
        in_grace = row.sends < TIMING.max_sends and (row.since_first_send or 0.0) < TIMING.repeat_window
        assert not repeat or in_grace or (settled and row.state == "uncertain" and decision.settled)
    if isinstance(decision, Serve):
        assert row.sends == 0
        assert row.sealed_access is not None
        assert row.access_left is not None
        assert row.access_left > 0
