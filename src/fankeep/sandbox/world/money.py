"""What people pay: fans to creators, creators to apps."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.sandbox.world.people import Fan

__all__ = ["PERIOD_SECONDS", "AppPlan", "AppSubscription", "Payment", "Subscription"]

PERIOD_SECONDS = 30 * 86_400.0
"""How long a subscription runs before it is renewed or ends."""

_PENDING_SECONDS = 7 * 86_400.0


@dataclass(slots=True, eq=False)
class Payment:
    """Money from a fan.

    Attributes:
        source: ``tip``, ``subscription``, ``renewal``, ``message`` or ``post``.
        gross: in US cents; negative for a reversal of an earlier payment.
        subject: uuid of the message, post or subscription that was paid for.
        on_post: the subject is a post.
        reversed: it was taken back, in a row of its own.
        reversal: why money went back, for a row below zero: ``refund`` or ``chargeback``.
    """

    id: str
    fan: Fan
    source: str
    gross: int
    paid_at: float
    subject: str | None = None
    on_post: bool = False
    reversed: bool = False
    reversal: str | None = None

    @property
    def net(self) -> int:
        """What is left after Fanvue's 20 per cent."""
        return self.gross * 4 // 5 if self.gross >= 0 else -(-self.gross * 4 // 5)

    def is_available(self, now: float) -> bool:
        """Whether it may be paid out, which takes a week."""
        return now - self.paid_at >= _PENDING_SECONDS


@dataclass(slots=True, eq=False)
class Subscription:
    """A fan's subscription to a creator, from its beginning to its end.

    Attributes:
        price: of a period, in US cents.
        expires_at: when the present period ends.
        renews: another period follows.
        trial: the present period is free.
        ended_at: when access ended; None while it is active.
        reason: why it ended.
    """

    id: str
    fan: Fan
    price: int
    created_at: float
    period_start: float
    expires_at: float
    renews: bool = True
    trial: bool = False
    ended_at: float | None = None
    reason: str | None = None

    @property
    def active(self) -> bool:
        """Whether the fan has access."""
        return self.ended_at is None

    def renew(self, now: float) -> None:
        """Begin another period now."""
        self.period_start, self.expires_at, self.trial = now, now + PERIOD_SECONDS, False

    def end(self, now: float, reason: str) -> None:
        """End it."""
        self.ended_at, self.reason = now, reason


@dataclass(slots=True, eq=False)
class AppPlan:
    """What an app asks of those who use it.

    Attributes:
        billing: ``free``, ``one_time`` or ``recurring``.
        interval: ``monthly`` or ``yearly``, for a recurring one.
        price: in US cents.
        status: ``pending_setup``, ``active`` or ``withdrawn``.
    """

    uuid: str
    client_id: str
    name: str
    billing: str
    interval: str | None
    price: int
    status: str = "active"


@dataclass(slots=True, eq=False)
class AppSubscription:
    """A creator's subscription to an app.

    Attributes:
        creator: uuid.
        status: ``active``, ``pending`` or ``cancelled``.
        period_end: when the paid period ends; None for a plan without periods.
        ends: it will not be renewed.
    """

    plan: AppPlan
    creator: str
    status: str
    period_end: float | None
    ends: bool = False
