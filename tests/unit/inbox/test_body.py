import pytest

from fankeep.inbox import ReceivedEvent
from fankeep.inbox.body import event_body

EVENT = {
    "id": "0" * 32,
    "type": "payout.paid",
    "family": "creator",
    "creator": None,
    "received_at": 1_794_694_400.0,
    "data": {},
    "attempt": 1,
    "replayed": False,
}


@pytest.mark.parametrize("occurred_at", [None, -62_135_596_801.0, 1e300, float("nan")])
def test_an_event_that_says_no_time_or_none_that_can_be_written_has_the_time_at_which_it_came(occurred_at):
    assert event_body(ReceivedEvent(occurred_at=occurred_at, **EVENT))["timestamp"] == "2026-11-14T22:13:20Z"


def test_an_event_has_the_time_that_it_says():
    assert event_body(ReceivedEvent(occurred_at=0.0, **EVENT))["timestamp"] == "1970-01-01T00:00:00Z"
