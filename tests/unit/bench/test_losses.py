"""A loss is put down to a kill only when that kill can have caused it."""

import json
import signal

import pytest
from bench.rig.crew import Stop
from bench.rig.losses import Loss, explained, refreshes_sent
from bench.rig.steps_of_a_refresh import Step

LOST = Loss("g", 5, rotated_at=10.1)
WITHIN = 8.0


def line(event, at, *, grant="g", generation=5):
    stamp = f"2026-01-01T00:00:{at:06.3f}Z"
    return json.dumps({"event": event, "grant": grant, "generation": generation, "timestamp": stamp})


def stop(process, at, how=signal.SIGKILL):
    return Stop(process, Step.AFTER_ROTATION, at, how)


@pytest.fixture
def judged(tmp_path):
    """Say for logs by process, and for stops, whether the loss is explained; times count from the minute."""

    def judge(logs, stops, loss=LOST):
        for process, lines in logs.items():
            (tmp_path / f"worker-{process}.log").write_text("\n".join(lines))
        found = refreshes_sent(tmp_path)
        start = found[0].at - found[0].at % 60 if found else 0.0
        shifted = Loss(loss.grant, loss.generation, start + loss.rotated_at)
        moved = [Stop(one.process, one.step, start + one.at, one.how) for one in stops]
        return explained(shifted, found, moved, within=WITHIN)

    return judge


def test_the_process_whose_send_was_rotated_was_killed_before_it_stored_the_answer(judged):
    assert judged({1: [line("refresh_sent", 10.0)]}, [stop(1, 10.2)])


def test_a_kill_of_another_process_explains_nothing(judged):
    assert not judged({1: [line("refresh_sent", 10.0)], 2: []}, [stop(2, 10.2)])


def test_without_any_kill_nothing_is_explained(judged):
    assert not judged({1: [line("refresh_sent", 10.0)]}, [])


def test_a_kill_before_the_send_explains_nothing(judged):
    assert not judged({1: [line("refresh_sent", 10.0)]}, [stop(1, 9.9)])


def test_a_kill_long_after_the_send_explains_nothing(judged):
    assert not judged({1: [line("refresh_sent", 10.0)]}, [stop(1, 18.1)])


def test_a_process_that_was_only_stopped_could_go_on(judged):
    stops = [stop(1, 10.2, signal.SIGSTOP), stop(1, 11.0)]
    assert not judged({1: [line("refresh_sent", 10.0)]}, stops)


def test_what_was_stored_was_not_lost_by_a_kill(judged):
    lines = [line("refresh_sent", 10.0), line("refresh_stored", 10.15, generation=6)]
    assert not judged({1: lines}, [stop(1, 10.2)])


def test_the_sender_counts_whose_send_came_last_before_the_rotation(judged):
    logs = {1: [line("refresh_sent", 2.0)], 2: [line("refresh_sent", 10.0)], 3: [line("refresh_sent", 17.0)]}
    assert judged(logs, [stop(2, 10.3)])
    assert not judged(logs, [stop(1, 2.3), stop(3, 17.3)])


def test_sends_of_other_grants_and_generations_are_not_looked_at(judged):
    lines = [line("refresh_sent", 10.0, grant="h"), line("refresh_sent", 10.0, generation=4)]
    assert not judged({1: lines}, [stop(1, 10.2)])


def test_a_torn_line_and_lines_of_the_worker_are_passed_over(judged):
    lines = ["12.3 user refresh_pending", '{"event": "refresh_se', line("refresh_sent", 10.0), "[1]"]
    assert judged({1: lines}, [stop(1, 10.2)])
