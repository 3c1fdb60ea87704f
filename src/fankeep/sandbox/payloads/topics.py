"""Every webhook topic as one table: its name, its family, and what its body is made by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.payloads import checkout, creator, legacy
from fankeep.sandbox.payloads.scene import Scene
from fankeep.sandbox.settings import EventScopes

__all__ = ["TOPICS", "Family", "Topic"]


class Family(StrEnum):
    """How a body is built and who gets it."""

    LEGACY = "legacy"
    CREATOR = "creator"
    CHECKOUT = "checkout"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of webhook."""

    name: str
    family: Family
    build: Callable[[Scene], JsonObject]

    def body(self, scene: Scene, *, event_id: str) -> JsonObject:
        """The JSON body: flat for the legacy family, otherwise an envelope around the data."""
        data = self.build(scene)
        if self.family is Family.LEGACY:
            return data
        return {"id": event_id, "type": self.name, "timestamp": scene.time, "data": data}

    def scope(self, rule: EventScopes) -> str | None:
        """The scope without which an app does not hear it; None when it needs none."""
        if self.family is Family.CHECKOUT:
            return "read:creator"
        if self.family is Family.APP or rule is EventScopes.DOCUMENTED:
            return None
        return _SCOPES[self.name.removeprefix("creator.").partition(".")[0]]


_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "message": "read:chat",
        "follow": "read:fan",
        "subscription": "read:fan",
        "fan": "read:fan",
        "post": "read:post",
        "payment": "read:creator",
        "purchase": "read:creator",
        "tip": "read:creator",
        "refund": "read:creator",
        "dispute": "read:creator",
    }
)
"""The scope of what an event is about, by the first word of its name; those of payments were seen live."""


def _family(family: Family, builders: Mapping[str, Callable[[Scene], JsonObject]]) -> dict[str, Topic]:
    return {name: Topic(name, family, build) for name, build in builders.items()}


TOPICS: Mapping[str, Topic] = MappingProxyType(
    _family(
        Family.LEGACY,
        {
            "message.received": legacy.message_received,
            "message.read": legacy.message_read,
            "follow.new": legacy.follower,
            "subscription.new": legacy.subscriber,
            "purchase.new": legacy.purchase,
            "tip.new": legacy.tip,
        },
    )
    | _family(
        Family.CREATOR,
        {
            "creator.message.received": creator.message("fan"),
            "creator.message.sent": creator.message("creator"),
            "creator.message.read": creator.message_read,
            "creator.message.deleted": creator.message_deleted,
            "creator.message.reaction": creator.reaction,
            "creator.follow.created": creator.follow,
            "creator.subscription.activated": creator.subscription(status="active"),
            "creator.subscription.renewed": creator.subscription(status="active"),
            "creator.subscription.deactivated": creator.subscription(status="expired", reason="not_renewed"),
            "creator.subscription.cancel_at_period_end_changed": creator.subscription(
                status="active", ends=True
            ),
            "creator.payment.succeeded": creator.payment,
            "creator.refund.created": creator.refund,
            "creator.dispute.created": creator.dispute,
            "creator.post.liked": creator.post_reaction,
            "creator.post.commented": creator.post_reaction,
            "creator.fan.presence_changed": creator.presence,
            "creator.fan.status_changed": creator.status,
        },
    )
    | _family(
        Family.CHECKOUT,
        {
            "checkout_link.payment.pending": checkout.payment("pending"),
            "checkout_link.payment.succeeded": checkout.payment("succeeded"),
            "checkout_link.payment.failed": checkout.payment("failed"),
            "checkout_link.subscription.activated": checkout.subscription("active"),
            "checkout_link.subscription.deactivated": checkout.subscription("expired"),
            "checkout_link.subscription.cancel_at_period_end_changed": checkout.subscription(
                "active", ends=True
            ),
            "checkout_link.refund.created": checkout.refund,
            "checkout_link.dispute.flagged": checkout.dispute,
            "checkout_link.dispute.created": checkout.dispute,
            "checkout_link.installment.paid": checkout.installment("paid"),
            "checkout_link.installment.failed": checkout.installment("failed"),
            "checkout_link.plan.completed": checkout.plan,
            "payout.paid": checkout.payout,
        },
    )
    | _family(
        Family.APP,
        {"app.payment.succeeded": checkout.app_payment, "app.payment.refunded": checkout.app_refund},
    )
)
