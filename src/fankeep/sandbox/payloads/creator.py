"""The ``data`` of the ``creator.*`` family: snake case, optional members left out."""

from __future__ import annotations

from collections.abc import Callable

from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.payloads.scene import Scene

__all__ = [
    "dispute",
    "follow",
    "message",
    "message_deleted",
    "message_read",
    "payment",
    "post_reaction",
    "presence",
    "reaction",
    "refund",
    "status",
    "subscription",
]

_IN_CHAT = frozenset({"message", "tip"})


def message(sender: str, *, kind: str = "SINGLE_RECIPIENT") -> Callable[[Scene], JsonObject]:
    """A message from ``fan`` or ``creator``."""

    def build(scene: Scene) -> JsonObject:
        data: JsonObject = {
            "object": "message",
            "uuid": scene.subject,
            "sender": sender,
            "created_at": scene.time,
            "deleted_at": None,
            "is_muted": scene.muted,
            "is_automated": False,
            "message_type": kind,
            "media_uuids": list(scene.media),
            "fan": scene.person,
            "creator": scene.creator_ref,
        }
        if scene.text is not None:
            data["text"] = scene.text
        return data

    return build


def message_deleted(scene: Scene) -> JsonObject:
    """A message was taken back."""
    return {
        "object": "message",
        "uuid": scene.subject,
        "sender": "creator",
        "created_at": scene.time,
        "deleted_at": scene.time,
        "fan": scene.person,
        "creator": scene.creator_ref,
    }


def message_read(scene: Scene) -> JsonObject:
    """The creator read a fan's messages."""
    return {
        "object": "fan_message_read",
        "unread_messages_count": 0,
        "fan": scene.person,
        "creator": scene.creator_ref,
    }


def reaction(scene: Scene) -> JsonObject:
    """A fan reacted to a message."""
    return {
        "emoji": "❤️",
        "message_uuid": scene.subject,
        "actor": {"uuid": scene.fan.uuid},
        "creator": scene.creator_ref,
    }


def follow(scene: Scene) -> JsonObject:
    """A fan follows."""
    return {"follower": scene.person, "created_at": scene.time, "creator": scene.creator_ref}


def subscription(
    *, status: str, ends: bool = False, reason: str | None = None
) -> Callable[[Scene], JsonObject]:
    """A subscription in a given state.

    Args:
        status: ``active`` or ``expired``.
        ends: it will not renew.
        reason: why it was deactivated.
    """

    def build(scene: Scene) -> JsonObject:
        one = scene.subscription
        data: JsonObject = {
            "id": scene.subject,
            "status": status,
            "cancel_at_period_end": ends if one is None else not one.renews,
            "current_period_start": scene.time if one is None else iso(one.period_start),
            "created_at": scene.time if one is None else iso(one.created_at),
            "expires_at": scene.days_later(30) if one is None else iso(one.expires_at),
            "purchaser": scene.person,
            "creator": scene.creator_ref,
        }
        if reason is not None:
            data["deactivation_reason"] = (one and one.reason) or reason
        return data

    return build


def payment(scene: Scene) -> JsonObject:
    """Money that arrived."""
    return {
        "id": f"FV-{scene.reference}",
        "source": scene.source,
        "gross": scene.price,
        "currency": "USD",
        "paid_at": scene.time,
        "created_at": scene.time,
        "post_uuid": scene.subject if scene.on_post else None,
        "message_uuid": scene.subject if scene.source in _IN_CHAT and not scene.on_post else None,
        "purchaser": scene.person,
        "creator": scene.creator_ref,
    }


def _about_payment(scene: Scene, prefix: str) -> JsonObject:
    return {
        "id": f"{prefix}-{scene.reference}",
        "payment_id": f"FV-{scene.reference}",
        "amount": scene.price,
        "currency": "USD",
        "created_at": scene.time,
        "purchaser": scene.person,
        "creator": scene.creator_ref,
    }


def refund(scene: Scene) -> JsonObject:
    """A payment went back."""
    return _about_payment(scene, "FVC")


def dispute(scene: Scene) -> JsonObject:
    """A payment is contested."""
    return _about_payment(scene, "FVD")


def post_reaction(scene: Scene) -> JsonObject:
    """A fan liked or commented on a post."""
    return {"fan": scene.person, "actor": {"uuid": scene.fan.uuid}, "creator": scene.creator_ref}


def presence(scene: Scene) -> JsonObject:
    """A fan came online, or went."""
    return {"fan": scene.person, "is_online": scene.online, "creator": scene.creator_ref}


def status(scene: Scene) -> JsonObject:
    """A fan's relation to the creator changed."""
    return {"fan": scene.person, "status": "subscriber", "creator": scene.creator_ref}
