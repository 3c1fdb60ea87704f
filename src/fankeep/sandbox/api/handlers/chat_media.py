"""The media that were sent in a chat."""

from __future__ import annotations

from typing import NamedTuple

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.media import media_variants
from fankeep.sandbox.api.handlers.rows import paged_by_cursor
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Message

__all__ = ["get_message_media", "list_chat_media"]

_MOST = 20


class _Sent(NamedTuple):
    uuid: str
    message: Message


def list_chat_media(call: ApiCall) -> Json:
    """``GET /chats/{userUuid}/media``: newest first."""
    wanted = call.query.get("mediaType")
    sent = [
        _Sent(uuid, message)
        for message in call.chat().messages
        for uuid in message.media
        if wanted in (None, _kind(call, uuid))
    ]
    return paged_by_cursor(
        call,
        sent,
        key=lambda one: (one.message.sent_at, f"{one.message.uuid} {one.uuid}"),
        row=lambda one: _row(call, one.uuid, one.message),
        size=call.number("limit", 20),
    )


def get_message_media(call: ApiCall) -> Json:
    """``GET /chats/{userUuid}/messages/{messageUuid}/media``: by uuid, errors beside."""
    wanted = call.named_uuids("mediaUuids", most=_MOST)
    message = next((m for m in call.chat().messages if m.uuid == call.params["messageUuid"].lower()), None)
    if message is None:
        raise ApiRefusal(404, {"message": "Message not found"})
    return {
        "results": {uuid: _row(call, uuid, message) if uuid in message.media else None for uuid in wanted},
        "errors": [
            {"mediaUuid": uuid, "code": "NOT_IN_MESSAGE", "message": "This message has no such media"}
            for uuid in wanted
            if uuid not in message.media
        ],
    }


def _kind(call: ApiCall, uuid: str) -> str:
    media = call.creator.content.media.get(uuid)
    return "unknown" if media is None else media.kind


def _row(call: ApiCall, uuid: str, message: Message) -> Json:
    media = call.creator.content.media.get(uuid)
    return {
        "uuid": uuid,
        "messageUuid": message.uuid,
        "mediaType": _kind(call, uuid),
        "created_at": None if media is None else iso(media.created_at),
        "sentAt": iso(message.sent_at),
        "ownerUuid": message.sender.uuid,
        "name": None if media is None else media.name,
        "variants": [] if media is None else media_variants(call, media),
    }
