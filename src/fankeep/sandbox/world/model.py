"""What exists in the made-up world, and the questions that the API asks of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.world.content import Content
from fankeep.sandbox.world.money import AppPlan, AppSubscription, Payment, Subscription
from fankeep.sandbox.world.people import Fan, Person, TeamMember

__all__ = ["Chat", "Creator", "Message", "World"]

P = TypeVar("P", bound=Person)


@dataclass(slots=True, eq=False)
class Creator(Person):
    """Somebody who signs in to apps.

    Attributes:
        manages: uuids of creators for whom this one, as an agency, may act.
        team: who works for the agency, by uuid.
        invites: uuids of the agency's open invitations by e-mail address.
        followers: all who follow, subscribers as well.
        subscriptions: present and past ones, oldest first.
    """

    email: str
    bio: str
    manages: tuple[str, ...] = ()
    team: dict[str, TeamMember] = field(default_factory=dict, repr=False)
    invites: dict[str, str] = field(default_factory=dict, repr=False)
    followers: list[Fan] = field(default_factory=list, repr=False)
    subscriptions: list[Subscription] = field(default_factory=list, repr=False)
    chats: dict[str, Chat] = field(default_factory=dict, repr=False)
    payments: list[Payment] = field(default_factory=list, repr=False)
    content: Content = field(default_factory=Content, repr=False)

    @property
    def earnings(self) -> int:
        """Everything earned so far, in US cents."""
        return sum(payment.gross for payment in self.payments)

    @property
    def subscribers(self) -> list[Fan]:
        """Whose subscription is active, oldest first."""
        return [one.fan for one in self.subscriptions if one.active]

    @property
    def mere_followers(self) -> list[Fan]:
        """Who follows without an active subscription."""
        subscribers = set(self.subscribers)
        return [fan for fan in self.followers if fan not in subscribers]

    def subscription(self, fan: Fan) -> Subscription | None:
        """A fan's newest subscription, ended or not."""
        return next((one for one in reversed(self.subscriptions) if one.fan is fan), None)

    def spent(self, fan: Fan) -> int:
        """What a fan paid in all, less what went back, in US cents."""
        return sum(payment.gross for payment in self.payments if payment.fan is fan)

    def relation(self, fan: Fan) -> str | None:
        """``subscriber``, ``expired``, ``follower``, or None for a stranger."""
        subscription = self.subscription(fan)
        if subscription is not None:
            return "subscriber" if subscription.active else "expired"
        return "follower" if fan in self.followers else None


@dataclass(slots=True, eq=False)
class Message:
    """One message of a chat.

    Attributes:
        type: Fanvue's message type, for example ``SINGLE_RECIPIENT`` or ``TIP``.
        price: in US cents, for a message that has to be unlocked.
        read: by its recipient.
        sent_by: uuid of the team member who wrote it for the creator.
    """

    uuid: str
    sender: Creator | Fan
    recipient: Creator | Fan
    text: str | None
    sent_at: float
    type: str = "SINGLE_RECIPIENT"
    price: int | None = None
    purchased_at: float | None = None
    media: tuple[str, ...] = ()
    read: bool = False
    sent_by: str | None = None


@dataclass(slots=True, eq=False)
class Chat:
    """A creator's chat with one fan; messages oldest first."""

    creator: Creator = field(repr=False)
    fan: Fan
    created_at: float
    messages: list[Message] = field(default_factory=list, repr=False)
    muted: bool = False
    nickname: str | None = None

    @property
    def unread(self) -> list[Message]:
        """The fan's messages that the creator has not read."""
        return [message for message in self.messages if message.sender is self.fan and not message.read]

    @property
    def newest_locked(self) -> Message | None:
        """The creator's newest message that has a price and was not bought."""
        return next((message for message in reversed(self.messages) if self._is_locked(message)), None)

    def _is_locked(self, message: Message) -> bool:
        unpaid = message.price is not None and message.purchased_at is None
        return message.sender is self.creator and unpaid

    @property
    def last(self) -> Message | None:
        """The newest message."""
        return self.messages[-1] if self.messages else None

    @property
    def last_at(self) -> float:
        """When something last happened here."""
        return self.last.sent_at if self.last else self.created_at

    def seen_by_fan(self) -> None:
        """The fan has read what the creator wrote."""
        for message in self.messages:
            message.read = message.read or message.sender is self.creator

    def mark_read(self) -> int:
        """Mark everything read; returns how many messages were unread."""
        unread = self.unread
        for message in unread:
            message.read = True
        return len(unread)


@dataclass(slots=True, eq=False)
class World:
    """Everybody, by uuid.

    Attributes:
        dice: makes the ids of whatever comes into being later.
        app_plans: what apps ask of creators.
        app_subscriptions: creators' subscriptions to apps, by client id and the creator's uuid.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("creators", "fans", "dice", "app_plans", "app_subscriptions")

    creators: dict[str, Creator]
    fans: dict[str, Fan]
    dice: Dice = field(repr=False)
    app_plans: list[AppPlan] = field(default_factory=list, repr=False)
    app_subscriptions: dict[tuple[str, str], AppSubscription] = field(default_factory=dict, repr=False)

    def creator(self, name: str) -> Creator | None:
        """A creator by uuid or handle."""
        return self.creators.get(name) or _by_handle(self.creators.values(), name)

    def fan(self, name: str) -> Fan | None:
        """A fan by uuid or handle."""
        return self.fans.get(name) or _by_handle(self.fans.values(), name)

    @property
    def first_creator(self) -> Creator:
        """The creator that is meant when none is named."""
        return next(iter(self.creators.values()))

    def chat(self, creator: Creator, fan: Fan, *, now: float) -> Chat:
        """The chat of the two, opened now if there was none."""
        chat = creator.chats.get(fan.uuid)
        if chat is None:
            chat = creator.chats[fan.uuid] = Chat(creator, fan, now)
        return chat


def _by_handle(people: Iterable[P], handle: str) -> P | None:
    return next((person for person in people if person.handle == handle), None)
