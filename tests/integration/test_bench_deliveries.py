"""A short run of the benchmark of deliveries: real processes, killed while events come in and are handled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVENTS, KILLS = 400, 6


@pytest.fixture(scope="module")
def results():
    done = subprocess.run(
        [sys.executable, "-m", "bench.deliveries", "--short", "--events", str(EVENTS), "--kills", str(KILLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {line["metric"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_gateways_and_workers_were_killed_while_every_event_was_sent(results):
    assert results["sent"]["value"] == results["sent"]["acknowledged"] == EVENTS
    assert results["sent"]["requests"] > EVENTS
    assert results["kills"]["value"] == KILLS


def test_no_acknowledged_event_is_lost(results):
    assert (results["lost"]["value"], results["lost"]["of"]) == (0, EVENTS)


def test_no_repeat_became_a_second_row(results):
    assert results["rows"]["value"] == EVENTS


def test_every_effect_of_a_two_phase_handler_happened_once(results):
    assert results["effects_not_once"]["value"] == 0


def test_no_plain_handler_was_left_out(results):
    assert results["never"]["value"] == 0
