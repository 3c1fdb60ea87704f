"""Money, as it came in and as some of it went back."""

from __future__ import annotations

import math

from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers.rows import fan_row, paged, paged_by_cursor, person_row, seconds_of
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Fan, Payment

__all__ = ["list_earnings", "list_spending", "list_top_spenders", "paid_in_range", "time_of"]


def list_earnings(call: ApiCall) -> Json:
    """``GET /insights/earnings``: newest first; what was taken back is a row of its own below zero."""
    wanted = call.named("source") or ["all"]
    rows = [row for row in paid_in_range(call) if "all" in wanted or row.source in wanted]
    return _by_cursor(call, rows, spending=False)


def list_spending(call: ApiCall) -> Json:
    """``GET /insights/spending``: only what was taken back, newest first."""
    wanted = call.named("source") or ["all"]
    back = [row for row in paid_in_range(call) if row.reversal is not None]
    return _by_cursor(call, [row for row in back if "all" in wanted or row.reversal in wanted], spending=True)


def list_top_spenders(call: ApiCall) -> Json:
    """``GET /insights/top-spenders``: who paid most, and how many messages they have exchanged."""
    spent: dict[Fan, list[Payment]] = {}
    for row in paid_in_range(call):
        spent.setdefault(row.fan, []).append(row)
    ranked = sorted(spent.items(), key=lambda item: sum(row.gross for row in item[1]), reverse=True)
    chats = call.creator.chats
    return paged(
        call,
        [
            {
                "gross": sum(row.gross for row in rows),
                "net": sum(row.net for row in rows),
                "messages": len(chats[fan.uuid].messages) if fan.uuid in chats else 0,
                "user": fan_row(call, fan),
            }
            for fan, rows in ranked
        ],
    )


def paid_in_range(call: ApiCall) -> list[Payment]:
    """The payments from ``startDate`` to before ``endDate``."""
    start, end = time_of(call, "startDate", 0.0), time_of(call, "endDate", math.inf)
    return [row for row in call.creator.payments if start <= row.paid_at < end]


def time_of(call: ApiCall, name: str, default: float) -> float:
    """A time of the query, in seconds since 1970."""
    value = call.query.get(name)
    seconds = seconds_of(value) if isinstance(value, str) else None
    return default if seconds is None else seconds


def _by_cursor(call: ApiCall, rows: list[Payment], *, spending: bool) -> Json:
    return paged_by_cursor(
        call,
        rows,
        key=lambda row: (row.paid_at, row.id),
        row=lambda row: _spending(call, row) if spending else _earning(call, row),
        size=call.number("size", 20),
    )


def _spending(call: ApiCall, row: Payment) -> Json:
    return {**_row(call, row), "source": row.reversal}


def _earning(call: ApiCall, row: Payment) -> Json:
    available = row.is_available(call.now)
    return {
        **_row(call, row),
        "source": row.source,
        "transactionOrderId": row.id,
        "transactionOrderStatus": "availableForPayout" if available else "pendingBalance",
    }


def _row(call: ApiCall, row: Payment) -> dict[str, Json]:
    answer: dict[str, Json] = {
        "currency": "USD",
        "date": iso(row.paid_at),
        "gross": row.gross,
        "net": row.net,
        "user": person_row(call.creator, row.fan),
    }
    if row.source in ("message", "post", "tip"):
        answer["postUuid" if row.on_post else "messageUuid"] = row.subject
    return answer
