"""Template messages."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import paged
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Template

__all__ = ["get_template", "list_templates"]


def list_templates(call: ApiCall) -> Json:
    """``GET /chats/templates``: ``folderName`` matches in part."""
    folder = str(call.query.get("folderName") or "").lower()
    templates = call.creator.content.templates.values()
    return paged(call, [_row(one) for one in templates if folder in (one.folder or "").lower()])


def get_template(call: ApiCall) -> Json:
    """``GET /chats/templates/{templateUuid}``."""
    found = call.creator.content.templates.get(call.params["templateUuid"].lower())
    if found is None:
        raise ApiRefusal(404, {"message": "Template not found"})
    return _row(found)


def _row(one: Template) -> Json:
    return {
        "uuid": one.uuid,
        "text": one.text,
        "price": one.price,
        "mediaUuids": list[Json](one.media),
        "folderName": one.folder,
    }
