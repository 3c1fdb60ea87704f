"""A run of the benchmark of survival counts only with the kills that it promises."""

import signal
from dataclasses import replace

import pytest
from bench import survive
from bench.rig.crew import Crew, Stop
from bench.rig.steps_of_a_refresh import Step

PLAN = replace(survive.SHORT, kills=2, least_in_all=15)


def crew(kills, anywhere=0, how=signal.SIGKILL):
    made = Crew(place=None, job=None, logs=None)
    made.stops = [Stop(0, step, 0.0, how) for step in Step for _ in range(kills)]
    made.stops += [Stop(0, None, 0.0, how)] * anywhere
    return made


def test_enough_at_each_step_and_in_all_is_enough():
    assert survive._killed_enough(PLAN, crew(2, anywhere=1))


def test_too_few_in_all_is_not():
    assert not survive._killed_enough(PLAN, crew(2))


def test_a_step_without_its_kills_is_not_made_up_for_by_others():
    short = crew(2, anywhere=9)
    short.stops.remove(Stop(0, Step.AFTER_ROTATION, 0.0, signal.SIGKILL))
    assert not survive._killed_enough(PLAN, short)


def test_a_process_that_was_only_stopped_was_not_killed():
    assert not survive._killed_enough(PLAN, crew(9, how=signal.SIGSTOP))


@pytest.mark.parametrize("part", survive._PARTS)
def test_a_part_leaves_the_others_out(part):
    plan = survive._only(survive._DEFAULT, part)
    assert (plan.kills > 0, plan.grace_0 > 0, plan.sensitivity) == tuple(
        part == one for one in survive._PARTS
    )


def test_the_full_run_promises_twenty_kills_a_step_and_three_hundred_in_all():
    plan = survive._DEFAULT
    assert plan.kills >= 20
    assert plan.least_in_all >= 300
    assert plan.grace == 30.0
