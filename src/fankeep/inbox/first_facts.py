"""The first facts of a creator by their new names, when they were told by their old ones a moment before."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from fankeep.fanvue import event_type
from fankeep.store import Transaction, families
from fankeep.store.events import NewEvent
from fankeep.types import UserId

__all__ = ["FirstFacts"]

_SECONDS: Final = 60.0
"""How long after the first event of the new family one may be a repeat; both names come together."""

_APART: Final = 1.0
"""Seconds by which the times of one fact may differ; a later fact must not be taken for a repeat."""


class FirstFacts:
    """Keeps a fact from being handed out twice while a creator's family changes.

    A message is known by its uuid, and for days, as soon as the first event of the new family is stored; this
    is about follows, subscriptions and payments, which have no such thing. It costs nothing but for creators
    of whom both families have come within a minute, and those are asked for when an event of the new family
    comes for the first time in this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[UserId, float] = {}

    def concern(self, modern: Sequence[UserId]) -> bool:
        """Whether there is anything to do for a group that has these creators' first events in it."""
        return bool(modern or self._until)

    async def tell_once(self, tx: Transaction, new: Sequence[NewEvent], modern: Sequence[UserId]) -> None:
        """Make shadows of what was told before.

        Args:
            tx: the transaction that has stored the group.
            new: the group.
            modern: creators for whom an event of the new family has come, as far as this process knows for
                the first time.
        """
        now = self._clock()
        self._until = {creator: until for creator, until in self._until.items() if until > now}
        if modern:
            changing = await families.changing(tx, modern, seconds=_SECONDS)
            self._until |= dict.fromkeys(changing, now + _SECONDS)
        names = [
            (event.digest, twin)
            for event in new
            if event.family == "creator" and event.creator in self._until
            for twin in event_type(event.type).twins
        ]
        if names:
            await families.tell_once(tx, names, seconds=2 * _SECONDS, apart=_APART)
