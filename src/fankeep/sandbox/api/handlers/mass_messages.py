"""One message to many: now, or at a time."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import moment, paged, price_of, when
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.settings import SmartListKey
from fankeep.sandbox.world import SMART_LISTS, MassMessage, audience

__all__ = ["delete_mass_message", "list_mass_messages", "send_mass_message", "update_mass_message"]


def list_mass_messages(call: ApiCall) -> Json:
    """``GET /chats/mass-messages``: newest first."""
    shown = [
        one
        for one in reversed(call.creator.content.mass_messages.values())
        if not one.deleted or call.query.get("includeDeleted") == "true"
    ]
    return paged(call, [_row(call, one) for one in shown])


def send_mass_message(call: ApiCall) -> Json:
    """``POST /chats/mass-messages``: now or at its time, to those on the lists who are on no excluded one."""
    made = MassMessage(
        uuid=call.sandbox.world.dice.uuid(),
        created_at=call.now,
        text=call.text("text"),
        price=price_of(call),
        media=tuple(call.uuids("mediaUuids")),
        included=_lists(call, "includedLists"),
        excluded=_lists(call, "excludedLists"),
        scheduled_at=moment(call, "scheduledAt"),
    )
    if not made.text and not made.media:
        raise ApiRefusal(400, {"message": "A message needs a text or media"})
    if made.price is not None and not made.media:
        raise ApiRefusal(400, {"message": "A message with a price needs media"})
    made.recipients = audience(call.creator, made.included, made.excluded)
    call.creator.content.mass_messages[made.uuid] = made
    if made.is_due(call.now):
        call.sandbox.life.creator_writes_to_many(call.creator, made, now=call.now)
    return {"id": made.uuid, "recipientCount": len(made.recipients), "createdAt": iso(made.created_at)}


def update_mass_message(call: ApiCall) -> Json:
    """``PATCH /chats/mass-messages/{messageUuid}``: only before it is sent."""
    one = _mass_message(call)
    if one.sent_at is not None:
        raise ApiRefusal(400, {"message": "This message has been sent"})
    one.text = call.text("text") if "text" in call.body else one.text
    one.price = price_of(call) if "price" in call.body else one.price
    one.media = tuple(call.uuids("mediaUuids")) if "mediaUuids" in call.body else one.media
    one.scheduled_at = moment(call, "scheduledAt") or one.scheduled_at
    one.included = _lists(call, "includedLists") if "includedLists" in call.body else one.included
    one.excluded = _lists(call, "excludedLists") if "excludedLists" in call.body else one.excluded
    one.recipients = audience(call.creator, one.included, one.excluded)
    if one.is_due(call.now):
        call.sandbox.life.creator_writes_to_many(call.creator, one, now=call.now)
    return None


def delete_mass_message(call: ApiCall) -> Json:
    """``DELETE /chats/mass-messages/{messageUuid}``: taken back from all who have not bought it."""
    one = _mass_message(call)
    one.deleted = True
    for uuid in one.recipients:
        chat = call.creator.chats.get(uuid)
        for message in list(chat.messages) if chat else []:
            if chat and message.uuid in one.messages and message.purchased_at is None:
                call.sandbox.life.creator_deletes(message, call.creator, chat.fan, now=call.now)
    return None


def _lists(call: ApiCall, name: str) -> tuple[str, ...]:
    """The keys of Fanvue's lists and the uuids of the creator's own that are named."""
    lists = call.body.get(name)
    if not isinstance(lists, dict):
        return ()
    key = call.sandbox.settings.switches.smart_list_key
    foreign = next((other for other in SmartListKey if other is not key and other in lists), None)
    if foreign is not None:
        raise ApiRefusal(400, {"errors": [f"{name}.{foreign}: unknown; it is {key}"]})
    own = [uuid.lower() for uuid in _texts(lists.get("customListUuids"))]
    smart = _texts(lists.get(key))
    if not (call.creator.content.lists.keys() >= set(own) and SMART_LISTS.keys() >= set(smart)):
        raise ApiRefusal(400, {"message": "List not found"})
    return (*smart, *own)


def _texts(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _mass_message(call: ApiCall) -> MassMessage:
    found = call.creator.content.mass_messages.get(call.params["messageUuid"].lower())
    if found is None or found.deleted:
        raise ApiRefusal(404, {"message": "Message not found"})
    return found


def _row(call: ApiCall, one: MassMessage) -> Json:
    bought = [row for row in call.creator.payments if row.subject in one.messages and row.gross > 0]
    seen = [
        message
        for uuid in one.recipients
        if (chat := call.creator.chats.get(uuid))
        for message in chat.messages
        if message.read and message.uuid in one.messages
    ]
    status = "SENT" if one.sent_at is not None else "SCHEDULED"
    return {
        "uuid": one.uuid,
        "text": one.text,
        "status": "UNSENT" if one.deleted else status,
        "price": one.price,
        "createdAt": iso(one.created_at),
        "publishedAt": when(one.sent_at),
        "scheduledAt": when(one.scheduled_at),
        "recipientCount": len(one.recipients),
        "viewCount": len(seen),
        "purchaseCount": len(bought),
        "totalRevenue": sum(row.gross for row in bought),
        "mediaUuids": list[Json](one.media),
    }
