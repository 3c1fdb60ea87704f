"""What `fankeep events` and `fankeep trail` print, and how they read what they are given."""

import json
import time

import click
import pytest

from fankeep.cli.events.filters import as_digest, made
from fankeep.cli.events.views import event_row, print_line, print_one, print_table
from fankeep.cli.moments import iso, moment
from fankeep.cli.operating import operator
from fankeep.cli.program import run
from fankeep.cli.trail import _print_table
from fankeep.store.event_queries import EventFilter, StoredEvent
from fankeep.store.trail import Entry
from fankeep.types import UserId

EVENT = StoredEvent(
    seq=7,
    digest=bytes(range(16)),
    family="creator",
    type="creator.tip.received",
    creator=UserId("00000000-0000-4000-8000-000000000001"),
    secret_name="main",
    occurred_at=1700000000.5,
    received_at=1700000003.25,
    handled_at=None,
    state="pending",
    reason="handler_failed",
    attempts=2,
    replays=1,
    due_in=90.4,
    claimed=0,
    payload=1,
    dropped="text fan.handle",
)
HOSTILE = EVENT._replace(
    type="[bold]creator.tip[/]", reason="\x1b[2Jgone", secret_name="a\u202eb", dropped="[link=x]y[/link]"
)
PAYLOAD = {"text": "\x1b]0;owned\x07 [red]hi[/] \u202eevil", "price": 500}


def test_a_row_says_everything_in_words_that_programs_read():
    assert event_row(EVENT) == {
        "id": "000102030405060708090a0b0c0d0e0f",
        "seq": 7,
        "type": "creator.tip.received",
        "family": "creator",
        "creator": "00000000-0000-4000-8000-000000000001",
        "state": "pending",
        "reason": "handler_failed",
        "attempts": 2,
        "replays": 1,
        "claimed": False,
        "due_in": 90.4,
        "occurred_at": "2023-11-14T22:13:20.500Z",
        "received_at": "2023-11-14T22:13:23.250Z",
        "handled_at": None,
        "secret": "main",
        "payload": True,
        "dropped": ["text", "fan.handle"],
    }


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "pending, in 1 min"),
        ({"claimed": 1}, "pending, in hand"),
        ({"due_in": -3.0}, "pending"),
        ({"state": "dead"}, "dead"),
    ],
)
def test_the_table_says_when_a_waiting_event_is_due(capsys, changes, shown):
    print_table([EVENT._replace(**changes)], as_json=False)
    line = capsys.readouterr().out.splitlines()[1]
    assert shown in line
    assert EVENT.digest.hex() in line


def test_fanvues_id_of_a_delivery_is_known_as_that():
    assert as_digest(EVENT.digest.hex()) == EVENT.digest
    with pytest.raises(click.BadParameter, match=r"Fanvue's id of the delivery.*events list"):
        as_digest("bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3")
    with pytest.raises(click.BadParameter, match=r"^an event is named by 32 hex digits"):
        as_digest("evt_1")


def test_foreign_words_are_shown_and_not_obeyed(capsys):
    print_table([HOSTILE], as_json=False)
    print_line(HOSTILE, as_json=False)
    print_one(HOSTILE, PAYLOAD, as_json=False)
    _print_table([Entry(1, 1700000000.0, "operator:[red]x[/]", "a\x1b[0m", "o", "1")])
    shown = capsys.readouterr().out
    assert shown.count("[bold]creator.tip[/]") == 3
    assert "[link=x]y[/link]" in shown
    assert "[red]hi[/]" in shown
    assert "operator:[red]x[/]" in shown
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)


def test_foreign_words_in_json_are_escaped(capsys):
    print_table([HOSTILE], as_json=True)
    print_line(HOSTILE, as_json=True)
    print_one(HOSTILE, PAYLOAD, as_json=True)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert [json.loads(line)["reason"] for line in shown.splitlines()] == ["\x1b[2Jgone"] * 3
    assert json.loads(shown.splitlines()[2])["data"] == PAYLOAD


def test_without_a_payload_asked_for_none_is_shown(capsys):
    print_one(EVENT, None, as_json=True)
    assert "data" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "ago"), [("30s", 30), ("5min", 300), ("2h", 7200), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_an_age_is_counted_from_now(text, ago):
    assert abs(time.time() - ago - moment(None, None, text)) < 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 1700000000.0),
        ("2023-11-14T22:13:20", 1700000000.0),
        ("2023-11-14T23:13:20+01:00", 1700000000.0),
        ("2023-11-14", 1699920000.0),
        (None, None),
    ],
)
def test_a_date_without_a_zone_is_utc(text, seconds):
    assert moment(None, None, text) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2 h", "-2h", "2y", "1700000000.0x", "2023-13-01"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(click.BadParameter):
        moment(None, None, text)


def test_a_time_that_nobody_could_have_stored_is_shown_as_none():
    assert iso(None) is iso(1e300) is iso(float("nan")) is None


def test_the_options_become_a_filter():
    assert made({"type_": "a.*", "secret": "s", "state": None}, state="dead") == EventFilter(
        type="a.*", secret_name="s", state="dead"
    )


def test_the_trail_names_the_account_that_the_system_knows(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")
    assert operator().startswith("operator:")
    assert "somebody else" not in operator()


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "00" * 16, "--state", "dead"],
        ["replay", "no id"],
        ["replay", "--state", "shadow"],
        ["show", "0" * 31],
        ["list", "--type", "creator.%"],
        ["list", "--creator", "mia"],
        ["list", "--since", "soon"],
        ["list", "--state", "lost"],
    ],
)
def test_what_cannot_be_meant_is_the_callers_mistake(arguments, capsys):
    assert run(["events", *arguments]) == 2
    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "dead", "replay", "tail"])
def test_a_type_that_no_known_event_has_is_told_and_tried_all_the_same(
    command, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    run(["events", command, "--type", "creator.mesage.*"])
    told, *others = capsys.readouterr().err.splitlines()
    assert told == ("fankeep: no known event matches creator.mesage.*; did you mean creator.message.*?")
    assert "mesage" not in "".join(others)


@pytest.mark.parametrize("pattern", ["creator.message.*", "unknown", "fankeep.test"])
def test_nothing_is_told_of_types_that_are_stored_here(pattern, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run(["events", "list", "--type", pattern])
    assert "no known event" not in capsys.readouterr().err
