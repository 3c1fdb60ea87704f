"""What can go wrong, as data: a fault says what happens, to which requests, and when.

A scenario file and the control API write the same faults; ``fault_reading`` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["FILTERS", "RULES", "Fault", "FaultKind", "Moment", "Rule", "Target"]


class Target(StrEnum):
    """Which requests a fault counts and strikes."""

    TOKEN = "token"  # noqa: S105 - the name of an endpoint
    REVOKE = "revoke"
    API = "api"
    DELIVERY = "delivery"
    ANY = "any"  # whatever stands in the journal


class Moment(StrEnum):
    """Whether an answer goes wrong before or after its request took effect."""

    BEFORE = "before"
    AFTER = "after"


class FaultKind(StrEnum):
    """What happens."""

    # to an answer
    STATUS = "status"  # the given status and no useful body
    FIREWALL = "firewall"  # an HTML page with status 403
    SLOW = "slow"  # the right answer, after the given seconds
    TRUNCATED = "truncated"  # the right head and half of the body
    MALFORMED = "malformed"  # status 200 and a body that is not JSON
    LOST = "lost"  # no answer ever
    RACE = "race"  # 400 invalid_request, as a lost race inside the server answers
    HELD = "held"  # the right answer, once the control API lets it go
    # to a delivery
    DUPLICATED = "duplicated"  # several of the same event, each with retries of its own
    REORDERED = "reordered"  # only after others to the same endpoint
    LATE = "late"  # the first attempt waits
    UNSIGNED = "unsigned"  # the first attempt has no signature, and so on; its retries are good
    WRONG = "wrong"
    TAMPERED = "tampered"
    STALE = "stale"
    FUTURE = "future"
    # to the world, just before a request
    CLOCK_SKEW = "clock_skew"
    SECRET_RESET = "secret_reset"  # noqa: S105 - the name of a fault
    CONSENT_WITHDRAWN = "consent_withdrawn"
    SCOPES_REMOVED = "scopes_removed"
    TOKENS_EXPIRED = "tokens_expired"


@dataclass(frozen=True, slots=True)
class Rule:
    """What fits a kind of fault.

    Attributes:
        targets: where it may strike; the first one is meant when none is named.
        details: the keys that mean something for it, beside those that every fault has.
        needed: those of them that have no default.
    """

    targets: tuple[Target, ...]
    details: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()

    @property
    def is_incident(self) -> bool:
        """Whether it changes the world instead of spoiling an answer or a delivery."""
        return Target.ANY in self.targets


def _answer(*details: str, targets: tuple[Target, ...] = (Target.TOKEN, Target.REVOKE, Target.API)) -> Rule:
    return Rule(targets, frozenset({"moment", *details}))


def _delivery(*details: str) -> Rule:
    return Rule((Target.DELIVERY,), frozenset(details))


def _incident(*details: str, needed: tuple[str, ...] = ()) -> Rule:
    anywhere = (Target.ANY, *(target for target in Target if target is not Target.ANY))
    return Rule(anywhere, frozenset((*details, *needed)), frozenset(needed))


RULES: Final[Mapping[FaultKind, Rule]] = MappingProxyType(
    {
        FaultKind.STATUS: _answer("status", "seconds"),
        FaultKind.FIREWALL: _answer(),
        FaultKind.SLOW: _answer("seconds"),
        FaultKind.TRUNCATED: _answer(),
        FaultKind.MALFORMED: _answer(),
        FaultKind.LOST: _answer(),
        FaultKind.RACE: _answer(targets=(Target.TOKEN,)),
        FaultKind.HELD: _answer(),
        FaultKind.DUPLICATED: _delivery("copies"),
        FaultKind.REORDERED: _delivery("behind", "seconds"),
        FaultKind.LATE: _delivery("seconds"),
        FaultKind.UNSIGNED: _delivery(),
        FaultKind.WRONG: _delivery(),
        FaultKind.TAMPERED: _delivery(),
        FaultKind.STALE: _delivery(),
        FaultKind.FUTURE: _delivery(),
        FaultKind.CLOCK_SKEW: _incident(needed=("seconds",)),
        FaultKind.SECRET_RESET: _incident(),
        FaultKind.CONSENT_WITHDRAWN: _incident("creator"),
        FaultKind.SCOPES_REMOVED: _incident(needed=("scopes",)),
        FaultKind.TOKENS_EXPIRED: _incident("creator"),
    }
)

FILTERS: Final[Mapping[Target, str]] = MappingProxyType(
    {Target.TOKEN: "grant_type", Target.API: "operation", Target.DELIVERY: "topic"}
)
"""The key by which a fault picks among the requests of a target."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is to go wrong.

    Attributes:
        moment: for answers only.
        grant_type: only token requests of this grant type.
        operation: only calls of this API operation, by its id.
        topic: only deliveries of this event.
        skip: how many requests go well before.
        count: how often it strikes; None for every time.
        start, end: seconds since it was armed between which it counts and strikes; no end is None.
        chance: the probability with which it strikes a request, from the seeded dice.
        status: for ``status``.
        seconds: how long it lasts; for ``status`` what ``Retry-After`` says, for ``reordered`` the longest
            wait, for ``clock_skew`` how far the clock is ahead, zero for a right one.
        copies: how many deliveries a duplicated one becomes.
        behind: how many deliveries overtake a reordered one.
        scopes: those that leave the app.
        creator: uuid or handle; None for the first one, for ``tokens_expired`` all.
    """

    target: Target
    kind: FaultKind
    moment: Moment = Moment.AFTER
    grant_type: str | None = None
    operation: str | None = None
    topic: str | None = None
    skip: int = 0
    count: int | None = 1
    start: float = 0.0
    end: float | None = None
    chance: float = 1.0
    status: int = 503
    seconds: float = 5.0
    copies: int = 2
    behind: int = 1
    scopes: tuple[str, ...] = ()
    creator: str | None = None

    @property
    def is_incident(self) -> bool:
        """Whether it changes the world instead of spoiling an answer or a delivery."""
        return RULES[self.kind].is_incident

    @property
    def waits(self) -> bool:
        """Whether the right answer comes all the same, only later."""
        return self.kind in (FaultKind.SLOW, FaultKind.HELD)

    def concerns(self, target: Target, mark: str | None) -> bool:
        """Whether a request is one of those that it counts.

        Args:
            target: what the request is for.
            mark: its value of the target's filter.
        """
        if self.target is not target:
            return False
        wanted = getattr(self, FILTERS[target]) if target in FILTERS else None
        return wanted in (None, mark)
