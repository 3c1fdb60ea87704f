"""Lists of fans: those that a creator makes, and those that Fanvue keeps."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import paged
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import SMART_LISTS, CustomList, Fan, smart_list

__all__ = [
    "add_members",
    "create_list",
    "delete_list",
    "list_custom",
    "list_members",
    "list_smart",
    "list_smart_members",
    "remove_member",
    "update_list",
]


def list_custom(call: ApiCall) -> Json:
    """``GET /chats/lists/custom``."""
    search = str(call.query.get("search") or "").lower()
    return paged(
        call,
        [
            {**_row(one), "membersCount": len(one.members)}
            for one in call.creator.content.lists.values()
            if search in one.name.lower()
        ],
    )


def create_list(call: ApiCall) -> Json:
    """``POST /chats/lists/custom``: names are unique."""
    made = CustomList(call.sandbox.world.dice.uuid(), _free_name(call), call.now)
    call.creator.content.lists[made.uuid] = made
    return _row(made)


def update_list(call: ApiCall) -> Json:
    """``PATCH /chats/lists/custom/{uuid}``."""
    _list(call).name = _free_name(call)
    return None


def delete_list(call: ApiCall) -> Json:
    """``DELETE /chats/lists/custom/{uuid}``."""
    del call.creator.content.lists[_list(call).uuid]
    return None


def list_members(call: ApiCall) -> Json:
    """``GET /chats/lists/custom/{uuid}``."""
    fans = call.sandbox.world.fans
    return paged(call, [_member(fans[uuid]) for uuid in _list(call).members])


def add_members(call: ApiCall) -> Json:
    """``POST /chats/lists/custom/{uuid}/members``: who is on it already is skipped."""
    members = _list(call).members
    wanted = call.uuids("userUuids")
    if any(call.fan(uuid) is None for uuid in wanted):
        raise ApiRefusal(404, {"message": "User not found"})
    new = [uuid for uuid in dict.fromkeys(wanted) if uuid not in members]
    members.extend(new)
    return {"added": len(new), "skipped": len(wanted) - len(new)}


def remove_member(call: ApiCall) -> Json:
    """``DELETE /chats/lists/custom/{uuid}/members/{userUuid}``."""
    members, uuid = _list(call).members, call.params["userUuid"].lower()
    if uuid not in members:
        raise ApiRefusal(404, {"message": "User not found"})
    members.remove(uuid)
    return None


def list_smart(call: ApiCall) -> Json:
    """``GET /chats/lists/smart``."""
    return [
        {"name": name, "uuid": key, "count": len(smart_list(call.creator, key))}
        for key, name in SMART_LISTS.items()
    ]


def list_smart_members(call: ApiCall) -> Json:
    """``GET /chats/lists/smart/{uuid}``; the uuid is a key."""
    return paged(call, [_member(fan) for fan in smart_list(call.creator, call.params["uuid"])])


def _list(call: ApiCall) -> CustomList:
    found = call.creator.content.lists.get(call.params["uuid"].lower())
    if found is None:
        raise ApiRefusal(404, {"message": "List not found"})
    return found


def _free_name(call: ApiCall) -> str:
    name = call.text("name") or ""
    if any(one.name == name for one in call.creator.content.lists.values()):
        raise ApiRefusal(409, {"message": "A list with this name already exists"})
    return name


def _row(one: CustomList) -> dict[str, Json]:
    return {"uuid": one.uuid, "name": one.name, "createdAt": iso(one.created_at)}


def _member(fan: Fan) -> Json:
    return {"uuid": fan.uuid, "displayName": fan.display_name, "handle": fan.handle, "isCreator": False}
