"""Who did what to whom: everything a payload is made of."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.sandbox.clock import iso
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.world import Creator, Fan, Subscription, World
from fankeep.sandbox.world.names import FAN_LINES

__all__ = ["Scene", "sample_scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that happened between a fan and a creator.

    Attributes:
        at: when, in seconds since 1970.
        subject: the uuid of the message, post or subscription that it is about.
        reference: a short number for invoices.
        price: in US cents.
        source: what was paid for: ``tip``, ``subscription``, ``renewal``, ``message`` or ``post``.
        count: how many messages, for a read mark.
        on_post: the tip or purchase was for a post and not for a message.
        subscription: the one that it is about; None in a test event.
        online: whether the fan has come or gone.
    """

    creator: Creator
    fan: Fan
    at: float
    subject: str
    reference: int
    text: str | None = None
    price: int = 1299
    count: int = 1
    source: str = "tip"
    on_post: bool = False
    muted: bool = False
    media: tuple[str, ...] = ()
    subscription: Subscription | None = None
    online: bool = True

    @property
    def time(self) -> str:
        """The moment in Fanvue's spelling."""
        return iso(self.at)

    def days_later(self, days: float) -> str:
        """A later moment in Fanvue's spelling."""
        return iso(self.at + days * 86_400)

    @property
    def creator_ref(self) -> JsonObject:
        """The creator as the envelope families name one."""
        return {"uuid": self.creator.uuid}

    @property
    def person(self) -> JsonObject:
        """The fan as ``creator.*`` events describe one."""
        return {
            "uuid": self.fan.uuid,
            "handle": self.fan.handle,
            "display_name": self.fan.display_name,
            "avatar_url": None,
        }


def sample_scene(world: World, creator: Creator, dice: Dice, *, now: float) -> Scene:
    """A scene for a test event: some fan of the creator, some text, some price."""
    return Scene(
        creator=creator,
        fan=dice.pick(creator.followers or list(world.fans.values())),
        at=now,
        subject=dice.uuid(),
        reference=dice.number(100_000, 999_999),
        text=dice.pick(FAN_LINES),
        price=dice.pick((300, 500, 999, 1299, 2500)),
    )
