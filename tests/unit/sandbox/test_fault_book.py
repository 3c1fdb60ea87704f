"""Which fault strikes which request: by count, by time, by chance, and in which order."""

import pytest

from fankeep.sandbox import SandboxClock
from fankeep.sandbox.fault_book import FaultBook
from fankeep.sandbox.fault_reading import read_fault
from fankeep.sandbox.faults import FaultKind, Target


class Time:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return SandboxClock(Time())


@pytest.fixture
def book(clock):
    return FaultBook(7, clock)


def arm(book, kind, **more):
    return book.arm(read_fault({"kind": kind, **more}))


def struck(book, times, target=Target.TOKEN, mark="refresh_token"):
    """Which kind struck each of so many requests; a dot for none."""
    faults = [book.take(target, mark) for _ in range(times)]
    return " ".join(fault.kind.value if fault else "." for fault in faults)


def test_a_fault_strikes_once_and_is_over(book):
    arm(book, "lost")
    assert struck(book, 3) == "lost . ."
    assert book.armed == []


def test_skip_and_count_say_which_requests_in_a_row(book):
    arm(book, "lost", skip=2, count=2)
    assert struck(book, 6) == ". . lost lost . ."


def test_all_is_every_request_until_it_is_disarmed(book):
    arm(book, "race", count="all")
    assert struck(book, 3) == "race race race"
    book.disarm()
    assert struck(book, 1) == "."


def test_faults_strike_in_the_order_in_which_they_were_armed_one_at_a_time(book):
    arm(book, "held")
    arm(book, "status", count=2)
    arm(book, "lost")
    assert struck(book, 5) == "held status status lost ."


def test_each_fault_counts_every_request_also_those_that_another_one_strikes(book):
    arm(book, "lost", count=2)
    arm(book, "race", skip=3)
    assert struck(book, 5) == "lost lost . race ."


def test_a_fault_strikes_its_target_and_what_its_filter_lets_through(book):
    arm(book, "lost", grant_type="refresh_token")
    arm(book, "firewall", target="api", operation="getCurrentUser")
    assert struck(book, 1, mark="authorization_code") == "."
    assert struck(book, 1, target=Target.REVOKE) == "."
    assert struck(book, 1) == "lost"
    assert struck(book, 1, target=Target.API, mark="listChats") == "."
    assert struck(book, 1, target=Target.API, mark="getCurrentUser") == "firewall"


def test_start_and_end_are_seconds_since_it_was_armed(book, clock):
    clock.advance(100)
    arm(book, "lost", count="all", start=10, end=20)
    pattern = []
    for passed in (0, 9, 1, 9, 1):
        clock.advance(passed)
        pattern.append(struck(book, 1))
    assert pattern == [".", ".", "lost", "lost", "."]
    assert book.armed == []


def test_skip_counts_from_the_start_on(book, clock):
    arm(book, "lost", start=10, skip=1)
    assert struck(book, 5) == ". . . . ."
    clock.advance(10)
    assert struck(book, 3) == ". lost ."


def test_a_wrong_clock_does_not_change_how_long_a_fault_has_been_armed(book, clock):
    arm(book, "lost", start=10)
    clock.skew = 3600.0
    assert struck(book, 1) == "."


def test_chance_is_repeated_by_the_same_seed_only(clock):
    def pattern(seed):
        book = FaultBook(seed, clock)
        arm(book, "lost", count="all", chance=0.3)
        return struck(book, 200)

    assert pattern(7) == pattern(7)
    assert pattern(7) != pattern(8)
    assert 20 <= pattern(7).count("lost") <= 100


def test_the_chance_of_one_fault_does_not_depend_on_another(clock):
    alone, beside = FaultBook(7, clock), FaultBook(7, clock)
    for book in (alone, beside):
        arm(book, "slow", count="all", chance=0.3)
    arm(beside, "status", target="api", count="all", chance=0.5)
    pattern = []
    for _ in range(100):
        pattern.append(struck(beside, 1))
        struck(beside, 1, target=Target.API)
    assert " ".join(pattern) == struck(alone, 100)


def test_incidents_strike_all_at_once_and_spoil_nothing(book):
    arm(book, "secret_reset")
    arm(book, "clock_skew", seconds=5)
    arm(book, "scopes_removed", target="token", scopes=["read:chat"])
    assert struck(book, 1) == "."
    assert [fault.kind for fault in book.incidents(Target.ANY)] == [
        FaultKind.SECRET_RESET,
        FaultKind.CLOCK_SKEW,
    ]
    assert [fault.kind for fault in book.incidents(Target.TOKEN)] == [FaultKind.SCOPES_REMOVED]
    assert book.incidents(Target.ANY) == []


def test_a_scenario_takes_the_place_of_what_is_armed_and_goes_on_when_it_is_the_same(book):
    arm(book, "race")
    scenario = (read_fault({"kind": "lost", "count": 2}),)
    book.follow(scenario)
    assert struck(book, 1) == "lost"
    book.follow(scenario)
    assert struck(book, 2) == "lost ."
    book.follow((read_fault({"kind": "held"}),))
    assert [armed.fault.kind for armed in book.armed] == [FaultKind.HELD]
    book.follow(())
    assert len(book.armed) == 1
