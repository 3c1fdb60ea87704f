"""The people of an agency: members, invitations, and what the chatters achieve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.insights import time_of
from fankeep.sandbox.api.handlers.rows import avatar_of
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Creator, Message, TeamMember

__all__ = ["get_leaderboard", "invite_creator", "invite_member", "list_members", "update_member"]

_MOST = 100
_HOUR = 3600.0


def list_members(call: ApiCall) -> Json:
    """``GET /agencies/team-members``."""
    return [_row(member) for member in call.owner.team.values()]


def update_member(call: ApiCall) -> Json:
    """``PUT /agencies/team-members/{userId}``: creators to work for (null: as before), and a nickname."""
    member = call.owner.team.get(call.params["userId"].lower())
    if member is None:
        raise ApiRefusal(404, {"message": "Team member not found"})
    wanted = call.uuids("creatorUuids")
    if not set(call.owner.manages) >= set(wanted):
        raise ApiRefusal(404, {"message": "Creator not found"})
    if call.body.get("creatorUuids") is not None:
        role = "ADMIN" if member.admin else "CHATTER"
        member.access = {uuid: member.access.get(uuid, role) for uuid in wanted}
    if "nickname" in call.body:
        member.nickname = call.text("nickname")
    return _row(member)


def invite_member(call: ApiCall) -> Json:
    """``POST /agencies/invites``: somebody with an account who is no creator, once."""
    email = call.text("email") or ""
    people = {fan.email for fan in call.sandbox.world.fans.values()}
    if email not in people:
        raise ApiRefusal(400, {"message": "The invitee needs an account and must not be a creator"})
    if email in call.owner.invites:
        raise ApiRefusal(400, {"message": "The invitee has been invited already"})
    call.owner.invites[email] = call.sandbox.world.dice.uuid()
    return {"success": True, "message": "Invitation sent", "inviteUuid": call.owner.invites[email]}


def invite_creator(call: ApiCall) -> Json:
    """``POST /agencies/creator-invites``: somebody with a creator's account."""
    email = call.text("email") or ""
    if email not in {creator.email for creator in call.sandbox.world.creators.values()}:
        raise ApiRefusal(400, {"message": "The invitee needs a creator account"})
    call.owner.invites.setdefault(email, call.sandbox.world.dice.uuid())
    return {"success": True, "message": "Invitation sent"}


def get_leaderboard(call: ApiCall) -> Json:
    """``GET /agencies/insights/chatter-leaderboard``: what each wrote and sold, most revenue first."""
    wanted = call.named_uuids("chatterUuids", most=_MOST)
    members = [one for one in call.owner.team.values() if not wanted or one.uuid in wanted]
    rows = [_achieved(call, member) for member in members]
    rows.sort(key=lambda row: row[0], reverse=True)
    return {"data": [row for _, row in rows]}


def _achieved(call: ApiCall, member: TeamMember) -> tuple[int, Json]:
    start, end = time_of(call, "startDate", 0.0), time_of(call, "endDate", math.inf)
    written: list[tuple[Message, Message | None]] = [
        (message, before)
        for uuid in call.owner.manages
        for message, before in _messages(call.sandbox.world.creators[uuid])
        if message.sent_by == member.uuid and start <= message.sent_at < end
    ]
    sold = [message for message, _ in written if message.price is not None]
    unlocked = [message for message in sold if message.purchased_at is not None]
    revenue = sum(message.price or 0 for message in unlocked)
    hours = len({message.sent_at // _HOUR for message, _ in written})
    waits = [
        message.sent_at - before.sent_at
        for message, before in written
        if before is not None and before.sender is message.recipient
    ]
    return revenue, {
        "chatterUuid": member.uuid,
        "chatterName": member.nickname or member.display_name,
        "avatarUrl": avatar_of(call, member.uuid),
        "messages": len(written),
        "ppvsSent": len(sold),
        "ppvsUnlocked": len(unlocked),
        "revenue": revenue,
        "goldenRatio": _ratio(len(sold), len(written)),
        "unlockRatio": _ratio(len(unlocked), len(sold)),
        "activeHours": hours,
        "eph": _ratio(revenue, hours),
        "avgResponseMs": round(1000 * sum(waits) / len(waits)) if waits else None,
    }


def _messages(creator: Creator) -> Iterator[tuple[Message, Message | None]]:
    """A creator's messages, each with the one before it in its chat."""
    for chat in creator.chats.values():
        for before, message in pairwise([None, *chat.messages]):
            if message is not None and message.sender is creator:
                yield message, before


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 2) if whole else 0.0


def _row(member: TeamMember) -> Json:
    return {
        "uuid": member.uuid,
        "isAdmin": member.admin,
        "nickname": member.nickname,
        "email": member.email,
        "displayName": member.display_name,
        "creatorAccess": [{"uuid": uuid, "role": role} for uuid, role in member.access.items()],
    }
