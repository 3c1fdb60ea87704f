"""Who may see a medium besides its owner: by a grant, or by having bought its link."""

from __future__ import annotations

import re

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.media import find_media, media_row
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Entitlement

__all__ = ["get_entitled_media", "get_link_purchase", "grant_media"]

_SOURCE = re.compile(r"[a-z0-9_]+")


def grant_media(call: ApiCall) -> Json:
    """``POST /media/{uuid}/grant``: the same grant again is the one that there is."""
    media = find_media(call, call.params["uuid"])
    consumer, source = (call.text("consumerId") or "").lower(), call.text("source") or ""
    reference = call.text("sourceRef") or ""
    world = call.sandbox.world
    if not _SOURCE.fullmatch(source):
        raise ApiRefusal(400, {"errors": ["source: expected a-z, 0-9 and _"]})
    if consumer not in world.fans and consumer not in world.creators:
        raise ApiRefusal(404, {"message": "User not found"})
    given = call.creator.content.entitlements
    same = (media.uuid, consumer, source, reference)
    found = next((e for e in given if (e.media, e.consumer, e.source, e.reference) == same), None)
    if found is None:
        found = Entitlement(world.dice.uuid(), *same)
        given.append(found)
    return {"entitlementId": found.id, "status": "granted"}


def get_entitled_media(call: ApiCall) -> Json:
    """``GET /media/{uuid}/entitled``: as a consumer sees it to whom it was granted."""
    media = find_media(call, call.params["uuid"])
    consumer = str(call.query["consumerId"]).lower()
    given = call.creator.content.entitlements
    if not any((one.media, one.consumer) == (media.uuid, consumer) for one in given):
        raise ApiRefusal(404, {"message": "Media not found"})
    return media_row(call, media)


def get_link_purchase(call: ApiCall) -> Json:
    """``GET /media/links/{uuid}/purchased``: whether the caller has bought a link, of any creator."""
    uuid = call.params["uuid"].lower()
    for creator in call.sandbox.world.creators.values():
        link = creator.content.media_links.get(uuid)
        if link is not None:
            return {"purchased": call.owner.uuid in link.buyers}
    raise ApiRefusal(404, {"message": "Media link not found"})
