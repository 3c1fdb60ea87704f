"""What `fankeep grants` prints of what a server said."""

from fankeep.cli.grants import _print_list, _print_one
from fankeep.types import Generation, UserId
from fankeep.vault import GrantStatus, State

HOSTILE = GrantStatus(
    user=UserId("00000000-0000-4000-8000-000000000001"),
    state=State.DEAD,
    generation=Generation(3),
    scopes=("[bold red]read:self[/]", "\x1b[2Jread:chat", "a\u202eb"),
    reason="[link=https://evil.example]gone[/link]",
    last_error=None,
    access_left=None,
    stored_age=90.0,
    unused_for=None,
)


def test_markup_is_shown_and_not_obeyed(capsys):
    _print_one(HOSTILE)
    _print_list([HOSTILE])
    shown = capsys.readouterr().out
    assert "[bold red]read:self[/]" in shown
    assert shown.count("[link") == 2
    assert shown.count("[/link]") == 2


def test_control_characters_are_replaced(capsys):
    _print_one(HOSTILE)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\ufffd[2Jread:chat" in shown
