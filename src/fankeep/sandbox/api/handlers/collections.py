"""Collections: names under which posts are collected."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import paged
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Collection

__all__ = ["create_collection", "delete_collection", "list_collections", "rename_collection"]


def list_collections(call: ApiCall) -> Json:
    """``GET /collections``."""
    return paged(call, [_row(one) for one in call.creator.content.collections.values()])


def create_collection(call: ApiCall) -> Json:
    """``POST /collections``: labels are unique."""
    made = Collection(call.sandbox.world.dice.uuid(), _free_label(call), call.now)
    call.creator.content.collections[made.uuid] = made
    return _row(made)


def rename_collection(call: ApiCall) -> Json:
    """``PATCH /collections/{uuid}``."""
    _collection(call).label = _free_label(call)
    return None


def delete_collection(call: ApiCall) -> Json:
    """``DELETE /collections/{uuid}``: the posts stay."""
    content, gone = call.creator.content, _collection(call).uuid
    del content.collections[gone]
    for post in content.posts.values():
        post.collections = [uuid for uuid in post.collections if uuid != gone]
    return None


def _collection(call: ApiCall) -> Collection:
    found = call.creator.content.collections.get(call.params["uuid"].lower())
    if found is None:
        raise ApiRefusal(404, {"message": "Collection not found"})
    return found


def _free_label(call: ApiCall) -> str:
    label = call.text("label") or ""
    if any(one.label == label for one in call.creator.content.collections.values()):
        raise ApiRefusal(409, {"message": "A collection with this label already exists"})
    return label


def _row(one: Collection) -> Json:
    return {"uuid": one.uuid, "label": one.label, "createdAt": iso(one.created_at)}
