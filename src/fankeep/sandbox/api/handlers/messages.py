"""Reading, sending and taking back messages."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import message_row, paged, price_of
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Chat, Message, Template

__all__ = ["delete_message", "list_messages", "messages_batch", "send_message"]

_BATCH_SIZE = 20


def list_messages(call: ApiCall) -> Json:
    """``GET /chats/{userUuid}/messages``: newest first.

    Reading marks the chat as read unless ``markAsRead=false``; under ``/v1`` it is the other way round.
    """
    chat = call.chat()
    answer = paged(call, [message_row(chat, message) for message in reversed(chat.messages)])
    if _marks_read(call):
        call.sandbox.life.creator_reads(call.creator, chat.fan, now=call.now)
    return answer


def messages_batch(call: ApiCall) -> Json:
    """``POST /chats/messages/batch``: several chats at once, errors by chat."""
    return {"byChat": {uuid: _batch_of(call, uuid) for uuid in call.uuids("chatUuids")}}


def send_message(call: ApiCall) -> Json:
    """``POST /chats/{userUuid}/message``: the chat has to exist; what is not given is the template's."""
    chat = call.creator.chats.get(call.params["userUuid"].lower())
    if chat is None:
        raise ApiRefusal(400, {"message": "This user cannot be contacted"})
    template = _template(call)
    text = call.text("text") or template.text
    media = tuple(call.uuids("mediaUuids")) or template.media
    price = price_of(call) if call.body.get("price") is not None else template.price
    if not text and not media:
        raise ApiRefusal(400, {"message": "A message needs a text, media or a template"})
    if price is not None and not media:
        raise ApiRefusal(400, {"message": "A message with a price needs media"})
    message = Message(
        uuid=call.sandbox.world.dice.uuid(),
        sender=call.creator,
        recipient=chat.fan,
        text=text,
        sent_at=call.now,
        price=price,
        media=media,
        sent_by=call.owner.uuid if call.owner is not call.creator else None,
    )
    call.sandbox.life.creator_writes(message, call.creator, chat.fan, now=call.now)
    return {"messageUuid": message.uuid}


def delete_message(call: ApiCall) -> Json:
    """``DELETE /chats/{userUuid}/messages/{messageUuid}``: one's own, and not once it was bought."""
    chat = call.chat()
    message = _find(chat, call.params["messageUuid"])
    if message is None:
        raise ApiRefusal(404, {"message": "Message not found"})
    if message.sender is not call.creator or message.purchased_at is not None:
        raise ApiRefusal(400, {"message": "This message cannot be deleted"})
    call.sandbox.life.creator_deletes(message, call.creator, chat.fan, now=call.now)
    return None


def _template(call: ApiCall) -> Template:
    """The template that is named; an empty one when there is none named."""
    wanted = call.text("templateUuid")
    if wanted is None:
        return Template("", None)
    found = call.creator.content.templates.get(wanted.lower())
    if found is None:
        raise ApiRefusal(400, {"message": "Template not found"})
    return found


def _marks_read(call: ApiCall) -> bool:
    if call.versioned and "markAsRead" not in call.asked:
        return False
    return call.query.get("markAsRead") != "false"


def _batch_of(call: ApiCall, uuid: str) -> Json:
    chat = call.creator.chats.get(uuid)
    if chat is None:
        return {"error": "not_found"}
    limit = call.body.get("limit")
    count = int(limit) if isinstance(limit, (int, float)) else _BATCH_SIZE
    newest_first = list(reversed(_since(chat, call.text("sinceMessageUuid"))))
    messages = newest_first[:count]
    return {
        "messages": [message_row(chat, message) for message in messages],
        "hasMore": len(newest_first) > count,
        "oldestMessageUuid": messages[-1].uuid if messages else None,
    }


def _since(chat: Chat, uuid: str | None) -> list[Message]:
    """The messages strictly after the given one; all of them when it is not of this chat."""
    found = _find(chat, uuid) if uuid else None
    return chat.messages if found is None else chat.messages[chat.messages.index(found) + 1 :]


def _find(chat: Chat, uuid: str) -> Message | None:
    return next((message for message in chat.messages if message.uuid == uuid.lower()), None)
