"""The page about refreshing shows the table that the code works with."""

from __future__ import annotations

from pathlib import Path

from fankeep.vault.states import TRANSITIONS
from fankeep.vault.timing import Timing

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "refresh.md"


def test_the_page_lists_every_move_of_a_grant_and_no_other() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    listed = [tuple(cells) for cells in rows if cells[0] != "from"]
    assert sorted(listed) == sorted((a.value, event.value, b.value) for (a, event), b in TRANSITIONS.items())


def test_the_times_on_the_page_are_the_ones_in_use() -> None:
    text = " ".join(PAGE.read_text().split())
    timing = Timing()
    assert f"holds for {timing.lease:.0f} seconds" in text
    assert f"the call for at most {timing.call:.0f}" in text
    assert f"within the first {timing.repeat_window:.0f} seconds" in text
    assert f"unchanged for {timing.settle:.0f} seconds" in text
    assert timing.max_sends == 3
    assert "at most three times" in text
