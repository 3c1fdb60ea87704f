"""Builds the made-up world from a seed."""

from __future__ import annotations

from itertools import pairwise

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.world.content_seeding import fill_content
from fankeep.sandbox.world.life_seeding import fill_relations, fill_sales, notify
from fankeep.sandbox.world.model import Creator, World
from fankeep.sandbox.world.names import BIOS, CHATTERS, CREATORS, FAN_FIRST, FAN_LAST
from fankeep.sandbox.world.people import Fan, TeamMember

__all__ = ["make_world"]

_FANS = 36
_DAY = 86400.0


def make_world(seed: int, *, now: float, creators: int = len(CREATORS)) -> World:
    """Make creators, fans, what they have made, written and paid.

    Args:
        seed: the same one gives the same people and texts.
        now: seconds since 1970; everything lies in the two years before.
        creators: how many; those past the first four have an account and nothing in it.
    """
    fans = _fans(Dice(seed, "fans"), now)
    people = _creators(Dice(seed, "creators"), now)
    agency = people[-1]
    agency.team = _team(agency, Dice(seed, "team"))
    for creator in people:
        writers = list(agency.team) if creator.uuid in agency.manages else []
        dice = Dice(seed, "life", creator.handle)
        fill_relations(creator, fans, dice, now)
        fill_content(creator, Dice(seed, "content", creator.handle), now)
        fill_sales(creator, dice, now, writers)
        notify(creator, dice, now)
    for seller, buyer in pairwise(people):
        for link in seller.content.media_links.values():
            link.buyers.append(buyer.uuid)
    people += [
        _newcomer(Dice(seed, "newcomer", str(number)), number, now) for number in range(5, creators + 1)
    ]
    return World(
        creators={creator.uuid: creator for creator in people},
        fans={fan.uuid: fan for fan in fans},
        dice=Dice(seed, "later"),
    )


def _fans(dice: Dice, now: float) -> list[Fan]:
    pairs = dice.sample([(first, last) for first in FAN_FIRST for last in FAN_LAST], _FANS)
    fans = []
    for first, last in pairs:
        handle = f"{first}-{last}-{dice.number(10, 99)}".lower()
        fans.append(
            Fan(
                uuid=dice.uuid(),
                handle=handle,
                display_name=f"{first} {last}",
                since=now - dice.number(200, 700) * _DAY,
                email=f"{handle}@fans.example",
                online=dice.chance(0.3),
                seen_at=now - dice.number(1, 72) * 3600,
            )
        )
    return fans


def _creators(dice: Dice, now: float) -> list[Creator]:
    creators = [
        Creator(
            uuid=dice.uuid(),
            handle=handle,
            display_name=name,
            since=now - dice.number(200, 720) * _DAY,
            email=f"{handle}@creators.example",
            bio=bio,
        )
        for (name, handle), bio in zip(CREATORS, BIOS, strict=True)
    ]
    # The last one is an agency as well and may act for the one before.
    creators[-1].manages = (creators[-2].uuid,)
    return creators


def _newcomer(dice: Dice, number: int, now: float) -> Creator:
    handle = f"newcomer{number}"
    name = f"{dice.pick(FAN_FIRST)} {dice.pick(FAN_LAST)}"
    email = f"{handle}@creators.example"
    return Creator(dice.uuid(), handle, name, since=now - _DAY, email=email, bio="")


def _team(agency: Creator, dice: Dice) -> dict[str, TeamMember]:
    owner = TeamMember(
        agency.uuid,
        agency.email,
        agency.display_name,
        admin=True,
        access=dict.fromkeys(agency.manages, "ADMIN"),
    )
    chatters = [
        TeamMember(
            dice.uuid(),
            f"{name.lower()}@agency.example",
            name,
            access=dict.fromkeys(agency.manages, "CHATTER"),
        )
        for name in CHATTERS
    ]
    return {member.uuid: member for member in (owner, *chatters)}
