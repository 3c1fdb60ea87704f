"""What is counted of events. Types and reasons come from closed sets: Fanvue adds types without notice."""

from __future__ import annotations

import math
import time
from typing import Final, get_args

from fankeep.errors import FankeepError
from fankeep.fanvue.event_types import EVENT_TYPES, Family
from fankeep.store import Database, events
from fankeep.telemetry import get_logger
from fankeep.telemetry.metrics import ClosedCounter, ClosedGauge, ClosedHistogram

__all__ = ["DEAD_REASONS", "HANDLER_SECONDS", "STORED", "BacklogGauges", "dead"]

_log = get_logger("fankeep.inbox")

_AT_MOST_EVERY: Final = 5.0
"""Seconds: whoever can read the metrics must not keep the database busy with counting."""

STORED = ClosedCounter("fankeep_events_stored", "New events by type.", type=list(EVENT_TYPES))
HANDLER_SECONDS = ClosedHistogram(
    "fankeep_event_handler_seconds",
    "Time that the handlers of an event took, whatever came of it.",
    family=get_args(Family),
)
DEAD_REASONS: Final = frozenset(
    {"crashed", "handler_failed", "key_unavailable", "not_acknowledged", "timed_out", "unreadable"}
)
_DEAD = ClosedCounter(
    "fankeep_dead_letters",
    "Events that were given up, by the reason of the last failure.",
    reason=DEAD_REASONS,
)
_EVENTS = ClosedGauge(
    "fankeep_events",
    "Events that wait, and that were given up, in the whole database.",
    state=["pending", "dead"],
)
_OLDEST = ClosedGauge(
    "fankeep_events_oldest_seconds", "Time since the oldest waiting event came, replays left out; 0 for none."
)
_OVERDUE = ClosedGauge(
    "fankeep_events_overdue_seconds",
    "Time that the next event could have been taken and was not; 0 for none.",
)


def dead(reason: str, count: int = 1) -> None:
    """Count dead letters."""
    _DEAD.add(count, reason=reason)


class BacklogGauges:
    """How much is waiting, counted when somebody looks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted_at = -math.inf

    async def refresh(self) -> None:
        """Count anew, unless that was done a moment ago. Without the database the gauges are not a number."""
        if time.monotonic() - self._counted_at < _AT_MOST_EVERY:
            return
        self._counted_at = time.monotonic()
        pending = dead_letters = oldest = overdue = math.nan
        try:
            pending, dead_letters, age, wait = await self._database.read(events.backlog)
            oldest, overdue = age or 0.0, wait or 0.0
        except FankeepError as error:
            _log.warning("backlog_not_counted", error=error)
        _EVENTS.set(pending, state="pending")
        _EVENTS.set(dead_letters, state="dead")
        _OLDEST.set(oldest)
        _OVERDUE.set(overdue)
