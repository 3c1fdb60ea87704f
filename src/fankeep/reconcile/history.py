"""What the API says has happened to one creator: messages that fans wrote, and what they paid.

Nothing is marked as read. Answers are taken as they come: a row that cannot be read is passed over, and a
list ends with the first page that is wholly before the time that is looked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fankeep.client import ApiAnswer, FanvueClient
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.strict_json import Json
from fankeep.fanvue.times import as_iso, as_seconds
from fankeep.types import UserId

__all__ = ["FoundMessage", "FoundPayment", "Window", "messages", "payments"]

_PAGE: Final = 50
_NOT_WRITTEN: Final = frozenset({"TIP", "VOICE_CALL"})
"""Kinds of rows in a chat of which no received message tells: a tip is told as one."""


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when, in seconds since 1970; both ends belong to it."""

    since: float
    until: float

    def holds(self, moment: float | None) -> bool:
        """Whether a moment lies in it."""
        return moment is not None and self.since <= moment <= self.until


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message from a fan.

    Attributes:
        data: what ``creator.message.received`` would have carried, as far as the API tells it.
    """

    uuid: str
    fan: str
    sent_at: float
    data: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """Money from a fan.

    Attributes:
        gross: in cents.
        paid_at: seconds since 1970; None if the API's word for it cannot be read.
    """

    fan: str
    gross: int
    paid_at: float | None


async def messages(client: FanvueClient, creator: UserId, window: Window) -> AsyncIterator[FoundMessage]:
    """Read the messages that fans wrote to the creator in a time.

    Raises:
        FankeepError: as ``FanvueClient.call``.
    """
    async for fan in _fans_who_wrote(client, window):
        query = {"size": str(_PAGE)}
        async for page in client.pages("listMessages", params={"userUuid": fan}, query=query):
            rows = list(_rows(page))
            for row in rows:
                found = _message(row, creator, fan)
                if found is not None and window.holds(found.sent_at):
                    yield found
            if _all_before(rows, "sentAt", window):
                break


async def payments(client: FanvueClient, window: Window) -> AsyncIterator[FoundPayment]:
    """Read what fans paid to the creator in a time; what went back is left out.

    Raises:
        FankeepError: as ``FanvueClient.call``.
    """
    query = {"startDate": as_iso(window.since), "endDate": as_iso(window.until + 1), "size": str(_PAGE)}
    async for page in client.pages("getEarnings", query=query):
        for row in _rows(page):
            user = row.get("user")
            fan = as_uuid(user.get("uuid")) if isinstance(user, dict) else None
            gross, paid_at = row.get("gross"), as_seconds(row.get("date"))
            if fan is not None and isinstance(gross, int) and gross > 0 and not _outside(paid_at, window):
                yield FoundPayment(fan, gross, paid_at)


async def _fans_who_wrote(client: FanvueClient, window: Window) -> AsyncIterator[str]:
    query = {"sortBy": "most_recent_messages", "size": str(_PAGE)}
    async for page in client.pages("listChats", query=query):
        rows = list(_rows(page))
        for row in rows:
            user, newest = row.get("user"), as_seconds(row.get("lastMessageAt"))
            fan = as_uuid(user.get("uuid")) if isinstance(user, dict) else None
            if fan is not None and newest is not None and newest >= window.since:
                yield fan
        if _all_before(rows, "lastMessageAt", window):
            return


def _message(row: Mapping[str, Json], creator: UserId, fan: str) -> FoundMessage | None:
    sender, uuid, sent_at = row.get("sender"), as_uuid(row.get("uuid")), as_seconds(row.get("sentAt"))
    by = as_uuid(sender.get("uuid")) if isinstance(sender, dict) else None
    if by != fan or uuid is None or sent_at is None or row.get("type") in _NOT_WRITTEN:
        return None
    data: dict[str, Json] = {
        "object": "message",
        "uuid": uuid,
        "sender": "fan",
        "created_at": row.get("sentAt"),
        "message_type": row.get("type"),
        "media_uuids": row.get("mediaUuids"),
        "text": row.get("text"),
        "fan": {"uuid": fan, "handle": sender.get("handle") if isinstance(sender, dict) else None},
        "creator": {"uuid": creator},
    }
    told = {name: value for name, value in data.items() if value is not None}
    return FoundMessage(uuid, fan, sent_at, told)


def _rows(page: ApiAnswer) -> Iterator[Mapping[str, Json]]:
    rows = page.data.get("data") if isinstance(page.data, dict) else None
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else iter(())


def _all_before(rows: list[Mapping[str, Json]], name: str, window: Window) -> bool:
    """Whether every row is of before the window; rows without a time say nothing about where the list is."""
    moments = [moment for row in rows if (moment := as_seconds(row.get(name))) is not None]
    return bool(moments) and max(moments) < window.since


def _outside(moment: float | None, window: Window) -> bool:
    return moment is not None and not window.holds(moment)
