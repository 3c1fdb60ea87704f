"""A short run of the benchmark of webhook deliveries: real processes, real load, the promised lines."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


SHORT = ("--rounds", "1", "--seconds", "0.3", "--concurrency", "8", "--processes", "1")


def run(*more):
    done = subprocess.run(
        [sys.executable, "-m", "bench.webhooks", *SHORT, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def results():
    return run("--engines", "sqlite", "--stored", "1000")


def of(results, metric, **more):
    return [line for line in results if line["metric"] == metric and more.items() <= line.items()]


def test_every_line_names_bench_metric_value_and_unit(results):
    for line in results:
        assert line["bench"] == "webhooks"
        assert {"metric", "value", "unit", "beside", "engine"} <= line.keys()


def check_beside(results, engine):
    """Rate, processor time and delay stand beside those of others in the same run, and nothing is lost."""
    for metric, unit in (("deliveries_per_s", "1/s"), ("cpu_us", "us")):
        (line,) = of(results, metric, processes=1)
        assert (line["unit"], line["engine"], set(line["beside"])) == (unit, engine, {"bare", "plain"})
        assert min(line["value"], *line["beside"].values()) > 0
    (line,) = of(results, "p99_ms")
    assert (line["unit"], set(line["beside"])) == ("ms", {"bare"})
    assert min(line["value"], line["beside"]["bare"], line["at_per_s"]) > 0
    (line,) = of(results, "lost", processes=1)[:1]
    assert line["value"] == 0
    assert line["rows"] == line["acknowledged"] > 0


def test_rate_and_delay_stand_beside_those_of_a_bare_and_a_plain_receiver(results):
    check_beside(results, "sqlite")


def test_postgresql_is_measured_in_the_same_way():
    check_beside(run("--engines", "postgresql", "--parts", "beside"), "postgresql")


def test_events_that_are_wanted_are_handled_meanwhile(results):
    (line,) = of(results, "deliveries_per_s", handler="trivial")
    assert set(line["beside"]) == {"recording"}
    (line,) = of(results, "handled_per_s")
    assert line["value"] > 0


def test_old_events_lie_in_the_database_when_it_is_said_so(results):
    (line,) = of(results, "cpu_us", stored=1000)
    assert line["value"] > 0


def test_every_step_of_a_delivery_has_its_time(results):
    steps = {line["step"]: line["value"] for line in of(results, "step_us")}
    assert {
        "read_body",
        "verify",
        "parse",
        "digest",
        "minimise_seal",
        "queue_wait",
        "commit_per_row",
        "answer",
    } <= steps.keys()
    assert min(steps.values()) > 0
