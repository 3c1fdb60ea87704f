"""A short run of the benchmark of the sandbox's deliveries: real processes and the promised line."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_rate_stands_beside_that_of_the_load_generator():
    done = subprocess.run(
        [sys.executable, "-m", "bench.sandbox", "--rounds", "1", "--events", "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (line,) = [json.loads(text) for text in done.stdout.splitlines()]
    assert (line["bench"], line["metric"], line["unit"]) == ("sandbox", "deliveries_per_s", "1/s")
    assert set(line["beside"]) == {"generator"}
    assert min(line["value"], line["beside"]["generator"]) > 0
    assert "were not taken" not in done.stderr
