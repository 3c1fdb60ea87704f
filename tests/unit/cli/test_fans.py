"""What `fankeep fans` prints of what a fan wrote, and what it asks before it erases."""

import io
import json
from dataclasses import replace

import pytest

from fankeep.cli.fans import _print_event, _receipt
from fankeep.cli.program import run
from fankeep.privacy.fans import FanErased, FanEvent

CREATOR = "00000000-0000-4000-8000-00000000000a"
FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
HOSTILE = FanEvent(
    id="0" * 32,
    type="creator.message.received",
    family="creator",
    occurred_at=None,
    received_at=1_794_694_400.5,
    state="handled",
    data={"text": "[bold]\x1b[2Jhi\u202e", "tip": {"price": 500}},
    dropped=("fan.handle",),
)


def test_what_a_fan_wrote_is_shown_and_not_obeyed(capsys):
    _print_event(HOSTILE, as_json=False)
    shown = capsys.readouterr().out
    assert "2026-11-14T22:13:20.500Z  creator.message.received  handled" in shown
    assert "text: [bold]\ufffd[2Jhi\ufffd" in shown
    assert 'tip: {"price": 500}' in shown
    assert "not kept: fan.handle" in shown


def test_json_has_everything_of_an_event_in_one_line(capsys):
    _print_event(HOSTILE, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert (event["data"], event["dropped"]) == (HOSTILE.data, ["fan.handle"])
    assert (event["occurred_at"], event["received_at"]) == (None, "2026-11-14T22:13:20.500Z")


def test_a_time_that_cannot_be_written_does_not_end_an_export(capsys):
    _print_event(replace(HOSTILE, occurred_at=-62_135_596_801.0), as_json=True)
    event = json.loads(capsys.readouterr().out)
    assert (event["occurred_at"], event["received_at"]) == (None, "2026-11-14T22:13:20.500Z")


def test_a_receipt_has_its_times_in_a_form_for_people():
    receipt = _receipt(FanErased("ab", CREATOR, 3, 1_794_694_400.0, 1_797_286_400.0, None))
    assert receipt == {
        "erased": "fan",
        "subject": "ab",
        "creator": CREATOR,
        "events": 3,
        "erased_at": "2026-11-14T22:13:20.000Z",
        "in_data_back_ups_until": "2026-12-14T22:13:20.000Z",
        "in_key_back_ups_until": None,
    }


@pytest.mark.parametrize("command", ["export", "erase"])
def test_a_name_that_is_no_uuid_is_the_callers_mistake(command, capsys):
    assert run(["fans", command, CREATOR, "somebody"]) == 2
    assert "FAN" in capsys.readouterr().err
    assert run(["fans", command, "somebody", FAN]) == 2
    told = capsys.readouterr().err
    assert "CREATOR" in told
    assert "see `fankeep grants list`" in told


def test_without_a_yes_nothing_is_erased(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["fans", "erase", CREATOR, FAN]) == 130
    assert "cannot be brought back" in capsys.readouterr().err


def test_after_a_no_it_says_that_nothing_was_erased(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(["fans", "erase", CREATOR, FAN]) == 1
    assert capsys.readouterr().err.endswith("nothing was erased\n")


@pytest.mark.parametrize("group", ["fans", "webhooks"])
def test_the_first_line_about_each_command_fits(group, capsys):
    assert run([group, "--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:")[2].partition("Examples:")[0]
    assert "..." not in commands
