"""What people do in the made-up world, and how the webhooks come to tell of it."""

from __future__ import annotations

from dataclasses import replace

from fankeep.sandbox.endpoints import Delivery
from fankeep.sandbox.payloads import Scene
from fankeep.sandbox.telling import Happening, Teller
from fankeep.sandbox.world import (
    PERIOD_SECONDS,
    Comment,
    Creator,
    Fan,
    Like,
    MassMessage,
    Message,
    Notification,
    Payment,
    Post,
    Subscription,
    TrackingLink,
    Visit,
    World,
    audience,
)
from fankeep.sandbox.world.notices import NOTICES

__all__ = ["Life"]


class Life:
    """Changes the world and lets the webhooks tell of it."""

    def __init__(self, world: World, teller: Teller) -> None:
        self._world = world
        self._teller = teller

    def fan_writes(self, creator: Creator, fan: Fan, text: str, *, now: float) -> list[Delivery]:
        """A fan sends a message, and so has read what was there."""
        message = Message(self._world.dice.uuid(), fan, creator, text, now)
        chat = self._world.chat(creator, fan, now=now)
        chat.seen_by_fan()
        chat.messages.append(message)
        scene = replace(self._scene(creator, fan, message.uuid, now), text=text, muted=chat.muted)
        return self._teller.tell(Happening.MESSAGE, scene)

    def creator_writes(self, message: Message, creator: Creator, fan: Fan, *, now: float) -> list[Delivery]:
        """A creator sends a message to a fan."""
        self._world.chat(creator, fan, now=now).messages.append(message)
        scene = self._scene(creator, fan, message.uuid, now)
        told = replace(scene, text=message.text, media=message.media)
        return self._teller.tell(Happening.MESSAGE_SENT, told)

    def creator_writes_to_many(self, creator: Creator, mass: MassMessage, *, now: float) -> list[Delivery]:
        """A mass message goes out, to whoever is on its lists at this moment."""
        mass.sent_at = now
        mass.recipients = audience(creator, mass.included, mass.excluded)
        deliveries: list[Delivery] = []
        for uuid in mass.recipients:
            message = Message(
                uuid=self._world.dice.uuid(),
                sender=creator,
                recipient=self._world.fans[uuid],
                text=mass.text,
                sent_at=now,
                type="BROADCAST",
                price=mass.price,
                media=mass.media,
            )
            mass.messages.append(message.uuid)
            deliveries += self.creator_writes(message, creator, self._world.fans[uuid], now=now)
        return deliveries

    def creator_reads(self, creator: Creator, fan: Fan, *, now: float) -> list[Delivery]:
        """A creator marks a fan's messages as read; nothing is told when nothing was unread."""
        count = self._world.chat(creator, fan, now=now).mark_read()
        if not count:
            return []
        scene = self._scene(creator, fan, self._world.dice.uuid(), now)
        return self._teller.tell(Happening.MESSAGES_READ, replace(scene, count=count))

    def creator_deletes(self, message: Message, creator: Creator, fan: Fan, *, now: float) -> list[Delivery]:
        """A creator takes a message back."""
        self._world.chat(creator, fan, now=now).messages.remove(message)
        return self._teller.tell(Happening.MESSAGE_DELETED, self._scene(creator, fan, message.uuid, now))

    def fan_follows(self, creator: Creator, fan: Fan, *, now: float) -> list[Delivery]:
        """A fan follows a creator."""
        if fan not in creator.followers:
            creator.followers.append(fan)
        self._notify(creator, "follow", fan, now)
        return self._teller.tell(Happening.FOLLOW, self._scene(creator, fan, self._world.dice.uuid(), now))

    def fan_visits(self, creator: Creator, fan: Fan, link: TrackingLink, *, now: float) -> list[Delivery]:
        """A fan comes to a creator through a tracking link, and follows."""
        link.visits.append(Visit(fan.uuid, now))
        return [] if fan in creator.followers else self.fan_follows(creator, fan, now=now)

    def fan_subscribes(self, creator: Creator, fan: Fan, price: int, *, now: float) -> list[Delivery]:
        """A fan subscribes, and pays for it; it takes the place of one that is active already."""
        if fan not in creator.followers:
            creator.followers.append(fan)
        before = creator.subscription(fan)
        if before is not None and before.active:
            creator.subscriptions.remove(before)
        made = Subscription(self._world.dice.uuid(), fan, price, now, now, now + PERIOD_SECONDS)
        creator.subscriptions.append(made)
        self._notify(creator, "subscription", fan, now)
        return self._pay(Happening.SUBSCRIBE, self._period(creator, made, "subscription", now))

    def fan_switches_renewal(self, creator: Creator, fan: Fan, *, now: float) -> list[Delivery]:
        """A subscriber switches the renewal off, or on again; somebody else has nothing to switch."""
        one = creator.subscription(fan)
        if one is None or not one.active:
            return []
        one.renews = not one.renews
        return self._teller.tell(Happening.RENEWAL_SWITCHED, self._period(creator, one, "subscription", now))

    def subscription_renews(self, creator: Creator, one: Subscription, *, now: float) -> list[Delivery]:
        """Another period of a subscription begins and is paid."""
        one.renew(now)
        return self._pay(Happening.RENEWAL, self._period(creator, one, "renewal", now))

    def subscription_ends(self, creator: Creator, one: Subscription, *, now: float) -> list[Delivery]:
        """A subscription is over because it was not renewed."""
        one.end(now, "not_renewed")
        return self._teller.tell(Happening.SUBSCRIPTION_END, self._period(creator, one, "subscription", now))

    def fan_tips(
        self, creator: Creator, fan: Fan, price: int, *, now: float, post: Post | None = None
    ) -> list[Delivery]:
        """A fan tips: for a post, or in the chat, where it shows as a message."""
        scene = self._sale(creator, fan, "tip", price, now)
        self._notify(creator, "tip", fan, now)
        if post is not None:
            return self._pay(Happening.TIP, replace(scene, subject=post.uuid, on_post=True))
        message = Message(scene.subject, fan, creator, None, now, type="TIP", price=price)
        self._world.chat(creator, fan, now=now).messages.append(message)
        return self._pay(Happening.TIP, scene)

    def fan_buys_post(
        self, creator: Creator, fan: Fan, post: Post, price: int, *, now: float
    ) -> list[Delivery]:
        """A fan unlocks a post, for its price if it has one."""
        scene = self._sale(creator, fan, "post", post.price or price, now)
        self._notify(creator, "post", fan, now)
        return self._pay(Happening.PURCHASE, replace(scene, subject=post.uuid, on_post=True))

    def fan_buys(
        self, creator: Creator, fan: Fan, price: int, *, now: float, message: Message | None = None
    ) -> list[Delivery]:
        """A fan unlocks a message, by default the newest locked one of the chat.

        Without one there is an offer at the given price first, of which nothing is told.
        """
        chat = self._world.chat(creator, fan, now=now)
        bought = message or chat.newest_locked
        if bought is None:
            bought = Message(self._world.dice.uuid(), creator, fan, "Just for you", now, price=price)
            chat.messages.append(bought)
        bought.purchased_at, bought.read = now, True
        scene = self._sale(creator, fan, "message", bought.price or price, now)
        self._notify(creator, "message", fan, now)
        return self._pay(Happening.PURCHASE, replace(scene, subject=bought.uuid))

    def fan_takes_back(
        self, creator: Creator, fan: Fan, *, now: float, dispute: bool = False
    ) -> list[Delivery]:
        """A fan's newest payment is refunded or charged back: a row of its own with the amount below zero."""
        paid = [row for row in creator.payments if row.fan is fan and row.gross > 0 and not row.reversed]
        if not paid:
            return []
        taken = max(paid, key=lambda row: row.paid_at)
        taken.reversed = True
        number = taken.id.removeprefix("FV-")
        back = Payment(
            f"{'FVD' if dispute else 'FVC'}-{number}", fan, taken.source, -taken.gross, now, taken.subject
        )
        back.on_post, back.reversal = taken.on_post, "chargeback" if dispute else "refund"
        creator.payments.append(back)
        scene = self._sale(creator, fan, taken.source, taken.gross, now)
        happening = Happening.DISPUTE if dispute else Happening.REFUND
        return self._teller.tell(happening, replace(scene, reference=int(number)))

    def fan_likes(self, creator: Creator, fan: Fan, post: Post, *, now: float) -> list[Delivery]:
        """A fan likes a post; liking it again changes nothing."""
        if any(like.fan == fan.uuid for like in post.likes):
            return []
        post.likes.append(Like(fan.uuid, now))
        self._notify(creator, "like", fan, now)
        return self._teller.tell(Happening.LIKE, self._scene(creator, fan, post.uuid, now))

    def fan_comments(
        self, creator: Creator, fan: Fan, post: Post, text: str, *, now: float
    ) -> list[Delivery]:
        """A fan comments on a post."""
        post.comments.append(Comment(self._world.dice.uuid(), fan.uuid, text, now))
        self._notify(creator, "comment", fan, now)
        return self._teller.tell(Happening.COMMENT, self._scene(creator, fan, post.uuid, now))

    def fan_comes_or_goes(self, fan: Fan, *, online: bool, now: float) -> list[Delivery]:
        """A fan goes online or offline, which every creator whom the fan follows is told."""
        fan.online, fan.seen_at = online, now
        deliveries: list[Delivery] = []
        for creator in self._world.creators.values():
            if fan in creator.followers:
                scene = self._scene(creator, fan, fan.uuid, now)
                deliveries += self._teller.tell(Happening.PRESENCE, replace(scene, online=online))
        return deliveries

    def _notify(self, creator: Creator, what: str, fan: Fan, now: float) -> None:
        notice = Notification(self._world.dice.uuid(), NOTICES[what], fan.uuid, now)
        creator.content.notifications.append(notice)

    def _period(self, creator: Creator, one: Subscription, source: str, now: float) -> Scene:
        scene = self._sale(creator, one.fan, source, one.price, now)
        return replace(scene, subject=one.id, subscription=one)

    def _sale(self, creator: Creator, fan: Fan, source: str, price: int, now: float) -> Scene:
        scene = self._scene(creator, fan, self._world.dice.uuid(), now)
        return replace(scene, source=source, price=price)

    def _pay(self, happening: Happening, scene: Scene) -> list[Delivery]:
        payment = Payment(
            f"FV-{scene.reference}",
            scene.fan,
            scene.source,
            scene.price,
            scene.at,
            scene.subject,
            on_post=scene.on_post,
        )
        scene.creator.payments.append(payment)
        return self._teller.tell(happening, scene)

    def _scene(self, creator: Creator, fan: Fan, subject: str, now: float) -> Scene:
        reference = self._world.dice.number(100_000, 999_999)
        return Scene(creator=creator, fan=fan, at=now, subject=subject, reference=reference)
