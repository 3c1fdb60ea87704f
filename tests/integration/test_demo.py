"""The demo is the product's promise: every step of it passes, and its output says so."""

from __future__ import annotations

import json
import subprocess
import sys

from fankeep.cli.demo import script
from fankeep.cli.demo.report import Failed


def test_every_step_of_the_demo_passes_and_the_last_line_counts_them() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "fankeep", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = run.stdout.strip().splitlines()
    steps = [json.loads(line) for line in lines[:-2]]
    assert [step["title"] for step in steps if not step["passed"]] == [], run.stdout + run.stderr
    assert [step["step"] for step in steps] == list(range(1, 14))
    assert all(step["findings"] for step in steps)
    assert json.loads(lines[-2]) == {"passed": 13, "failed": 0}
    assert lines[-1] == "demo: 13 passed, 0 failed"
    assert run.returncode == 0
    searches = " ".join(finding for step in (*steps[6:8], steps[12]) for finding in step["findings"])
    assert "output.log" in searches  # what the demo itself printed is searched as well


def test_a_step_that_fails_is_counted_and_changes_the_exit_code(monkeypatch, capsys, tmp_path) -> None:
    def fails(scene) -> list[str]:
        raise Failed("it did not hold")

    def breaks(scene) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(
        script, "STEPS", (("holds", lambda scene: ["fine"]), ("fails", fails), ("breaks", breaks))
    )
    assert script.run(tmp_path / "demo", as_json=False) == 1
    printed = capsys.readouterr().out
    assert "FAILED: it did not hold" in printed
    assert printed.strip().splitlines()[-1] == "demo: 1 passed, 2 failed"
