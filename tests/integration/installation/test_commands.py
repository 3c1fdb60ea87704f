"""The commands of service keys and back-ups: what they print, and with which code they end."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

FANKEEP = Path(sys.executable).with_name("fankeep")
KEY = re.compile(r"fankeep_sk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def run(installation):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}

    def run(*arguments, **settings):
        return subprocess.run(
            [FANKEEP, *arguments],
            env=clean | installation.environment | settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_service_key_is_shown_once_and_listed_without_its_secret_until_it_is_revoked(installation, run):
    installation.connect()
    made = run("service-keys", "create", "bot", "--users", "all", "--operations", "listChats", "--days", "7")
    assert KEY.fullmatch(made.stdout.strip())
    assert KEY.search(made.stderr) is None
    listed = run("service-keys", "list", "--json")
    key = json.loads(listed.stdout)
    assert (key["name"], key["state"], key["users"], key["operations"]) == (
        "bot",
        "good",
        ["all"],
        ["listChats"],
    )
    assert made.stdout.strip()[-43:] not in listed.stdout
    assert run("service-keys", "revoke", key["id"], "--json").returncode == 0
    again = run("service-keys", "revoke", key["id"])
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--operations", "sendMessage"], "FANKEEP_OPERATIONS: the app may not\n"),
        (["--operations", "listchats"], "the app may not; did you mean listChats?\n"),
        (["--access-tokens"], "all or listed"),
    ],
)
def test_a_service_key_that_means_nothing_is_not_made(installation, run, options, complaint):
    done = run("service-keys", "create", "bot", *options)
    assert done.returncode == 2
    assert done.stderr.startswith("fankeep: ")
    assert complaint in done.stderr
    assert done.stdout == ""


def test_a_service_key_that_may_call_nothing_is_made_with_a_warning(installation, run):
    installation.connect()
    warning = "fankeep: this key may call nothing; see --operations, --events and --access-tokens"
    assert warning in run("service-keys", "create", "bot").stderr.splitlines()
    assert warning not in run("service-keys", "create", "bot", "--operations", "all").stderr.splitlines()


def test_where_there_is_no_installation_none_is_made(installation, run):
    done = run("service-keys", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert not list(installation.folder.iterdir())


def test_a_back_up_and_its_restore_say_what_was_done(installation, run, tmp_path):
    installation.connect()
    saved = json.loads(run("backup", "data", str(tmp_path / "one.db"), "--json").stdout)
    assert (saved["part"], saved["bytes"]) == ("data", (tmp_path / "one.db").stat().st_size)
    assert stat.S_IMODE((tmp_path / "one.db").stat().st_mode) == 0o600
    occupied = run("restore", "data", str(tmp_path / "one.db"))
    assert (occupied.returncode, occupied.stderr.count("\n")) == (2, 1)
    (installation.folder / "data.db").unlink()
    restored = json.loads(run("restore", "data", str(tmp_path / "one.db"), "--json").stdout)
    assert (restored["grants_uncertain"], restored["sessions_ended"]) == (1, 0)


def test_secrets_are_listed_with_owner_and_days_and_without_their_values(installation, run):
    installation.connect()
    register = "client-secret owner=ops created=2025-01-02\n# the rest has no owner yet"
    plain = run("secret", "list", FANKEEP_SECRET_REGISTER=register)
    rows = [json.loads(line) for line in run("secret", "list", "--json").stdout.splitlines()]

    assert plain.returncode == 1  # a secret is overdue
    assert re.search(r"client\s+client-secret\s+ops\s+2025-01-02\s+2026-01-02\s+overdue", plain.stdout)
    assert {row["state"] for row in rows} == {"good"}
    assert {row["kind"] for row in rows} >= {"client", "webhook"}
    for name in ("FANKEEP_CLIENT_SECRET", "FANKEEP_WEBHOOK_SECRETS"):
        value = installation.environment[name].rpartition("=")[2]
        assert value not in plain.stdout + plain.stderr


def test_a_register_of_a_secret_that_is_not_there_is_a_mistake_in_one_line(run):
    wrong = run("secret", "list", FANKEEP_SECRET_REGISTER="mian owner=ops")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.count("\n") == 1
    assert "FANKEEP_SECRET_REGISTER names a secret that is not there" in wrong.stderr
    assert wrong.stderr.endswith("; there are client-secret, forward, main; did you mean main?\n")
