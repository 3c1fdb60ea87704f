"""How far long work is, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

__all__ = ["Steps", "progress_bars"]


@contextmanager
def progress_bars() -> Iterator[Steps]:
    """Show on stderr how far long work is and how long it will take, if a person looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        yield Steps(bars)


class Steps:
    """One bar a step."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def step(self, name: str, total: int) -> Callable[[int], None]:
        """Begin a step; call what is returned with each further count that is done."""
        task = self._bars.add_task(name, total=total)
        return lambda count: self._bars.advance(task, count)
