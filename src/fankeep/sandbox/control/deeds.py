"""What a fan can do, and on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fankeep.fanvue.limits import PRICE_MAX_PURCHASABLE_CENTS
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.endpoints import Delivery
from fankeep.sandbox.happenings import Life
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import Creator, Fan, Message, Post, TrackingLink

__all__ = ["Deed", "act_as_fan"]


class Deed(StrEnum):
    """What a fan can do."""

    MESSAGE = "message"
    FOLLOW = "follow"
    SUBSCRIBE = "subscribe"
    RENEWAL = "renewal"
    TIP = "tip"
    PURCHASE = "purchase"
    LIKE = "like"
    COMMENT = "comment"
    VISIT = "visit"
    ONLINE = "online"
    OFFLINE = "offline"
    REFUND = "refund"
    DISPUTE = "dispute"


def act_as_fan(sandbox: Sandbox, deed: Deed, creator: Creator, fan: Fan, wanted: Wanted) -> list[Delivery]:
    """Do something as a fan; the webhooks tell of it.

    Raises:
        ControlError: the post, message or link is not there, or the price is none.
    """
    return _DEEDS[deed](_Act(sandbox.life, creator, fan, sandbox.now(), wanted))


@dataclass(frozen=True, slots=True)
class _Act:
    """Who does it, when, and what the request says of it."""

    life: Life
    creator: Creator
    fan: Fan
    now: float
    wanted: Wanted

    @property
    def price(self) -> int:
        """In US cents."""
        return self.wanted.count("price", 500)

    @property
    def text(self) -> str:
        """Of a message or a comment."""
        return self.wanted.text("text") or "Hello from the sandbox"

    @property
    def post(self) -> Post | None:
        """The post that is named; None when there is none named."""
        uuid = self.wanted.text("post")
        if uuid is None:
            return None
        found = self.creator.content.posts.get(uuid.lower())
        if found is None:
            raise ControlError("post: the creator has no such post")
        return found

    @property
    def needed_post(self) -> Post:
        """The post that is named, or the creator's newest."""
        post = self.post or self.creator.content.newest_post
        if post is None:
            raise ControlError("post: the creator has none")
        return post

    @property
    def message(self) -> Message | None:
        """The message that is named; None when there is none named."""
        uuid = self.wanted.text("message")
        if uuid is None:
            return None
        chat = self.creator.chats.get(self.fan.uuid)
        locked = [message for message in chat.messages if message.uuid == uuid.lower()] if chat else []
        if not locked or locked[0].price is None or locked[0].purchased_at is not None:
            raise ControlError("message: there is none of that uuid for the fan to buy")
        return locked[0]

    @property
    def offer(self) -> Message | None:
        """The message that is named, or the newest locked one of the chat."""
        chat = self.creator.chats.get(self.fan.uuid)
        return self.message or (chat.newest_locked if chat else None)

    @property
    def link(self) -> TrackingLink:
        """The tracking link that is named, or the creator's newest."""
        links = self.creator.content.links
        uuid = self.wanted.text("link") or next(reversed(links), "")
        found = links.get(uuid.lower())
        if found is None:
            raise ControlError("link: the creator has no such tracking link")
        return found


def _buys(act: _Act) -> list[Delivery]:
    if act.post is not None:
        return act.life.fan_buys_post(act.creator, act.fan, act.post, act.price, now=act.now)
    offer = act.offer
    price = act.price if offer is None or offer.price is None else offer.price
    if price > PRICE_MAX_PURCHASABLE_CENTS:
        raise ControlError(
            f"price: no fan can pay more than {PRICE_MAX_PURCHASABLE_CENTS} cents for a message"
        )
    return act.life.fan_buys(act.creator, act.fan, price, now=act.now, message=offer)


_DEEDS: Mapping[Deed, Callable[[_Act], list[Delivery]]] = MappingProxyType(
    {
        Deed.MESSAGE: lambda act: act.life.fan_writes(act.creator, act.fan, act.text, now=act.now),
        Deed.FOLLOW: lambda act: act.life.fan_follows(act.creator, act.fan, now=act.now),
        Deed.SUBSCRIBE: lambda act: act.life.fan_subscribes(act.creator, act.fan, act.price, now=act.now),
        Deed.RENEWAL: lambda act: act.life.fan_switches_renewal(act.creator, act.fan, now=act.now),
        Deed.TIP: lambda act: act.life.fan_tips(act.creator, act.fan, act.price, now=act.now, post=act.post),
        Deed.PURCHASE: _buys,
        Deed.LIKE: lambda act: act.life.fan_likes(act.creator, act.fan, act.needed_post, now=act.now),
        Deed.COMMENT: lambda act: act.life.fan_comments(
            act.creator, act.fan, act.needed_post, act.text, now=act.now
        ),
        Deed.VISIT: lambda act: act.life.fan_visits(act.creator, act.fan, act.link, now=act.now),
        Deed.ONLINE: lambda act: act.life.fan_comes_or_goes(act.fan, online=True, now=act.now),
        Deed.OFFLINE: lambda act: act.life.fan_comes_or_goes(act.fan, online=False, now=act.now),
        Deed.REFUND: lambda act: act.life.fan_takes_back(act.creator, act.fan, now=act.now),
        Deed.DISPUTE: lambda act: act.life.fan_takes_back(act.creator, act.fan, now=act.now, dispute=True),
    }
)
