"""Watching a row until it has been still for long enough."""

from __future__ import annotations

from fankeep.store.grants import GrantRow

__all__ = ["Observation"]


class Observation:
    """What one process saw of one uncertain grant, on its own clock.

    A living owner of an earlier send may still hold the answer; it would show itself by storing it or by
    sending again. Only a row that did not change while the database could be reached counts as still. An
    observer that was asleep may have slept together with the owner, on a machine that was suspended: then the
    time starts anew as well.
    """

    __slots__ = ("_gap", "_last", "_seen", "_since", "_span")

    def __init__(self, span: float, gap: float) -> None:
        """Ask for ``span`` seconds of stillness, with no more than ``gap`` seconds between two looks."""
        self._span = span
        self._gap = gap
        self._seen: tuple[int, str | None, int] | None = None
        self._since = 0.0
        self._last = 0.0

    def see(self, row: GrantRow, now: float) -> None:
        """Note what the row says now; a change starts the time anew."""
        seen = (row.generation, row.attempt_id, row.sends)
        if seen != self._seen or now - self._last > self._gap:
            self._seen = seen
            self._since = now
        self._last = now

    def interrupt(self) -> None:
        """Start anew: the database could not be reached, so changes may have been missed."""
        self._seen = None

    def settled(self, row: GrantRow, now: float) -> bool:
        """Whether the row has been still for the whole span."""
        unchanged = self._seen == (row.generation, row.attempt_id, row.sends)
        return unchanged and now - self._last <= self._gap and now - self._since >= self._span
