"""What is said of a pattern that no known event matches."""

import pytest

from fankeep.fanvue import EVENT_TYPES
from fankeep.fanvue.event_patterns import unmatched


@pytest.mark.parametrize("pattern", ["*", "creator.*", "creator.message.received", "*.received", "message.*"])
def test_nothing_is_said_of_a_pattern_that_a_known_event_matches(pattern):
    assert unmatched(pattern) is None


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_known_event_is_known(name):
    assert unmatched(name) is None


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("creator.mesage.*", "creator.message.*"),
        ("creater.*", "creator.*"),
        ("creator.message.recieved", "creator.message.received"),
        ("chekout_link.payment.*", "checkout_link.payment.*"),
    ],
)
def test_of_a_slip_it_says_what_was_meant(pattern, meant):
    assert unmatched(pattern) == f"no known event matches {pattern}; did you mean {meant}?"


def test_of_something_quite_different_it_says_only_that_it_is_not_known():
    assert unmatched("zzz.qqq") == "no known event matches zzz.qqq"


def test_other_names_can_be_known_too():
    assert unmatched("fankeep.*") is not None
    assert unmatched("fankeep.*", also=["fankeep.test"]) is None
