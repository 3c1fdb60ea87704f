"""Tracking links, who came through them, and what they have brought."""

from __future__ import annotations

import math

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.insights import time_of
from fankeep.sandbox.api.handlers.rows import fan_row, paged_by_cursor
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Fan, TrackingLink, Visit

__all__ = ["create_link", "delete_link", "get_metadata", "list_links", "list_users"]


def list_links(call: ApiCall) -> Json:
    """``GET /tracking-links``: newest first."""
    start, end = time_of(call, "createdAfter", 0.0), time_of(call, "createdBefore", math.inf)
    return paged_by_cursor(
        call,
        [link for link in call.creator.content.links.values() if start <= link.created_at < end],
        key=lambda link: (link.created_at, link.uuid),
        row=lambda link: _row(call, link),
        size=call.number("limit", 20),
    )


def create_link(call: ApiCall) -> Json:
    """``POST /tracking-links``."""
    dice = call.sandbox.world.dice
    link = TrackingLink(
        uuid=dice.uuid(),
        name=call.text("name") or "",
        code=f"fv-{dice.number(100_000, 999_999)}",
        platform=call.text("externalSocialPlatform") or "other",
        created_at=call.now,
    )
    call.creator.content.links[link.uuid] = link
    return _row(call, link)


def delete_link(call: ApiCall) -> Json:
    """``DELETE /tracking-links/{uuid}``; one that is not there is no error."""
    call.creator.content.links.pop(call.params["uuid"].lower(), None)
    return None


def list_users(call: ApiCall) -> Json:
    """``GET /tracking-links/{uuid}/users``: by their first visit, the newest first."""
    fans = call.sandbox.world.fans
    return paged_by_cursor(
        call,
        _first_visits(_link(call)).values(),
        key=lambda visit: (visit.at, visit.fan),
        row=lambda visit: {
            **fan_row(call, fans[visit.fan]),
            "status": call.creator.relation(fans[visit.fan]),
        },
        size=call.number("limit", 20),
    )


def get_metadata(call: ApiCall) -> Json:
    """``GET /tracking-links/{uuid}/users/{userUuid}/metadata``: of the user's latest visit."""
    wanted = call.params["userUuid"].lower()
    latest = next((visit for visit in reversed(_link(call).visits) if visit.fan == wanted), None)
    if latest is None:
        raise ApiRefusal(404, {"message": "User not found"})
    return {"metadata": dict[str, Json](latest.metadata) or None}


def _link(call: ApiCall) -> TrackingLink:
    found = call.creator.content.links.get(call.params["uuid"].lower())
    if found is None:
        raise ApiRefusal(404, {"message": "Tracking link not found"})
    return found


def _first_visits(link: TrackingLink) -> dict[str, Visit]:
    """Each fan's first visit through a link."""
    return {visit.fan: visit for visit in reversed(link.visits)}


def _acquired(call: ApiCall, link: TrackingLink) -> dict[Fan, float]:
    """The fans whose first visit of all was through this link, and when that was."""
    firsts: dict[str, tuple[float, str]] = {}
    for one in call.creator.content.links.values():
        for fan, visit in _first_visits(one).items():
            firsts[fan] = min(firsts.get(fan, (math.inf, "")), (visit.at, one.uuid))
    fans = call.sandbox.world.fans
    return {fans[fan]: at for fan, (at, uuid) in firsts.items() if uuid == link.uuid}


def _row(call: ApiCall, link: TrackingLink) -> Json:
    creator = call.creator
    acquired = _acquired(call, link)
    relations = {fan: creator.relation(call.sandbox.world.fans[fan]) for fan in _first_visits(link)}
    everybody = list(relations.values())
    own = [relations[fan.uuid] for fan in acquired]
    earned = [row for row in creator.payments if row.paid_at >= acquired.get(row.fan, math.inf)]
    return {
        "uuid": link.uuid,
        "name": link.name,
        "linkUrl": link.code,
        "externalSocialPlatform": link.platform,
        "createdAt": iso(link.created_at),
        "clicks": len(link.visits),
        "engagement": {
            "acquiredSubscribers": own.count("subscriber"),
            "acquiredFollowers": own.count("follower"),
            "totalSubscribers": everybody.count("subscriber"),
            "totalFollowers": everybody.count("follower"),
        },
        "earnings": {
            "totalGross": sum(row.gross for row in earned),
            "totalNet": sum(row.net for row in earned),
        }
        if link.visits
        else None,
    }
