"""Subscribers by day: how many came, how many went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers.rows import paged_by_cursor
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Creator

__all__ = ["Day", "growth", "list_subscriber_days"]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a creator's subscriptions.

    Attributes:
        at: its midnight, in seconds since 1970.
        total: who came less who went, since the first day of the range.
    """

    date: date
    at: float
    new: int
    cancelled: int
    total: int


def list_subscriber_days(call: ApiCall) -> Json:
    """``GET /insights/subscribers``: newest day first."""
    return paged_by_cursor(
        call,
        growth(call, call.creator),
        key=lambda day: (day.at, ""),
        row=lambda day: {
            "date": iso(day.at),
            "total": day.total,
            "newSubscribersCount": day.new,
            "cancelledSubscribersCount": day.cancelled,
        },
        size=call.number("size", 20),
    )


def growth(call: ApiCall, creator: Creator) -> list[Day]:
    """The days from ``startDate`` to before ``endDate``, none before the first subscription or after today.

    The times of day are ignored; midnight is that of the dates' time zone.
    """
    if not creator.subscriptions:
        return []
    start, end = _date(call, "startDate"), _date(call, "endDate")
    zone: tzinfo = (start or end or datetime.now(UTC)).tzinfo or UTC
    came = [_day(one.created_at, zone) for one in creator.subscriptions]
    went = [_day(one.ended_at, zone) for one in creator.subscriptions if one.ended_at is not None]
    first = max(min(came), start.date()) if start else min(came)
    after = (
        min(_day(call.now, zone) + timedelta(days=1), end.date())
        if end
        else _day(call.now, zone) + timedelta(days=1)
    )
    days: list[Day] = []
    total = 0
    for number in range((after - first).days):
        day = first + timedelta(days=number)
        new, cancelled = came.count(day), went.count(day)
        total += new - cancelled
        days.append(Day(day, datetime.combine(day, time(), zone).timestamp(), new, cancelled, total))
    return days


def _date(call: ApiCall, name: str) -> datetime | None:
    value = call.query.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _day(at: float, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at, zone).date()
