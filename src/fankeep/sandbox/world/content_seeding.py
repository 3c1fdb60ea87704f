"""Gives every creator some posts, media, folders, lists, templates and links to begin with."""

from __future__ import annotations

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.world.content import (
    Collection,
    Comment,
    CustomList,
    Folder,
    Like,
    Media,
    MediaLink,
    Post,
    Template,
    TrackingLink,
    Visit,
)
from fankeep.sandbox.world.model import Creator
from fankeep.sandbox.world.names import CREATOR_LINES, FAN_LINES

__all__ = ["fill_content"]

_DAY = 86400.0


def fill_content(creator: Creator, dice: Dice, now: float) -> None:
    """Fill a creator's content; everything lies in the three months before ``now``."""
    _fill_vault(creator, dice, now)
    media = list(creator.content.media)
    _fill_feed(creator, dice, media, now)
    _fill_lists(creator, dice, media, now)
    for platform in ("instagram", "reddit", "tiktok"):
        link = _link(creator, dice, platform, now)
        creator.content.links[link.uuid] = link


def _fill_vault(creator: Creator, dice: Dice, now: float) -> None:
    content = creator.content
    for number in range(dice.number(8, 14)):
        media = _media(dice, number, now)
        content.media[media.uuid] = media
    uuids = list(content.media)
    for name in ("Summer", "Favourites"):
        content.folders[name] = Folder(name, now - 80 * _DAY, dice.sample(uuids, 4))
    sold = MediaLink(dice.uuid(), dice.pick(uuids), 999)
    content.media_links[sold.uuid] = sold


def _fill_feed(creator: Creator, dice: Dice, media: list[str], now: float) -> None:
    content = creator.content
    for label in ("Travel", "Behind the scenes"):
        made = Collection(dice.uuid(), label, now - dice.number(81, 90) * _DAY)
        content.collections[made.uuid] = made
    for number in range(dice.number(6, 9)):
        post = _post(creator, dice, media, now)
        post.price, post.media = (
            (999, tuple(dice.sample(media, 1))) if number == 0 else (post.price, post.media)
        )
        content.posts[post.uuid] = post


def _fill_lists(creator: Creator, dice: Dice, media: list[str], now: float) -> None:
    content = creator.content
    for name in ("Regulars", "New faces", "Birthday soon"):
        members = [fan.uuid for fan in dice.sample(creator.followers, 5)]
        made = CustomList(dice.uuid(), name, now - dice.number(5, 60) * _DAY, members)
        content.lists[made.uuid] = made
    for text, folder in (
        ("Welcome in!", "Greetings"),
        ("Thank you so much!", "Greetings"),
        ("Have a look", None),
    ):
        priced = folder is None
        shown = tuple(dice.sample(media, 1)) if priced else ()
        template = Template(dice.uuid(), text, 999 if priced else None, shown, folder)
        content.templates[template.uuid] = template


def _media(dice: Dice, number: int, now: float) -> Media:
    kind = dice.pick(("image", "image", "video"))
    at = now - dice.number(1, 90) * _DAY
    return Media(dice.uuid(), f"{kind} {number + 1}", kind, at, at)


def _post(creator: Creator, dice: Dice, media: list[str], now: float) -> Post:
    at = now - dice.number(1, 80) * _DAY
    priced = dice.chance(0.3)
    shown = tuple(dice.sample(media, 1)) if priced or dice.chance(0.5) else ()
    fans = dice.sample(creator.followers, dice.number(0, 3))
    return Post(
        uuid=dice.uuid(),
        created_at=at,
        audience=dice.pick(("subscribers", "followers-and-subscribers")),
        text=dice.pick(CREATOR_LINES),
        price=dice.pick((500, 999)) if priced else None,
        media=shown,
        published_at=at,
        collections=dice.sample(list(creator.content.collections), dice.number(0, 1)),
        comments=[Comment(dice.uuid(), fan.uuid, dice.pick(FAN_LINES), at + 3600) for fan in fans],
        likes=[
            Like(fan.uuid, at + dice.number(60, 9000))
            for fan in dice.sample(creator.followers, dice.number(1, 8))
        ],
    )


def _link(creator: Creator, dice: Dice, platform: str, now: float) -> TrackingLink:
    days = dice.number(5, 60)
    visits = [
        Visit(fan.uuid, now - dice.number(1, days * 20) * 3600, {"campaign": dice.pick(("spring", "bio"))})
        for fan in dice.sample(creator.followers, dice.number(2, 6))
    ]
    visits.sort(key=lambda visit: visit.at)
    code = f"fv-{dice.number(100_000, 999_999)}"
    return TrackingLink(dice.uuid(), f"From {platform}", code, platform, now - days * _DAY, visits)
