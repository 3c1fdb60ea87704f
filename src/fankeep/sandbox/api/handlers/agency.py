"""An agency's view of all the creators whom it manages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.growth import growth
from fankeep.sandbox.api.handlers.insights import time_of
from fankeep.sandbox.api.handlers.rows import chat_row, fan_row, paged
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Creator

__all__ = ["list_chats", "list_earnings", "list_subscribers", "list_subscribers_history"]

_LONGEST_RANGE = 365 * 86_400


def list_chats(call: ApiCall) -> Json:
    """``GET /agencies/chats``: of all creators, newest activity first."""
    chats = [chat for creator in _managed(call) for chat in creator.chats.values()]
    chats.sort(key=lambda chat: chat.last_at, reverse=True)
    return paged(call, [{**chat_row(call, chat), "creatorUuid": chat.creator.uuid} for chat in chats])


def list_earnings(call: ApiCall) -> Json:
    """``GET /agencies/earnings``: by creator and UTC day, newest day first; only what was paid."""
    start, end = time_of(call, "startDate", 0.0), time_of(call, "endDate", 0.0)
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for creator in _managed(call):
        for row in creator.payments:
            if row.gross > 0 and start <= row.paid_at < end:
                key = (datetime.fromtimestamp(row.paid_at, UTC).date().isoformat(), creator.uuid)
                gross, net = sums.get(key, (0, 0))
                sums[key] = (gross + row.gross, net + row.net)
    return paged(
        call,
        [
            {"creatorUuid": creator, "date": day, "gross": gross, "net": net, "currency": "USD"}
            for (day, creator), (gross, net) in sorted(sums.items(), reverse=True)
        ],
    )


def list_subscribers(call: ApiCall) -> Json:
    """``GET /agencies/subscribers``: active subscriptions, newest first."""
    active = [(creator, one) for creator in _managed(call) for one in creator.subscriptions if one.active]
    active.sort(key=lambda pair: pair[1].created_at, reverse=True)
    return paged(
        call,
        [
            {
                **fan_row(call, one.fan, creator),
                "creatorUuid": creator.uuid,
                "subscribedAt": iso(one.created_at),
                "expiresAt": iso(one.expires_at),
            }
            for creator, one in active
        ],
    )


def list_subscribers_history(call: ApiCall) -> Json:
    """``GET /agencies/subscribers-history``: by creator and day, newest day first, of at most a year."""
    if time_of(call, "endDate", 0.0) - time_of(call, "startDate", 0.0) > _LONGEST_RANGE:
        raise ApiRefusal(400, {"errors": ["endDate: expected at most 365 days after startDate"]})
    days = [(day, creator.uuid) for creator in _managed(call) for day in growth(call, creator)]
    days.sort(key=lambda pair: (pair[0].at, pair[1]), reverse=True)
    return paged(
        call,
        [
            {
                "creatorUuid": creator,
                "date": day.date.isoformat(),
                "total": day.total,
                "newSubscribersCount": day.new,
                "cancelledSubscribersCount": day.cancelled,
            }
            for day, creator in days
        ],
    )


def _managed(call: ApiCall) -> Iterator[Creator]:
    """The managed creators, or those of them that ``creatorUuids`` names."""
    wanted = [uuid.lower() for uuid in call.named("creatorUuids")]
    for uuid in call.owner.manages:
        if not wanted or uuid in wanted:
            yield call.sandbox.world.creators[uuid]
