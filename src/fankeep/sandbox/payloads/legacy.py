"""The flat family: no envelope, no id, no type inside the body."""

from __future__ import annotations

from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.payloads.scene import Scene

__all__ = ["follower", "message_read", "message_received", "purchase", "subscriber", "tip"]


def _sender(scene: Scene) -> JsonObject:
    return {
        "uuid": scene.fan.uuid,
        "handle": scene.fan.handle,
        "displayName": scene.fan.display_name,
        "avatarUrl": None,
    }


def _common(scene: Scene) -> JsonObject:
    return {
        "sender": _sender(scene),
        "recipientUuid": scene.creator.uuid,
        "timestamp": scene.time,
    }


def message_received(scene: Scene) -> JsonObject:
    """A fan wrote."""
    message: JsonObject = {
        "uuid": scene.subject,
        "text": scene.text,
        "hasMedia": bool(scene.media),
        "mediaUuids": list(scene.media),
        "price": None,
        "createdAt": scene.time,
    }
    return {
        "message": message,
        "messageUuid": scene.subject,
        "isMuted": scene.muted,
        **_common(scene),
    }


def message_read(scene: Scene) -> JsonObject:
    """The creator marked a fan's messages as read."""
    return {
        "counterpartUuid": scene.fan.uuid,
        "readMessagesCount": scene.count,
        "recipientUuid": scene.creator.uuid,
        "timestamp": scene.time,
    }


def follower(scene: Scene) -> JsonObject:
    """A fan follows."""
    return _common(scene)


def subscriber(scene: Scene) -> JsonObject:
    """A fan subscribed."""
    return {"price": scene.price, **_common(scene)}


def purchase(scene: Scene) -> JsonObject:
    """A fan unlocked a post or a message."""
    return {
        "postUuid" if scene.on_post else "routeUuid": scene.subject,
        "price": scene.price,
        **_common(scene),
    }


def tip(scene: Scene) -> JsonObject:
    """A fan tipped."""
    return {
        "context": "post" if scene.on_post else "message",
        "postUuid" if scene.on_post else "messageUuid": scene.subject,
        "senderUuid": scene.fan.uuid,
        "price": scene.price,
        **_common(scene),
    }
