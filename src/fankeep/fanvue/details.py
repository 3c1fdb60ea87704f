"""What each kind of event says, as typed values: one type for one fact, whichever family told it.

Every field is optional: the sender leaves fields out, and fankeep does not store those that are personal
unless an operator opted in. Amounts are in minor units, times are seconds since 1970, statuses are texts. The
uuid of the creator and the time of the event stand on the event itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fankeep.fanvue import shapes
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.strict_json import Json

__all__ = [
    "AppPayment",
    "AppRefund",
    "CheckoutDispute",
    "CheckoutInstallment",
    "CheckoutLink",
    "CheckoutPayment",
    "CheckoutPlan",
    "CheckoutRefund",
    "CheckoutSubscription",
    "Detail",
    "Dispute",
    "FanChange",
    "Follow",
    "Message",
    "MessagesRead",
    "Payment",
    "Payout",
    "Person",
    "PostReaction",
    "Reaction",
    "Refund",
    "Subscription",
    "Tracking",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody other than the creator. All but the uuid is kept by opt-in only, and hidden from ``repr``."""

    uuid: str | None = shapes.text()
    handle: str | None = shapes.text(personal=True)
    display_name: str | None = shapes.text("display_name", "displayName", personal=True)
    avatar_url: str | None = shapes.text("avatar_url", "avatarUrl", personal=True)
    email: str | None = shapes.text(personal=True)


def _by_uuid(value: Json) -> Person | None:
    uuid = as_uuid(value)
    return None if uuid is None else Person(uuid=uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """The link over which a fan came; kept by opt-in only."""

    link_url: str | None = shapes.text(personal=True)
    metadata: Mapping[str, str] | None = shapes.text_map()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutLink:
    """The link over which something was bought; its name is kept by opt-in only."""

    uuid: str | None = shapes.text()
    name: str | None = shapes.text(personal=True)
    product_uuid: str | None = shapes.text()
    product_price_uuid: str | None = shapes.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What all kinds have.

    Attributes:
        kind: what the sender calls it, its ``object``.
    """

    kind: str | None = shapes.text("object")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Detail):
    """A message came, was sent, or was deleted.

    Attributes:
        text: kept by opt-in only; the API has it.
        sender: ``fan`` or ``creator``.
        price: what it costs to unlock; of the legacy family.
        tip: the amount, if it is one.
    """

    uuid: str | None = shapes.text("uuid", "message.uuid", "messageUuid")
    text: str | None = shapes.text("text", "message.text", personal=True)
    sender: str | None = shapes.text()
    created_at: float | None = shapes.moment("created_at", "message.createdAt")
    deleted_at: float | None = shapes.moment()
    message_type: str | None = shapes.text()
    is_muted: bool | None = shapes.flag("is_muted", "isMuted")
    is_automated: bool | None = shapes.flag()
    has_media: bool | None = shapes.flag("message.hasMedia")
    media_uuids: tuple[str, ...] | None = shapes.texts("media_uuids", "message.mediaUuids")
    price: int | None = shapes.amount("message.price")
    tip: int | None = shapes.amount("tip.price")
    unread_messages_count: int | None = shapes.count()
    fan: Person | None = shapes.inner(Person, "fan", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead(Detail):
    """The creator has read a fan's messages.

    Attributes:
        count: how many; of the legacy family.
        unread_messages_count: how many are left; of the new one.
    """

    count: int | None = shapes.count("readMessagesCount")
    unread_messages_count: int | None = shapes.count()
    fan: Person | None = shapes.inner(Person, "fan", "counterpartUuid", bare=_by_uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(Detail):
    """A fan reacted to a message; with which emoji is kept by opt-in only."""

    emoji: str | None = shapes.text(personal=True)
    message_uuid: str | None = shapes.text()
    fan: Person | None = shapes.inner(Person, "actor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow(Detail):
    """A fan follows the creator."""

    created_at: float | None = shapes.moment("created_at", "timestamp")
    fan: Person | None = shapes.inner(Person, "follower", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Detail):
    """A fan's subscription began, was renewed, changed or ended.

    Attributes:
        status: ``active`` or ``expired``.
        price: of the legacy family.
    """

    id: str | None = shapes.text()
    status: str | None = shapes.text()
    cancel_at_period_end: bool | None = shapes.flag()
    current_period_start: float | None = shapes.moment()
    created_at: float | None = shapes.moment("created_at", "timestamp")
    expires_at: float | None = shapes.moment()
    deactivation_reason: str | None = shapes.text()
    price: int | None = shapes.amount()
    tracking: Tracking | None = shapes.inner(Tracking)
    fan: Person | None = shapes.inner(Person, "purchaser", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Detail):
    """A fan paid.

    Attributes:
        source: what for: ``tip``, ``message``, ``post``, ``subscription``, ``renewal`` and others.
        context: whether a tip was for a ``post`` or a ``message``; of the legacy family.
    """

    id: str | None = shapes.text()
    source: str | None = shapes.text()
    context: str | None = shapes.text()
    gross: int | None = shapes.amount("gross", "price")
    currency: str | None = shapes.text()
    paid_at: float | None = shapes.moment("paid_at", "timestamp")
    created_at: float | None = shapes.moment("created_at", "timestamp")
    post_uuid: str | None = shapes.text("post_uuid", "postUuid")
    message_uuid: str | None = shapes.text("message_uuid", "messageUuid", "routeUuid")
    subscription_id: str | None = shapes.text("subscription.id")
    tracking: Tracking | None = shapes.inner(Tracking)
    fan: Person | None = shapes.inner(Person, "purchaser", "sender", "senderUuid", bare=_by_uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reversal(Detail):
    id: str | None = shapes.text()
    payment_id: str | None = shapes.text("payment_id", "payment.id")
    amount: int | None = shapes.amount()
    currency: str | None = shapes.text()
    created_at: float | None = shapes.moment()
    fan: Person | None = shapes.inner(Person, "purchaser", "payment.purchaser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(_Reversal):
    """A payment went back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute(_Reversal):
    """A payment is contested at the fan's bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanChange(Detail):
    """A fan came online or went, or stands to the creator in another way; what changed is not known to us."""

    fan: Person | None = shapes.inner(Person)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReaction(Detail):
    """A fan liked or commented on a post; which one is not known to us."""

    fan: Person | None = shapes.inner(Person, "fan", "actor")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checkout(Detail):
    id: str | None = shapes.text()
    created_at: float | None = shapes.moment()
    client_reference_id: str | None = shapes.text(personal=True)
    metadata: Mapping[str, str] | None = shapes.text_map()
    checkout_link: CheckoutLink | None = shapes.inner(CheckoutLink)
    fan: Person | None = shapes.inner(Person, "purchaser")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPayment(_Checkout):
    """A payment over a checkout link is pending, succeeded or failed.

    Attributes:
        status: ``pending``, ``succeeded`` or ``failed``.
        billing_reason: ``one_time``, ``subscription_initial`` or ``subscription_renewal``.
        paid_in_full: False for a sale in parts.
        installment_number: which part; ``installment_of`` says of how many.
    """

    status: str | None = shapes.text()
    billing_reason: str | None = shapes.text()
    gross: int | None = shapes.amount()
    net: int | None = shapes.amount()
    fanvue_fee: int | None = shapes.amount("fees.fanvue_fee")
    transaction_fee: int | None = shapes.amount("fees.transaction_fee")
    currency: str | None = shapes.text()
    paid_in_full: bool | None = shapes.flag()
    installment_number: int | None = shapes.count("installment.number")
    installment_of: int | None = shapes.count("installment.of")
    subscription_uuid: str | None = shapes.text("subscription.uuid")
    transaction_id: str | None = shapes.text()
    paid_at: float | None = shapes.moment()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSubscription(_Checkout):
    """A subscription over a checkout link began, ended, or was set to end.

    Attributes:
        status: ``active``, ``cancelled`` or ``expired``.
    """

    status: str | None = shapes.text()
    cancel_at_period_end: bool | None = shapes.flag()
    expires_at: float | None = shapes.moment()
    deactivation_reason: str | None = shapes.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRefund(_Checkout):
    """A payment over a checkout link went back, always in full; why is kept by opt-in only."""

    payment_id: str | None = shapes.text()
    amount: int | None = shapes.amount()
    currency: str | None = shapes.text()
    reason: str | None = shapes.text(personal=True)
    full_amount: bool | None = shapes.flag()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutDispute(_Checkout):
    """An early warning of a dispute, or the dispute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutInstallment(_Checkout):
    """A later part of a sale in parts was paid or failed; no new revenue.

    Attributes:
        status: ``paid`` or ``failed``.
        reason: ``charge_failed``, ``retry_failed`` or ``delayed``.
    """

    status: str | None = shapes.text()
    reason: str | None = shapes.text()
    installment_number: int | None = shapes.count()
    number_of_installments: int | None = shapes.count()
    amount: int | None = shapes.amount()
    currency: str | None = shapes.text()
    outstanding_amount: int | None = shapes.amount()
    process_date: float | None = shapes.moment()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPlan(_Checkout):
    """A sale in parts is paid off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout(Detail):
    """Money is on its way to the creator."""

    id: str | None = shapes.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPayment(Detail):
    """A creator bought a one-time item of the app."""

    purchase_reference: str | None = shapes.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRefund(Detail):
    """Such a purchase was taken back."""

    purchase_reference: str | None = shapes.text()
