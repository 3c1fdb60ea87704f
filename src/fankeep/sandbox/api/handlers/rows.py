"""How people, chats and messages look in answers, and pages of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Chat, Creator, Fan, Message

__all__ = [
    "avatar_of",
    "avatar_url",
    "chat_row",
    "fan_row",
    "message_row",
    "moment",
    "paged",
    "paged_by_cursor",
    "person_row",
    "price_of",
    "seconds_of",
    "when",
]

T = TypeVar("T")

_TOP_SPENDER_CENTS = 5_000
_LATEST = 253_402_300_799.0  # the end of the year 9999


def paged(call: ApiCall, rows: Sequence[Json]) -> Json:
    """One page of rows, with Fanvue's pagination."""
    page, size = call.number("page", 1), call.number("size", 15)
    start = (page - 1) * size
    return {
        "data": list(rows[start : start + size]),
        "pagination": {"page": page, "size": size, "hasMore": len(rows) > start + size},
    }


def paged_by_cursor(
    call: ApiCall,
    items: Iterable[T],
    *,
    key: Callable[[T], tuple[float, str]],
    row: Callable[[T], Json],
    size: int,
) -> Json:
    """The newest items after a cursor, which names the last one that was shown.

    What comes into being between two pages, or goes, neither repeats nor hides anything else.

    Args:
        call: has the cursor in its query.
        items: in any order.
        key: time and id of an item, by which the list is ordered.
        row: how an item looks.
        size: of a page.

    Raises:
        ApiRefusal: 400, this is no cursor.
    """
    last = _position(call)
    ordered = sorted(items, key=key, reverse=True)
    rest = ordered if last is None else [item for item in ordered if key(item) < last]
    shown = rest[:size]
    return {
        "data": [row(item) for item in shown],
        "nextCursor": _cursor(*key(shown[-1])) if len(rest) > size else None,
    }


def _cursor(at: float, name: str) -> str:
    return base64.urlsafe_b64encode(f"{at!r} {name}".encode()).decode()


def _position(call: ApiCall) -> tuple[float, str] | None:
    cursor = call.query.get("cursor")
    if not cursor:
        return None
    try:
        at, _, name = base64.urlsafe_b64decode(str(cursor)).decode().partition(" ")
        return float(at), name
    except ValueError:
        raise ApiRefusal(400, {"errors": ["cursor: expected the nextCursor of a page before"]}) from None


def when(at: float | None) -> str | None:
    """A time in Fanvue's spelling, or null."""
    return None if at is None else iso(at)


def moment(call: ApiCall, name: str) -> float | None:
    """A time of the body, in seconds since 1970."""
    return seconds_of(call.text(name))


def seconds_of(text: str | None) -> float | None:
    """A checked time as seconds since 1970, UTC when it names no zone."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return min(max(seconds, 0.0), _LATEST)


def price_of(call: ApiCall) -> int | None:
    """The ``price`` of the body, in US cents."""
    price = call.body.get("price")
    return int(price) if isinstance(price, (int, float)) else None


def avatar_url(call: ApiCall, person: Creator | Fan) -> str:
    """Where a person's picture is."""
    return avatar_of(call, person.uuid)


def avatar_of(call: ApiCall, uuid: str) -> str:
    """Where the picture of somebody or something is."""
    return f"{call.sandbox.base_url}/assets/avatar/{uuid}.svg"


def person_row(creator: Creator, fan: Fan) -> dict[str, Json]:
    """A fan in short, as a creator sees one."""
    chat = creator.chats.get(fan.uuid)
    return {
        "uuid": fan.uuid,
        "handle": fan.handle,
        "displayName": fan.display_name,
        "nickname": chat.nickname if chat else None,
        "isTopSpender": creator.spent(fan) >= _TOP_SPENDER_CENTS,
    }


def fan_row(call: ApiCall, fan: Fan, creator: Creator | None = None) -> dict[str, Json]:
    """A fan in a list, as the creator sees one whom the call is about, or another."""
    return {
        **person_row(creator or call.creator, fan),
        "avatarUrl": avatar_url(call, fan),
        "registeredAt": iso(fan.since),
    }


def chat_row(call: ApiCall, chat: Chat) -> dict[str, Json]:
    """A chat in the list of chats."""
    unread = len(chat.unread)
    return {
        "createdAt": iso(chat.created_at),
        "lastMessageAt": iso(chat.last_at) if chat.last else None,
        "isRead": not unread,
        "isMuted": chat.muted,
        "unreadMessagesCount": unread,
        "user": fan_row(call, chat.fan, chat.creator),
        "lastMessage": _last_message(chat, chat.last) if chat.last else None,
    }


def message_row(chat: Chat, message: Message) -> dict[str, Json]:
    """A message in a chat's history."""
    return {
        "uuid": message.uuid,
        "text": message.text,
        "sentAt": iso(message.sent_at),
        "sender": {"uuid": message.sender.uuid, "handle": message.sender.handle},
        "recipient": {"uuid": message.recipient.uuid, "handle": message.recipient.handle},
        "hasMedia": bool(message.media),
        "mediaType": _media_type(chat, message),
        "mediaUuids": list(message.media),
        # The contract has the word for mass messages in the list of chats and not in a chat's history.
        "type": "SINGLE_RECIPIENT" if message.type == "BROADCAST" else message.type,
        "pricing": {"USD": {"price": message.price}} if message.price is not None else None,
        "purchasedAt": when(message.purchased_at),
        "sentByUserId": message.sent_by,
        "isRead": message.read,
    }


def _last_message(chat: Chat, message: Message) -> dict[str, Json]:
    return {
        "text": message.text,
        "type": message.type,
        "uuid": message.uuid,
        "sentAt": iso(message.sent_at),
        "hasMedia": bool(message.media),
        "mediaType": _media_type(chat, message),
        "senderUuid": message.sender.uuid,
        "sentByUserId": message.sent_by,
    }


def _media_type(chat: Chat, message: Message) -> str | None:
    """The kind of a message's first medium; None without one, or for one that is not the creator's."""
    media = chat.creator.content.media
    return next((media[uuid].kind for uuid in message.media if uuid in media), None)
