"""What is left when every event was delivered and handled: rows, effects, and what does not add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bench.rig.post_office import Effect, Stored
from bench.rig.postbag import PLAIN, TWO_PHASE, Letter

__all__ = ["Reckoning", "reckon"]


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Counts of events, unless said otherwise.

    Attributes:
        acknowledged: answered with a 2xx at least once.
        rows: in the inbox.
        lost: acknowledged, and not a handled row with its effect.
        effects_not_once: two-phase, acknowledged, and the effect did not happen exactly once.
        plain_never: plain, acknowledged, and never handed to the handler.
        plain_more_than_once: plain, and handed to it more than once.
        claimed_again: taken by more than one process, one after the other.
    """

    acknowledged: int
    rows: int
    lost: int
    effects_not_once: int
    plain_never: int
    plain_more_than_once: int
    claimed_again: int


def reckon(
    bag: Sequence[Letter],
    acknowledged: Collection[str],
    stored: Iterable[Stored],
    effects: Iterable[Effect],
    lines: Iterable[Effect],
) -> Reckoning:
    """Hold what was acknowledged against what is there.

    Args:
        bag: every event.
        acknowledged: by their messages.
        stored: all rows of the inbox.
        effects: of two-phase handlers, one for every time.
        lines: of plain handlers, one for every time.
    """
    rows = {row.digest.hex(): row for row in stored}
    handled = {event_id for event_id, row in rows.items() if row.state == "handled"}
    times: dict[str, Counter[str]] = {TWO_PHASE: Counter(), PLAIN: Counter()}
    whole: set[str] = set()
    for kind, done in ((TWO_PHASE, effects), (PLAIN, lines)):
        for effect in done:
            times[kind][effect.message] += 1
            if effect.event_id in handled:
                whole.add(effect.message)
    sure = [letter for letter in bag if letter.message in acknowledged]
    two_phase = [times[TWO_PHASE][letter.message] for letter in sure if letter.kind == TWO_PHASE]
    plain = [times[PLAIN][letter.message] for letter in sure if letter.kind == PLAIN]
    return Reckoning(
        acknowledged=len(sure),
        rows=len(rows),
        lost=sum(letter.message not in whole for letter in sure),
        effects_not_once=sum(count != 1 for count in two_phase),
        plain_never=sum(count == 0 for count in plain),
        plain_more_than_once=sum(count > 1 for count in plain),
        claimed_again=sum(row.attempts > 1 for row in rows.values()),
    )
