"""What a fan is to a creator: relation, spending, subscription."""

from __future__ import annotations

from collections.abc import Iterable

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import when
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Fan, Payment, Subscription

__all__ = ["batch_fan_insights", "get_bulk_fan_insights", "get_fan_insights"]

_MOST = 20


def get_fan_insights(call: ApiCall) -> Json:
    """``GET /insights/fans/{userUuid}``."""
    fan = call.fan(call.params["userUuid"])
    if fan is None:
        raise ApiRefusal(404, {"message": "Fan not found"})
    return _insights(call, fan)


def get_bulk_fan_insights(call: ApiCall) -> Json:
    """``GET /insights/fans``: null and an error for each who is not there."""
    found = {uuid: call.fan(uuid) for uuid in call.named_uuids("fanUuids", most=_MOST)}
    return {
        "results": {uuid: _insights(call, fan) if fan else None for uuid, fan in found.items()},
        "errors": [
            {"fanUuid": uuid, "code": "NOT_FOUND", "message": "Fan not found"}
            for uuid, fan in found.items()
            if fan is None
        ],
    }


def batch_fan_insights(call: ApiCall) -> Json:
    """``POST /insights/fans/batch``: several fans at once, errors by fan."""
    found = {uuid: call.fan(uuid) for uuid in call.uuids("userUuids")}
    return {uuid: _insights(call, fan) if fan else {"error": "not_found"} for uuid, fan in found.items()}


def _insights(call: ApiCall, fan: Fan) -> Json:
    creator = call.creator
    rows = [row for row in creator.payments if row.fan is fan]
    paid = [row for row in rows if row.gross > 0]
    sources = dict.fromkeys(row.source for row in paid)
    most = max(paid, key=lambda row: row.gross, default=None)
    return {
        "status": creator.relation(fan) or "not_contactable",
        "spending": {
            "lastPurchaseAt": when(max((row.paid_at for row in paid), default=None)),
            "total": _sums(rows),
            "maxSinglePayment": _sums([most] if most else []),
            "sources": {name: _sums(row for row in rows if row.source == name) for name in sources},
        },
        "subscription": _subscription(creator.subscription(fan)),
    }


def _sums(rows: Iterable[Payment]) -> Json:
    """What was paid, and what of it did not go back."""
    amounts = [row.gross for row in rows]
    return {"gross": sum(amount for amount in amounts if amount > 0), "total": sum(amounts)}


def _subscription(one: Subscription | None) -> Json:
    renews = one is not None and one.active and one.renews
    return {
        "createdAt": None if one is None else iso(one.created_at),
        "renewsAt": iso(one.expires_at) if one is not None and renews else None,
        "autoRenewalEnabled": renews,
    }
