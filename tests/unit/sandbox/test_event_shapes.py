"""The fields of each kind of event, as far as they are known."""

from dataclasses import replace

import pytest

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.payloads import TOPICS, sample_scene
from fankeep.sandbox.world import make_world

LEGACY = {
    "message.received": {"isMuted", "message", "messageUuid", "recipientUuid", "sender", "timestamp"},
    "message.read": {"counterpartUuid", "readMessagesCount", "recipientUuid", "timestamp"},
    "follow.new": {"recipientUuid", "sender", "timestamp"},
    "subscription.new": {"price", "recipientUuid", "sender", "timestamp"},
}
CHECKOUT = {"checkout_link", "purchaser", "creator", "metadata", "client_reference_id"}


@pytest.fixture
def body():
    world = make_world(1, now=1_800_000_000)

    def make(topic, **changes):
        scene = sample_scene(world, world.first_creator, Dice(1, "shapes"), now=1_800_000_000)
        return TOPICS[topic].body(replace(scene, **changes), event_id="event-1")

    return make


@pytest.mark.parametrize("topic", LEGACY)
def test_a_flat_event_has_these_fields(body, topic):
    assert set(body(topic)) == LEGACY[topic]


def test_a_flat_message_has_these_fields(body):
    message = body("message.received")["message"]
    assert set(message) == {"uuid", "text", "hasMedia", "mediaUuids", "price", "createdAt"}


def test_a_sender_has_these_fields(body):
    assert set(body("tip.new")["sender"]) == {"uuid", "handle", "displayName", "avatarUrl"}


@pytest.mark.parametrize(("on_post", "subject"), [(True, "postUuid"), (False, "routeUuid")])
def test_a_purchase_is_of_a_post_or_of_a_message(body, on_post, subject):
    purchase = body("purchase.new", on_post=on_post)
    assert set(purchase) == {subject, "price", "recipientUuid", "sender", "timestamp"}


@pytest.mark.parametrize(("on_post", "context"), [(True, "post"), (False, "message")])
def test_a_tip_is_in_the_context_of_a_post_or_of_a_message(body, on_post, context):
    tip = body("tip.new", on_post=on_post)
    assert tip["context"] == context
    common = {"context", "price", "recipientUuid", "sender", "senderUuid", "timestamp"}
    assert set(tip) == {f"{context}Uuid", *common}


@pytest.mark.parametrize("topic", ["creator.message.received", "creator.message.sent"])
def test_a_creator_message_has_these_fields(body, topic):
    data = body(topic)["data"]
    assert data["object"] == "message"
    assert data["sender"] == {"received": "fan", "sent": "creator"}[topic.rpartition(".")[2]]
    assert set(data) - {"text"} == {
        "object",
        "uuid",
        "sender",
        "created_at",
        "deleted_at",
        "is_muted",
        "is_automated",
        "message_type",
        "media_uuids",
        "fan",
        "creator",
    }


def test_a_reaction_and_a_read_mark_have_these_fields(body):
    assert set(body("creator.message.reaction")["data"]) == {"emoji", "message_uuid", "actor", "creator"}
    read = body("creator.message.read")["data"]
    assert set(read) == {"object", "unread_messages_count", "fan", "creator"}
    assert read["object"] == "fan_message_read"


def test_a_creator_subscription_has_these_fields(body):
    active = body("creator.subscription.activated")["data"]
    assert set(active) == {
        "id",
        "status",
        "cancel_at_period_end",
        "current_period_start",
        "created_at",
        "expires_at",
        "purchaser",
        "creator",
    }
    ended = body("creator.subscription.deactivated")["data"]
    assert (active["status"], ended["status"]) == ("active", "expired")
    assert ended["deactivation_reason"] in {"not_renewed", "payment_failed"}


@pytest.mark.parametrize(
    ("topic", "fields"),
    [
        ("creator.follow.created", {"follower", "created_at", "creator"}),
        (
            "creator.message.deleted",
            {"object", "uuid", "sender", "created_at", "deleted_at", "fan", "creator"},
        ),
        ("creator.fan.status_changed", {"fan", "status", "creator"}),
    ],
)
def test_a_follow_a_deletion_and_a_new_status_have_these_fields(body, topic, fields):
    assert set(body(topic)["data"]) == fields


def test_a_creator_payment_a_refund_and_a_dispute_have_these_fields(body):
    assert set(body("creator.payment.succeeded")["data"]) == {
        "id",
        "source",
        "gross",
        "currency",
        "paid_at",
        "created_at",
        "post_uuid",
        "message_uuid",
        "purchaser",
        "creator",
    }
    for topic in ("creator.refund.created", "creator.dispute.created"):
        assert set(body(topic)["data"]) == {
            "id",
            "payment_id",
            "amount",
            "currency",
            "created_at",
            "purchaser",
            "creator",
        }


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed"])
def test_a_checkout_payment_has_these_fields(body, status):
    data = body(f"checkout_link.payment.{status}")["data"]
    assert (data["object"], data["status"]) == ("payment", status)
    assert data["id"].startswith("FV-")
    assert set(data) == CHECKOUT | {
        "object",
        "id",
        "status",
        "billing_reason",
        "gross",
        "net",
        "fees",
        "currency",
        "paid_in_full",
        "installment",
        "subscription",
        "transaction_id",
        "created_at",
        "paid_at",
    }
    assert set(data["checkout_link"]) == {"uuid", "name", "product_uuid", "product_price_uuid"}
    assert set(data["purchaser"]) == {"uuid", "email"}


def test_a_checkout_subscription_has_these_fields(body):
    data = body("checkout_link.subscription.deactivated")["data"]
    assert (data["object"], data["deactivation_reason"]) == ("subscription", "NON_RENEWING")
    assert set(data) == CHECKOUT | {
        "object",
        "id",
        "status",
        "cancel_at_period_end",
        "expires_at",
        "created_at",
        "deactivation_reason",
    }


def test_a_checkout_refund_is_full(body):
    data = body("checkout_link.refund.created")["data"]
    assert (data["object"], data["full_amount"]) == ("refund", True)
    assert data["id"].startswith("FVC-")
    assert data["payment_id"].startswith("FV-")


def test_a_later_installment_has_its_number(body):
    paid = body("checkout_link.installment.paid")["data"]
    failed = body("checkout_link.installment.failed")["data"]
    assert paid["installment_number"] >= 2
    assert paid["reason"] is None
    assert failed["reason"] in {"charge_failed", "retry_failed", "delayed"}


def test_an_app_purchase_is_a_one_time_item(body):
    for topic, kind in (("app.payment.succeeded", "payment"), ("app.payment.refunded", "refund")):
        data = body(topic)["data"]
        assert data["object"] == kind
        assert data["purchase_reference"].startswith("appotp_")


def test_money_is_a_whole_number_of_cents(body):
    for topic, field in (
        ("tip.new", "price"),
        ("subscription.new", "price"),
        ("purchase.new", "price"),
    ):
        assert type(body(topic)[field]) is int
    for topic, field in (
        ("creator.payment.succeeded", "gross"),
        ("checkout_link.payment.succeeded", "gross"),
        ("checkout_link.refund.created", "amount"),
        ("checkout_link.installment.paid", "amount"),
    ):
        assert type(body(topic)["data"][field]) is int
