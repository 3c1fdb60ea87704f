"""What `fankeep events reconcile` prints of a comparison."""

from fankeep.cli.events.reconciling import _print_table
from fankeep.reconcile import Compared, Report
from fankeep.types import UserId

CREATOR = UserId("bb4fa0b3-eff4-48ad-847f-b7e6fcd18ef3")


def printed(capsys, *, messages, payments):
    _print_table([Report(CREATOR, 0.0, messages=messages, payments=payments)])
    _, line = capsys.readouterr().out.splitlines()
    return line


def test_a_creator_is_one_whole_line_in_a_pipe_too(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    line = printed(capsys, messages=Compared(12, 3, 2), payments=Compared(5, 1))
    assert line.split() == [CREATOR, "12", "3", "2", "5", "1"]


def test_a_missing_scope_is_named_with_the_operation_that_needs_it(capsys):
    unread = Compared(unread="scope_missing")
    line = printed(capsys, messages=unread, payments=unread)
    assert "not granted (read:chat, operations listChats and listMessages)" in line
    assert "not granted (read:insights, operation getEarnings)" in line
