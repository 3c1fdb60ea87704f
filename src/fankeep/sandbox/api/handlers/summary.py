"""Earnings in sum: by source, over time, and among other creators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.insights import paid_in_range, time_of
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Payment

__all__ = ["get_percentile", "get_summary"]

_DAY = 86_400.0
_HALFWAY_CENTS = 2_000
_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "message": "messages",
        "post": "posts",
        "referral": "referrals",
        "renewal": "renewals",
        "subscription": "subs",
        "tip": "tips",
    }
)
_BREAKDOWN = (*_SOURCES.values(), "other")
_TYPES = ("messages", "renewals", "subs", "tips")


def get_summary(call: ApiCall) -> Json:
    """``GET /insights/earnings/summary``: the range in sums and averages, and totals."""
    zone = _zone(call)
    rows = paid_in_range(call)
    by_source = {name: _sums(row for row in rows if _source(row) == name) for name in _BREAKDOWN}
    days = _days(call, rows, zone)
    return {
        "period": {
            "startDate": call.query.get("startDate"),
            "endDate": call.query.get("endDate"),
            "granularity": call.query["granularity"],
            "timezone": call.query["timezone"],
        },
        "totals": {"allTime": _sums(call.creator.payments), "thisMonth": _this_month(call, zone)},
        "breakdownBySource": dict[str, Json](by_source),
        "earningsByType": {name: by_source[name] for name in _TYPES},
        "overTime": _over_time(rows, days, zone, weekly=call.query["granularity"] == "week"),
        "averageByDayOfWeek": _averages(
            rows, range(1, 8), lambda row: _local(row, zone).isoweekday(), [day.isoweekday() for day in days]
        ),
        "averageByHourOfDay": _averages(
            rows, range(24), lambda row: _local(row, zone).hour, [hour for _ in days for hour in range(24)]
        ),
    }


def get_percentile(call: ApiCall) -> Json:
    """``GET /insights/earnings/percentile``: of the thirty days before last midnight; lower is better.

    The other creators are imagined: whoever earns 20 dollars is in the middle.
    """
    midnight = call.now // _DAY * _DAY
    rows = (row for row in call.creator.payments if midnight - 30 * _DAY <= row.paid_at < midnight)
    gross = max(0, sum(row.gross for row in rows))
    return {"percentile": round(100 * _HALFWAY_CENTS / (_HALFWAY_CENTS + gross), 2)}


def _zone(call: ApiCall) -> tzinfo:
    name = str(call.query["timezone"])
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ApiRefusal(400, {"errors": ["timezone: expected an IANA name"]}) from None


def _source(row: Payment) -> str:
    return _SOURCES.get(row.source, "other")


def _local(row: Payment, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(row.paid_at, zone)


def _sums(rows: Iterable[Payment]) -> dict[str, Json]:
    chosen = list(rows)
    return {"gross": sum(row.gross for row in chosen), "net": sum(row.net for row in chosen)}


def _this_month(call: ApiCall, zone: tzinfo) -> Json:
    month = datetime.fromtimestamp(call.now, zone).date().replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    months = {
        start: [row for row in call.creator.payments if _month(row, zone) == start]
        for start in (month, before)
    }
    gross, net = (sum(row.gross for row in months[month]), sum(row.net for row in months[month]))
    gross_before, net_before = (
        sum(row.gross for row in months[before]),
        sum(row.net for row in months[before]),
    )
    return {
        "gross": gross,
        "net": net,
        "grossChangePercentage": _change(gross, gross_before),
        "netChangePercentage": _change(net, net_before),
        "previousMonthGross": gross_before,
        "previousMonthNet": net_before,
    }


def _month(row: Payment, zone: tzinfo) -> date:
    return _local(row, zone).date().replace(day=1)


def _change(now: int, before: int) -> float | None:
    return round(100 * (now - before) / before, 2) if before > 0 else None


def _days(call: ApiCall, rows: list[Payment], zone: tzinfo) -> list[date]:
    """The days of the range, but none before the first payment or after today."""
    if not rows:
        return []
    first = _local(min(rows, key=lambda row: row.paid_at), zone).date()
    end = min(time_of(call, "endDate", call.now), call.now)
    last = max(datetime.fromtimestamp(end - 0.001, zone).date(), first)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _over_time(rows: list[Payment], days: list[date], zone: tzinfo, *, weekly: bool) -> list[Json]:
    sums: dict[date, list[Payment]] = {_period(day, weekly=weekly): [] for day in days}
    for row in rows:
        sums.setdefault(_period(_local(row, zone).date(), weekly=weekly), []).append(row)
    return [
        {"periodStart": iso(datetime.combine(start, time(), zone).timestamp()), **_sums(chosen)}
        for start, chosen in sums.items()
    ]


def _period(day: date, *, weekly: bool) -> date:
    return day - timedelta(days=day.weekday()) if weekly else day


def _averages(
    rows: list[Payment], slots: Iterable[int], slot: Callable[[Payment], int], counted: list[int]
) -> dict[str, Json]:
    """What came in on average in each slot, by how often the range has it."""
    return {
        str(one): round(sum(row.gross for row in rows if slot(row) == one) / max(counted.count(one), 1), 2)
        for one in slots
    }
