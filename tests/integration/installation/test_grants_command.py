"""`fankeep grants`: what it shows, what it ends, how it exits."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

STRANGER = "00000000-0000-4000-8000-00000000dead"


def grants(installation, *arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    return subprocess.run(
        [sys.executable, "-m", "fankeep", "grants", *arguments],
        env=clean | installation.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def unused_for(installation, days):
    with closing(sqlite3.connect(installation.folder / "data.db")) as data, data:
        data.execute("UPDATE grants SET last_used_at = last_used_at - ?", (days * 86_400,))


def test_list_and_show_say_how_grants_stand_and_nothing_secret(installation):
    creators = [installation.connect("miahart"), installation.connect("lucamoreno")]

    listed = lines(grants(installation, "list", "--json"))
    (shown,) = lines(grants(installation, "show", creators[0], "--json"))
    table = grants(installation, "list").stdout

    assert [row["user"] for row in listed] == creators
    assert {row["state"] for row in listed} == {"live"}
    assert shown["scopes"] == listed[0]["scopes"]
    assert "read:self" in shown["scopes"]
    assert all(creator in table for creator in creators)
    for printed in (json.dumps(listed), json.dumps(shown), table):
        assert "ory_at" not in printed
        assert "ory_rt" not in printed


def test_a_creator_without_a_grant_and_a_name_that_is_no_uuid_are_the_callers_mistake(installation):
    installation.connect("miahart")
    for command in ("show", "disconnect"):
        assert grants(installation, command, STRANGER).returncode == 2
        assert grants(installation, command, "miahart").returncode == 2


def test_disconnect_revokes_at_fanvue(installation):
    creator = installation.connect("miahart")

    done = grants(installation, "disconnect", creator)

    assert done.returncode == 0, done.stderr
    assert [row["ended"] for row in installation.fanvue.control.grants()] == ["revoked"]
    (shown,) = lines(grants(installation, "show", creator, "--json"))
    assert (shown["state"], shown["reason"], shown["access_left"]) == ("dead", "disconnected", None)


def test_disconnect_says_when_fanvue_has_not_confirmed_yet(installation):
    creator = installation.connect("miahart")
    installation.fanvue.control.fault("status", target="revoke", count=50)

    done = grants(installation, "disconnect", creator, "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout) == {"user": creator, "revoked": False}
    (shown,) = lines(grants(installation, "show", creator, "--json"))
    assert shown["state"] == "ending"


def test_reap_ends_what_was_not_used_for_90_days_and_a_dry_run_ends_nothing(installation):
    unused = installation.connect("miahart")
    unused_for(installation, 91)
    used = installation.connect("lucamoreno")

    dry = lines(grants(installation, "reap", "--dry-run", "--json"))
    assert dry == [{"user": unused, "ended": False}]
    assert {row["state"] for row in lines(grants(installation, "list", "--json"))} == {"live"}

    assert lines(grants(installation, "reap", "--json")) == [{"user": unused, "ended": True}]
    states = {row["user"]: row["state"] for row in lines(grants(installation, "list", "--json"))}
    assert states == {unused: "dead", used: "live"}
