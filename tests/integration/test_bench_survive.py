"""A short run of the benchmark of survival: real processes, killed at every step of a refresh."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEPS = {
    "before_claim",
    "after_claim",
    "after_send",
    "after_rotation",
    "after_answer",
    "before_commit",
    "after_commit",
}


ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def both():
    """Both runs at once; most of the time each of them waits."""
    runs = {
        engine: subprocess.Popen(
            [sys.executable, "-m", "bench.survive", "--short", "--engine", engine],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for engine in ENGINES
    }
    try:
        return {engine: (*run.communicate(timeout=540), run.returncode) for engine, run in runs.items()}
    finally:
        for run in runs.values():
            run.kill()


@pytest.fixture(params=ENGINES)
def results(request, both):
    output, errors, code = both[request.param]
    assert output, errors
    return [json.loads(line) for line in output.splitlines()], errors, code


def of(results, metric):
    return [line for line in results[0] if line["metric"] == metric]


def test_processes_are_killed_at_every_step(results):
    at_steps = [line for line in of(results, "kills") if "step" in line]
    assert {line["step"] for line in at_steps} == STEPS
    assert all(line["value"] >= 1 for line in at_steps)


def test_no_grant_is_lost(results):
    (lost,) = of(results, "grants_lost")
    assert lost["value"] == 0, (lost, results[1])
    assert lost["of"] > 20


def test_no_spent_token_is_sent_again_too_late(results):
    for metric in ("reuse_detections", "overlaps", "sends_after_the_grace"):
        assert [line["value"] for line in of(results, metric)] == [0], metric
    assert {line["grace_s"] for line in results[0]} == {30.0}


def test_the_run_says_by_its_exit_code_that_all_is_as_it_has_to_be(results):
    assert results[2] == 0, results[1]


def test_connections_to_a_server_are_cut_after_a_commit_was_sent(results):
    (cut,) = of(results, "commits_cut")
    assert (cut["value"] > 0) == (cut["engine"] == "postgresql")
