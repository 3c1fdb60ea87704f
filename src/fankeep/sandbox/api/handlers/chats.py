"""The list of chats and what can be set on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import chat_row, paged, paged_by_cursor
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Chat, Fan, Subscription, audience, smart_list
from fankeep.sandbox.world.notices import NOTICES

__all__ = ["create_chat", "get_unread_count", "list_chats", "update_chat"]

_RECENTLY = 7 * 86_400
_COUNTED = {
    "newFollower": "follow",
    "newPostComment": "comment",
    "newPostLike": "like",
    "newPurchase": "message",
    "newSubscriber": "subscription",
    "newTip": "tip",
}


def list_chats(call: ApiCall) -> Json:
    """``GET /chats``: newest activity first, or as ``sortBy`` says; several filters all have to hold."""
    search = str(call.query.get("search") or "").lower()
    tests = [_FILTERS[name] for name in call.named("filter")]
    members = _listed(call)
    chosen = [
        chat
        for chat in call.creator.chats.values()
        if _is_named(chat, search)
        and (members is None or chat.fan.uuid in members)
        and all(test(call, chat) for test in tests)
    ]
    if call.by_cursor:
        return paged_by_cursor(
            call,
            chosen,
            key=lambda chat: (chat.last_at, chat.fan.uuid),
            row=lambda chat: chat_row(call, chat),
            size=call.number("size", 15),
        )
    chosen.sort(key=_ORDERS[str(call.query.get("sortBy") or "most_recent_messages")], reverse=True)
    return paged(call, [chat_row(call, chat) for chat in chosen])


def create_chat(call: ApiCall) -> Json:
    """``POST /chats``: opens a chat with somebody who can be contacted."""
    fan = call.fan(call.text("userUuid") or "")
    if fan is None:
        raise ApiRefusal(400, {"message": "This user cannot be contacted"})
    call.sandbox.world.chat(call.creator, fan, now=call.now)
    return {"message": "Chat created"}


def update_chat(call: ApiCall) -> Json:
    """``PATCH /chats/{userUuid}``: read mark, mute, nickname."""
    chat = call.creator.chats.get(call.params["userUuid"].lower())
    if chat is None:
        raise ApiRefusal(400, {"message": "This user cannot be contacted"})
    if call.body.get("isRead") is True:
        call.sandbox.life.creator_reads(call.creator, chat.fan, now=call.now)
    if isinstance(call.body.get("isMuted"), bool):
        chat.muted = bool(call.body["isMuted"])
    if "nickname" in call.body:
        chat.nickname = call.text("nickname")
    return None


def get_unread_count(call: ApiCall) -> Json:
    """``GET /chats/unread``: chats and messages, and notifications by what they are about."""
    counts = [len(chat.unread) for chat in call.creator.chats.values()]
    unread = [one.event for one in call.creator.content.notifications if not one.read]
    return {
        "unreadChatsCount": sum(count > 0 for count in counts),
        "unreadMessagesCount": sum(counts),
        "unreadNotifications": {
            **{name: unread.count(NOTICES[what]) for name, what in _COUNTED.items()},
            "newPromotion": 0,
        },
    }


def _is_named(chat: Chat, search: str) -> bool:
    names = (chat.fan.handle, chat.fan.display_name, chat.nickname or "")
    return any(search in name.lower() for name in names)


def _listed(call: ApiCall) -> set[str] | None:
    """Who is on any of the lists that are named; None when there is none named."""
    names = call.named("smartListIds")
    custom = call.query.get("customListId")
    if custom is not None:
        names.append(str(custom).lower())
    return set(audience(call.creator, names, ())) if names else None


def _subscription(chat: Chat) -> Subscription | None:
    one = chat.creator.subscription(chat.fan)
    return one if one is not None and one.active else None


def _paid(chat: Chat, *sources: str) -> bool:
    return any(row.fan is chat.fan and row.source in sources for row in chat.creator.payments)


def _recent(call: ApiCall, chat: Chat) -> bool:
    one = _subscription(chat)
    return one is not None and call.now - one.created_at <= _RECENTLY


def _on_trial(_call: ApiCall, chat: Chat) -> bool:
    one = _subscription(chat)
    return one is not None and one.trial


def _in(key: str) -> Callable[[ApiCall, Chat], bool]:
    def test(_call: ApiCall, chat: Chat) -> bool:
        members: list[Fan] = smart_list(chat.creator, key)
        return chat.fan in members

    return test


_FILTERS: Mapping[str, Callable[[ApiCall, Chat], bool]] = MappingProxyType(
    {
        "unread": lambda _, chat: bool(chat.unread),
        "subscribers": lambda _, chat: _subscription(chat) is not None,
        "followers": _in("followers"),
        "online": lambda _, chat: chat.fan.online,
        "recent_subscribers": _recent,
        "not_answered": lambda _, chat: chat.last is not None and chat.last.sender is chat.fan,
        "spent_more_than_50": _in("spent_more_than_50"),
        "on_free_trial": _on_trial,
        "has_tipped": lambda _, chat: _paid(chat, "tip"),
        "spenders": lambda _, chat: chat.creator.spent(chat.fan) > 0,
        # Nobody here chats with another creator, and nothing is ever archived.
        "exclude_creators": lambda _call, _chat: True,
        "subscribed_to": lambda _call, _chat: False,
        "not_muted": lambda _, chat: not chat.muted,
        "archived": lambda _call, _chat: False,
    }
)

_ORDERS: Mapping[str, Callable[[Chat], tuple[float, float]]] = MappingProxyType(
    {
        "most_recent_messages": lambda chat: (chat.last_at, 0),
        "online_now": lambda chat: (chat.fan.online, chat.last_at),
        "most_unanswered_chats": lambda chat: (len(chat.unread), chat.last_at),
    }
)
