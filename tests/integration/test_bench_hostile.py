"""A short run of the benchmark of hostile input; the long one tries a million pairs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results():
    done = subprocess.run(
        [sys.executable, "-m", "bench.hostile", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(results, metric, by):
    (line,) = [line for line in results if line["metric"] == metric and line.get("by") == by]
    return line


@pytest.mark.parametrize("by", ["generator", "hypothesis"])
def test_no_pair_that_was_not_signed_is_accepted_or_raises_anything_foreign(results, by):
    tried = of(results, "pairs", by)["value"]
    assert tried >= 300
    for metric in ("accepted", "foreign_exceptions"):
        line = of(results, metric, by)
        assert (line["value"], line["of"]) == (0, tried)


def test_genuine_pairs_in_between_are_accepted(results):
    (line,) = [line for line in results if line["metric"] == "genuine_refused"]
    assert line["value"] == 0 < line["of"]


def test_signed_hostile_bodies_are_stored_whole_or_refused_with_one_answer(results):
    (sent,) = [line for line in results if line["metric"] == "signed_bodies"]
    assert set(json.loads(sent["statuses"])) <= {"200", "400", "401", "405", "413", "415"}
    assert of(results, "foreign_exceptions", "gateway")["value"] == 0
    assert of(results, "answers_of_a_status", "gateway")["value"] == 1
    (half,) = [line for line in results if line["metric"] == "half_stored"]
    assert half["value"] == 0 < half["of"]


def test_looking_by_coverage_finds_nothing(results):
    pytest.importorskip("atheris", reason="there is no package of atheris for this platform")
    for target in ("pairs", "bodies"):
        assert of(results, target, "atheris")["value"] >= 1000
