"""Which type of :mod:`fankeep.fanvue.details` an event is, and what its name alone says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fankeep.fanvue import details
from fankeep.fanvue.details import Detail
from fankeep.fanvue.shapes import read_shape
from fankeep.fanvue.strict_json import Json

__all__ = ["DETAIL_TYPES", "read_detail"]

DETAIL_TYPES: Final[Mapping[str, type[Detail]]] = {
    "message.received": details.Message,
    "message.read": details.MessagesRead,
    "follow.new": details.Follow,
    "subscription.new": details.Subscription,
    "purchase.new": details.Payment,
    "tip.new": details.Payment,
    "creator.message.received": details.Message,
    "creator.message.sent": details.Message,
    "creator.message.deleted": details.Message,
    "creator.message.read": details.MessagesRead,
    "creator.message.reaction": details.Reaction,
    "creator.follow.created": details.Follow,
    "creator.subscription.activated": details.Subscription,
    "creator.subscription.renewed": details.Subscription,
    "creator.subscription.deactivated": details.Subscription,
    "creator.subscription.cancel_at_period_end_changed": details.Subscription,
    "creator.payment.succeeded": details.Payment,
    "creator.refund.created": details.Refund,
    "creator.dispute.created": details.Dispute,
    "creator.fan.presence_changed": details.FanChange,
    "creator.fan.status_changed": details.FanChange,
    "creator.post.liked": details.PostReaction,
    "creator.post.commented": details.PostReaction,
    "checkout_link.payment.pending": details.CheckoutPayment,
    "checkout_link.payment.succeeded": details.CheckoutPayment,
    "checkout_link.payment.failed": details.CheckoutPayment,
    "checkout_link.subscription.activated": details.CheckoutSubscription,
    "checkout_link.subscription.deactivated": details.CheckoutSubscription,
    "checkout_link.subscription.cancel_at_period_end_changed": details.CheckoutSubscription,
    "checkout_link.refund.created": details.CheckoutRefund,
    "checkout_link.dispute.flagged": details.CheckoutDispute,
    "checkout_link.dispute.created": details.CheckoutDispute,
    "checkout_link.installment.paid": details.CheckoutInstallment,
    "checkout_link.installment.failed": details.CheckoutInstallment,
    "checkout_link.plan.completed": details.CheckoutPlan,
    "payout.paid": details.Payout,
    "app.payment.succeeded": details.AppPayment,
    "app.payment.refunded": details.AppRefund,
}
"""By the names of the catalogue; every one of them is there."""


def read_detail(type_name: str, data: Mapping[str, Json]) -> Detail | None:
    """Read what an event says.

    Args:
        type_name: of the event.
        data: what was kept of it, or all of it.

    Returns:
        None for a type that is not in the catalogue. Whatever the data is, nothing is raised.
    """
    shape = DETAIL_TYPES.get(type_name)
    if shape is None:
        return None
    detail = read_shape(shape, data)
    return _named_source(type_name, detail) if isinstance(detail, details.Payment) else detail


def _named_source(type_name: str, payment: details.Payment) -> details.Payment:
    """Flat bodies say by their kind what was paid for, where an envelope has a field for it."""
    match type_name:
        case "tip.new":
            return replace(payment, source="tip")
        case "purchase.new" if payment.post_uuid is not None:
            return replace(payment, source="post")
        case "purchase.new" if payment.message_uuid is not None:
            return replace(payment, source="message")
        case _:
            return payment
