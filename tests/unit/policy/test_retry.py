import pytest

from fankeep.policy import DELIVERY_RETRIES, GiveUp, RetryIn, RetrySchedule

SCHEDULE = RetrySchedule(first=2.0, factor=3.0, cap=20.0, tries=5)


def test_waits_grow_by_the_factor_up_to_the_cap():
    waits = [SCHEDULE.after(failures, jitter=0.0) for failures in range(1, 5)]
    assert waits == [RetryIn(1.0), RetryIn(3.0), RetryIn(9.0), RetryIn(10.0)]


def test_jitter_spreads_a_wait_over_its_second_half():
    assert SCHEDULE.after(2, jitter=0.5) == RetryIn(4.5)


def test_after_the_last_try_it_is_given_up():
    assert SCHEDULE.after(5, jitter=0.0) == GiveUp()
    assert SCHEDULE.after(500, jitter=0.0) == GiveUp()


@pytest.mark.parametrize(
    ("failures", "jitter"), [(0, 0.0), (-1, 0.0), (1, 1.0), (1, -0.1), (1, float("nan"))]
)
def test_nonsense_is_a_mistake_of_the_caller(failures, jitter):
    with pytest.raises(ValueError):
        SCHEDULE.after(failures, jitter=jitter)


@pytest.mark.parametrize("wrong", [{"first": 0.0}, {"first": 30.0}, {"factor": 0.5}, {"tries": 0}])
def test_a_schedule_that_makes_no_sense_cannot_be_made(wrong):
    with pytest.raises(ValueError):
        RetrySchedule(**{"first": 2.0, "factor": 3.0, "cap": 20.0, "tries": 5, **wrong})


def test_how_long_all_tries_take_at_most():
    assert SCHEDULE.longest(each=100.0) == 500.0 + 2.0 + 6.0 + 18.0 + 20.0
    assert RetrySchedule(first=2.0, factor=3.0, cap=20.0, tries=1).longest(each=7.0) == 7.0


def test_deliveries_are_tried_for_more_than_a_day_and_end():
    waits = []
    failures = 1
    while isinstance(wait := DELIVERY_RETRIES.after(failures, jitter=0.5), RetryIn):
        waits.append(wait.seconds)
        failures += 1
    assert waits[0] <= 2.0
    assert 86_400 < sum(waits) < 3 * 86_400
