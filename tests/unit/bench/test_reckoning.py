"""What the benchmark of deliveries counts as lost, and as done more than once."""

import pytest
from bench.rig.post_office import Effect, Stored
from bench.rig.postbag import PLAIN, TWO_PHASE, Letter
from bench.rig.reckoning import reckon

DIGESTS = {name: bytes([number] * 16) for number, name in enumerate("abcdef")}
BAG = [Letter(name, TWO_PHASE if name in "abc" else PLAIN, b"") for name in "abcdef"]


def rows(states=None):
    return [Stored(digest, (states or {}).get(name, "handled"), 1) for name, digest in DIGESTS.items()]


def effects(names):
    return [Effect(name, DIGESTS[name].hex()) for name in names]


def test_when_every_event_is_handled_with_its_effect_nothing_is_lost():
    found = reckon(BAG, set("abcdef"), rows(), effects("abc"), effects("def"))
    assert (found.acknowledged, found.rows, found.lost, found.effects_not_once) == (6, 6, 0, 0)


@pytest.mark.parametrize(
    ("states", "two_phase", "plain"),
    [({}, "bc", "def"), ({}, "abc", "ef"), ({"a": "pending"}, "abc", "def"), ({"d": "dead"}, "abc", "def")],
)
def test_an_acknowledged_event_without_a_handled_row_and_its_effect_is_lost(states, two_phase, plain):
    assert reckon(BAG, set("abcdef"), rows(states), effects(two_phase), effects(plain)).lost == 1


def test_an_event_whose_row_is_gone_is_lost():
    assert reckon(BAG, set("abcdef"), rows()[1:], effects("abc"), effects("def")).lost == 1


def test_what_was_never_acknowledged_is_not_lost():
    assert reckon(BAG, set("bcdef"), rows()[1:], effects("bc"), effects("def")).lost == 0


def test_the_effect_of_a_two_phase_handler_counts_when_it_is_missing_and_when_it_is_double():
    assert reckon(BAG, set("abcdef"), rows(), effects("aab"), effects("def")).effects_not_once == 2


def test_a_plain_handler_may_run_more_than_once():
    found = reckon(BAG, set("abcdef"), rows(), effects("abc"), effects("ddef"))
    assert (found.lost, found.plain_more_than_once, found.plain_never) == (0, 1, 0)
