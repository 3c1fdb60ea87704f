"""``fankeep events reconcile`` beside no gateway at all: what it prints, stores and exits with."""

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

FANKEEP = Path(sys.executable).with_name("fankeep")
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "lost-events.md"


@pytest.fixture
def run(installation):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    clean["PATH"] = f"{FANKEEP.parent}:{clean['PATH']}"

    def run(command):
        return subprocess.run(
            ["/bin/sh", "-c", command],
            env=clean | installation.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def connect_long_ago(installation, creator=None):
    connected = installation.connect(creator)
    with closing(apsw.Connection(f"{installation.folder}/data.db")) as database:
        database.execute("UPDATE users SET created_at = 0")
    return connected


def reports(done):
    return {row["creator"]: row for row in map(json.loads, done.stdout.splitlines())}


def test_what_is_missing_is_reported_filled_in_and_then_there(installation, run):
    creators = [connect_long_ago(installation, "miahart"), connect_long_ago(installation, "lucamoreno")]

    found = run("fankeep events reconcile --since 20d --json")
    filled = run("fankeep events reconcile --since 20d --fill --json")
    after = run("fankeep events reconcile --since 20d --json")

    assert found.returncode == filled.returncode == 1, found.stderr  # payments stay missing
    assert set(reports(found)) == set(creators)
    for creator in creators:
        before, now = reports(found)[creator]["messages"], reports(after)[creator]["messages"]
        assert before["missing"] == before["seen"] == reports(filled)[creator]["messages"]["filled"]
        assert (now["seen"], now["missing"]) == (before["seen"], 0)
    stored = sum(row["messages"]["seen"] for row in reports(found).values())
    listed = run("fankeep events list --secret reconciled --limit 1000 --json").stdout.splitlines()
    assert len(listed) == stored > 0
    assert "events_reconciled" in run("fankeep trail").stdout


def test_the_commands_of_the_page_work(installation, run):
    connect_long_ago(installation)
    look, fill = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)

    for command in (look, fill):
        done = run(command)
        assert done.returncode in (0, 1), done.stderr
        assert "creator" in done.stdout


def test_who_cannot_be_read_is_named_and_nothing_else_fails(installation, run):
    gone = connect_long_ago(installation, "miahart")
    there = connect_long_ago(installation, "lucamoreno")
    run(f"fankeep grants disconnect {gone}")

    done = run("fankeep events reconcile --since 20d --json")

    assert reports(done)[gone]["messages"]["unread"] is not None
    assert reports(done)[there]["messages"]["unread"] is None


@pytest.mark.parametrize(("since", "complaint"), [("40d", "too far back"), ("whenever", "how long ago")])
def test_a_time_that_makes_no_sense_is_a_mistake_of_the_caller(run, since, complaint):
    done = run(f"fankeep events reconcile --since {since}")
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
