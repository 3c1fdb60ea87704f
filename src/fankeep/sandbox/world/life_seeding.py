"""Gives every creator followers, subscriptions, chats, and the payments that come of them."""

from __future__ import annotations

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.world.content import Notification
from fankeep.sandbox.world.model import Chat, Creator, Message
from fankeep.sandbox.world.money import PERIOD_SECONDS, Payment, Subscription
from fankeep.sandbox.world.names import CREATOR_LINES, FAN_LINES
from fankeep.sandbox.world.notices import NOTICES
from fankeep.sandbox.world.people import Fan

__all__ = ["fill_relations", "fill_sales", "notify"]

_DAY = 86400.0
_NEWEST = 12


def fill_relations(creator: Creator, fans: list[Fan], dice: Dice, now: float) -> None:
    """Give a creator followers, some of whom subscribe or did so once."""
    creator.followers = dice.sample(fans, dice.number(18, 26))
    expired, subscribers = creator.followers[3:6], creator.followers[6 : dice.number(14, 18)]
    for fan in subscribers:
        _subscribe(creator, fan, dice, now, started=dice.number(1, 170))
    for fan in expired:
        _subscribe(creator, fan, dice, now, started=dice.number(100, 170), periods=dice.number(1, 3))
    creator.subscriptions.sort(key=lambda one: one.created_at)


def fill_sales(creator: Creator, dice: Dice, now: float, writers: list[str]) -> None:
    """Fill chats, and let fans buy and tip.

    Args:
        creator: whose content is there already.
        dice: chance.
        now: seconds since 1970.
        writers: uuids of team members who write for the creator.
    """
    media = list(creator.content.media)
    for fan in dice.sample(creator.followers, dice.number(7, 11)):
        chat = creator.chats[fan.uuid] = _chat(creator, fan, dice, now)
        for message in chat.messages:
            if message.sender is creator and writers:
                message.sent_by = dice.pick(writers)
        _sell_in_chat(creator, chat, dice, media)
    for post in creator.content.posts.values():
        at = post.published_at or now
        for fan in dice.sample(creator.followers, dice.number(0, 2)):
            tip = dice.pick((300, 500))
            source, gross = ("tip", tip) if post.price is None else ("post", post.price)
            paid = Payment(_invoice(dice), fan, source, gross, at + 5000, post.uuid, on_post=True)
            creator.payments.append(paid)
    creator.payments.sort(key=lambda payment: payment.paid_at)


def notify(creator: Creator, dice: Dice, now: float) -> None:
    """Make the newest notifications of what has happened so far; those of the last two days are unread."""
    posts = creator.content.posts.values()
    told = [(one.created_at, NOTICES["subscription"], one.fan.uuid) for one in creator.subscriptions]
    told += [
        (row.paid_at, NOTICES[row.source], row.fan.uuid) for row in creator.payments if row.source in NOTICES
    ]
    told += [(one.created_at, NOTICES["comment"], one.author) for post in posts for one in post.comments]
    told += [(one.created_at, NOTICES["like"], one.fan) for post in posts for one in post.likes]
    for at, event, fan in sorted(told)[-_NEWEST:]:
        notice = Notification(dice.uuid(), event, fan, at, read=at < now - 2 * _DAY)
        creator.content.notifications.append(notice)


def _subscribe(
    creator: Creator, fan: Fan, dice: Dice, now: float, *, started: int, periods: int | None = None
) -> None:
    """One subscription with its payments; with a number of periods it ended after them."""
    at = now - started * _DAY - dice.number(0, 40_000)
    trial = periods is None and started < 30 and dice.chance(0.2)
    one = Subscription(
        id=dice.uuid(),
        fan=fan,
        price=dice.pick((999, 1499)),
        created_at=at,
        period_start=at,
        expires_at=at + PERIOD_SECONDS,
        renews=periods is None and dice.chance(0.8),
        trial=trial,
    )
    creator.subscriptions.append(one)
    if not trial:
        creator.payments.append(Payment(_invoice(dice), fan, "subscription", one.price, at, one.id))
    done = 1
    while one.expires_at <= now and done != periods:
        one.renew(one.expires_at)
        done += 1
        creator.payments.append(Payment(_invoice(dice), fan, "renewal", one.price, one.period_start, one.id))
    if periods is not None:
        one.end(one.expires_at, "not_renewed")


def _chat(creator: Creator, fan: Fan, dice: Dice, now: float) -> Chat:
    at = now - dice.number(2, 40) * _DAY
    chat = Chat(creator, fan, at, muted=dice.chance(0.1))
    for _ in range(dice.number(3, 9)):
        at += dice.number(60, 14_000)
        from_fan = dice.chance(0.6)
        chat.messages.append(
            Message(
                uuid=dice.uuid(),
                sender=fan if from_fan else creator,
                recipient=creator if from_fan else fan,
                text=dice.pick(FAN_LINES if from_fan else CREATOR_LINES),
                sent_at=min(at, now - 60),
                read=True,
            )
        )
    recent = len(chat.messages) - dice.number(0, 2)
    for message in chat.messages[recent:]:
        message.read = message.sender is creator
    return chat


def _sell_in_chat(creator: Creator, chat: Chat, dice: Dice, media: list[str]) -> None:
    """Lock some of the creator's messages, most of which are bought; and let some of the fan's be tips."""
    for message in chat.messages:
        if message.sender is creator and dice.chance(0.3):
            message.media, message.price = tuple(dice.sample(media, 1)), dice.pick((500, 999, 1299, 2500))
            if dice.chance(0.7):
                message.purchased_at = message.sent_at + 50
                paid = Payment(_invoice(dice), chat.fan, "message", message.price, message.sent_at + 50)
                paid.subject = message.uuid
                creator.payments.append(paid)
        elif message.sender is not creator and dice.chance(0.1):
            message.type, message.text, message.price = "TIP", None, dice.pick((500, 1000, 5000))
            creator.payments.append(
                Payment(_invoice(dice), chat.fan, "tip", message.price, message.sent_at, message.uuid)
            )


def _invoice(dice: Dice) -> str:
    return f"FV-{dice.number(100_000, 999_999)}"
