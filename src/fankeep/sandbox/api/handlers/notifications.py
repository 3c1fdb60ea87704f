"""What a creator is told of: follows, subscriptions, purchases, tips, likes, comments."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers.rows import avatar_url, paged
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Notification

__all__ = ["list_notifications"]


def list_notifications(call: ApiCall) -> Json:
    """``GET /notifications``: newest first; ``eventType`` picks one kind."""
    wanted = call.query.get("eventType")
    newest_first = reversed(call.creator.content.notifications)
    return paged(call, [_row(call, one) for one in newest_first if wanted in (None, one.event)])


def _row(call: ApiCall, one: Notification) -> Json:
    return {
        "uuid": one.uuid,
        "createdAt": iso(one.created_at),
        "eventType": one.event,
        "isRead": one.read,
        "data": {},  # what stands here for which event is not known
        "originator": _originator(call, one.fan),
        "receiverUuid": call.creator.uuid,
    }


def _originator(call: ApiCall, uuid: str) -> Json:
    fan = call.fan(uuid)
    if fan is None:
        return None
    return {
        "uuid": fan.uuid,
        "handle": fan.handle,
        "displayName": fan.display_name,
        "avatarUrl": avatar_url(call, fan),
        "isCreator": False,
    }
