"""Followers, subscribers, and who is online."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers.rows import avatar_url, fan_row, paged, when
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Creator, Fan

__all__ = [
    "get_batch_statuses",
    "list_creators",
    "list_followers",
    "list_online_subscribers",
    "list_subscribers",
]

_MOST_ONLINE = 50


def list_followers(call: ApiCall) -> Json:
    """``GET /followers``: those who don't subscribe as well."""
    return paged(call, [fan_row(call, fan) for fan in call.creator.mere_followers])


def list_subscribers(call: ApiCall) -> Json:
    """``GET /subscribers``: newest first, or as ``sortField`` and ``sortDirection`` say."""
    active = [one for one in call.creator.subscriptions if one.active]
    if call.query.get("sortField") == "name":
        active.sort(key=lambda one: one.fan.display_name, reverse=call.query.get("sortDirection") == "desc")
    else:
        active.sort(key=lambda one: one.created_at, reverse=call.query.get("sortDirection") != "asc")
    return paged(call, [fan_row(call, one.fan) for one in active])


def list_online_subscribers(call: ApiCall) -> Json:
    """``GET /creators/{creatorUserUuid}/subscribers/online``: of some subscribers, or of all."""
    wanted = call.named_uuids("subscriberUuids", most=_MOST_ONLINE)
    online = [fan for fan in call.creator.subscribers if fan.online and (not wanted or fan.uuid in wanted)]
    shown = online[: call.number("limit", _MOST_ONLINE)]
    return {
        "count": len(online),
        "data": [{"uuid": fan.uuid, "lastSeenAt": iso(call.now)} for fan in shown],
    }


def list_creators(call: ApiCall) -> Json:
    """``GET /creators``: those whom the caller's agency manages."""
    creators = call.sandbox.world.creators
    return paged(call, [_creator_row(call, creators[uuid]) for uuid in call.owner.manages])


def get_batch_statuses(call: ApiCall) -> Json:
    """``POST /chats/statuses``; somebody unknown shows as offline."""
    return {uuid: _status(call, call.fan(uuid)) for uuid in call.uuids("userUuids")}


def _status(call: ApiCall, fan: Fan | None) -> Json:
    if fan is None:
        return {"isOnline": False, "lastSeenAt": None}
    return {"isOnline": fan.online, "lastSeenAt": iso(call.now) if fan.online else when(fan.seen_at)}


def _creator_row(call: ApiCall, creator: Creator) -> Json:
    return {
        "uuid": creator.uuid,
        "handle": creator.handle,
        "displayName": creator.display_name,
        "nickname": None,
        "isTopSpender": False,
        "avatarUrl": avatar_url(call, creator),
        "registeredAt": iso(creator.since),
        "role": "creator",
    }
