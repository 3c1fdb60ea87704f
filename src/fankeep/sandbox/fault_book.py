"""The faults that are armed, which of them strikes a request, and the answers that are held back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar

from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.faults import FILTERS, RULES, Fault, FaultKind, Target
from fankeep.sandbox.json import Json, JsonObject

__all__ = ["ArmedFault", "FaultBook", "HeldAnswer"]


@dataclass(slots=True, eq=False)
class ArmedFault:
    """A fault that waits for its requests.

    Attributes:
        since: when it was armed, by the sandbox's clock.
        dice: its own, so that no other fault changes what it does.
        seen: how many requests it has counted.
        strikes: how often it has struck.
    """

    fault: Fault
    since: float
    dice: Dice = field(repr=False)
    seen: int = 0
    strikes: int = 0

    @property
    def remaining(self) -> int | None:
        """How often it may still strike; None for ever."""
        return None if self.fault.count is None else self.fault.count - self.strikes

    def over(self, now: float) -> bool:
        """Whether it has done what it was to do."""
        ended = self.fault.end is not None and now >= self.since + self.fault.end
        return ended or self.remaining == 0

    def meets(self, now: float) -> bool:
        """Count a request; True when the fault would strike it."""
        if now < self.since + self.fault.start:
            return False
        self.seen += 1
        return self.seen > self.fault.skip and self.dice.chance(self.fault.chance)

    def as_json(self) -> JsonObject:
        """The fault as the control API shows it: what matters for its kind, and how often it struck."""
        fault, rule = self.fault, RULES[self.fault.kind]
        names = [FILTERS[fault.target]] if fault.target in FILTERS else []
        names += ["skip", "start", "end", "chance", *sorted(rule.details)]
        shown: dict[str, Json] = {"target": fault.target.value, "kind": fault.kind.value}
        for name in names:
            value = getattr(fault, name)
            shown[name] = list(value) if isinstance(value, tuple) else value
        return {**shown, "remaining": self.remaining, "strikes": self.strikes}


@dataclass(slots=True)
class HeldAnswer:
    """An answer that waits.

    Attributes:
        entry: the number of its request in the journal.
    """

    number: int
    entry: int
    released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class FaultBook:
    """The armed faults in their order, and the answers that are held back.

    Every armed fault counts every request that concerns it. The first one that would strike an answer or a
    delivery does so; those behind it wait for the next request. Incidents strike all at once.

    Args:
        seed: of the faults' dice.
        clock: says how long a fault has been armed.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("_armed", "_ever", "_scenario")

    def __init__(self, seed: int, clock: SandboxClock) -> None:
        self._seed = seed
        self._clock = clock
        self._armed: list[ArmedFault] = []
        self._ever = 0
        self._scenario: tuple[Fault, ...] = ()
        self._held: dict[int, HeldAnswer] = {}
        self._numbers = count(1)

    @property
    def armed(self) -> list[ArmedFault]:
        """What may still go wrong."""
        self._drop_what_is_over()
        return list(self._armed)

    @property
    def held(self) -> list[HeldAnswer]:
        """The answers waiting for their release."""
        return list(self._held.values())

    def arm(self, fault: Fault) -> ArmedFault:
        """Let something go wrong from now on."""
        self._ever += 1
        dice = Dice(self._seed, "fault", str(self._ever))
        armed = ArmedFault(fault, self._clock.now(), dice)
        self._armed.append(armed)
        return armed

    def follow(self, scenario: tuple[Fault, ...]) -> None:
        """Begin a scenario in place of all that is armed; one that is already followed goes on."""
        if not scenario or scenario == self._scenario:
            return
        self._scenario = scenario
        self._armed.clear()
        self._ever = 0
        for fault in scenario:
            self.arm(fault)

    def disarm(self) -> None:
        """Let nothing more go wrong; answers already held stay held."""
        self._armed.clear()

    def take(self, target: Target, mark: str | None = None) -> Fault | None:
        """The fault for this answer or delivery, counted; None when all goes well.

        Args:
            target: what goes out.
            mark: its grant type, operation or topic.
        """
        met = self._meeting(target, mark, incidents=False)
        if not met:
            return None
        met[0].strikes += 1
        return met[0].fault

    def incidents(self, target: Target, mark: str | None = None) -> list[Fault]:
        """What happens to the world before this request, counted."""
        met = self._meeting(target, mark, incidents=True)
        for armed in met:
            armed.strikes += 1
        return [armed.fault for armed in met]

    async def hold(self, entry: int) -> None:
        """Wait until this answer is released."""
        answer = HeldAnswer(next(self._numbers), entry)
        self._held[answer.number] = answer
        try:
            await answer.released.wait()
        finally:
            del self._held[answer.number]

    def release(self) -> int:
        """Let every held answer go, and hold no more; returns how many were let go."""
        self._armed = [armed for armed in self._armed if armed.fault.kind is not FaultKind.HELD]
        answers = self.held
        for answer in answers:
            answer.released.set()
        return len(answers)

    def _meeting(self, target: Target, mark: str | None, *, incidents: bool) -> list[ArmedFault]:
        self._drop_what_is_over()
        now = self._clock.now()
        return [
            armed
            for armed in self._armed
            if armed.fault.is_incident is incidents
            and armed.fault.concerns(target, mark)
            and armed.meets(now)
        ]

    def _drop_what_is_over(self) -> None:
        now = self._clock.now()
        self._armed = [armed for armed in self._armed if not armed.over(now)]
