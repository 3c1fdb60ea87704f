"""Media, and uploading them in three steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fankeep.fanvue.limits import MEDIA_UPLOAD_MAX_BYTES
from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import avatar_of, paged, paged_by_cursor
from fankeep.sandbox.clock import iso
from fankeep.sandbox.credentials import new_challenge
from fankeep.sandbox.json import Json
from fankeep.sandbox.uploads import part_url
from fankeep.sandbox.world import MassMessage, Media, Message, Post, Upload
from fankeep.secret import Secret

__all__ = [
    "complete_upload",
    "create_upload",
    "find_media",
    "get_bulk_media",
    "get_media",
    "get_part_url",
    "list_media",
    "media_row",
    "media_variants",
]

_MOST = 20
_VARIANTS = frozenset({"blurred", "main", "thumbnail", "thumbnail_gallery"})


def list_media(call: ApiCall) -> Json:
    """``GET /media``: newest first."""
    if call.by_cursor:
        return paged_by_cursor(
            call,
            _chosen(call),
            key=lambda media: (media.created_at, media.uuid),
            row=lambda media: media_row(call, media),
            size=call.number("size", 15),
        )
    chosen = sorted(_chosen(call), key=lambda media: media.created_at, reverse=True)
    return paged(call, [media_row(call, media) for media in chosen])


def get_media(call: ApiCall) -> Json:
    """``GET /media/{uuid}``: addresses only with ``variants``."""
    return media_row(call, find_media(call, call.params["uuid"]))


def get_bulk_media(call: ApiCall) -> Json:
    """``GET /media/bulk``: null and an error for each that is not there."""
    own = call.creator.content.media
    wanted = call.named_uuids("mediaUuids", most=_MOST)
    return {
        "results": {uuid: media_row(call, own[uuid]) if uuid in own else None for uuid in wanted},
        "errors": [
            {"mediaUuid": uuid, "code": "NOT_FOUND", "message": "Media not found"}
            for uuid in wanted
            if uuid not in own
        ],
    }


def create_upload(call: ApiCall) -> Json:
    """``POST /media/uploads``."""
    size = call.body.get("sizeBytes")
    if isinstance(size, int) and size > MEDIA_UPLOAD_MAX_BYTES:
        raise ApiRefusal(400, {"errors": [f"sizeBytes: at most {MEDIA_UPLOAD_MAX_BYTES}"]})
    upload = Upload(call.sandbox.world.dice.uuid(), Secret(new_challenge()))
    media = Media(
        uuid=call.sandbox.world.dice.uuid(),
        name=call.text("name") or "",
        kind=call.text("mediaType") or "image",
        created_at=call.now,
        completed_at=None,
        upload=upload,
    )
    call.creator.content.media[media.uuid] = media
    return {"mediaUuid": media.uuid, "uploadId": upload.id}


def get_part_url(call: ApiCall) -> Json:
    """``GET /media/uploads/{uploadId}/parts/{partNumber}/url``: signed, and good for an hour."""
    _, upload = _uploading(call)
    try:
        number = int(call.params["partNumber"])
    except ValueError:
        number = 0
    if not 1 <= number <= 10_000:
        raise ApiRefusal(400, {"message": "Invalid partNumber"})
    return part_url(call.sandbox.base_url, upload, number, now=call.now)


def complete_upload(call: ApiCall) -> Json:
    """``PATCH /media/uploads/{uploadId}``: the parts that arrived, by number and ETag."""
    media, upload = _uploading(call)
    named = dict(_parts(call))
    if not named or named != {number: etag for number, etag in upload.etags.items() if number in named}:
        raise ApiRefusal(400, {"message": "The parts do not fit what was uploaded"})
    media.completed_at = call.now
    return {"status": media.status(call.now)}


def find_media(call: ApiCall, uuid: str) -> Media:
    """One of the creator's media.

    Raises:
        ApiRefusal: 404, there is none.
    """
    media = call.creator.content.media.get(uuid.lower())
    if media is None:
        raise ApiRefusal(404, {"message": "Media not found"})
    return media


def _chosen(call: ApiCall) -> Iterator[Media]:
    content = call.creator.content
    name = call.query.get("folderName")
    folder = content.folders.get(str(name)) if name is not None else None
    statuses = call.named("status")
    used = _used(call)
    for media in content.media.values():
        in_folder = name is None or (folder is not None and media.uuid in folder.media)
        in_status = not statuses or media.status(call.now) in statuses
        in_use = used is None or media.uuid in used
        if in_folder and in_status and in_use and call.query.get("mediaType") in (None, media.kind):
            yield media


def _used(call: ApiCall) -> set[str] | None:
    """The media that are used as the query's ``usage`` says; None when it says nothing."""
    content = call.creator.content
    posts = content.posts.values()
    shown: Iterable[Post | MassMessage | Message]
    match call.query.get("usage"):
        case "subscribers":
            shown = [post for post in posts if post.audience == "subscribers"]
        case "followers":
            shown = [post for post in posts if post.audience == "followers-and-subscribers"]
        case "ppv":
            messages = [message for chat in call.creator.chats.values() for message in chat.messages]
            sold: list[Post | Message] = [*posts, *messages]
            shown = [one for one in sold if one.price is not None]
        case "mass_messages":
            shown = content.mass_messages.values()
        case _:
            return None
    return {uuid for one in shown for uuid in one.media}


def _bought_by(call: ApiCall) -> set[str]:
    """The media of what the fan of ``purchasedBy`` has bought, or was granted."""
    creator, fan = call.creator, str(call.query["purchasedBy"]).lower()
    paid = {
        row.subject for row in creator.payments if row.fan.uuid == fan and row.gross > 0 and not row.reversed
    }
    chat = creator.chats.get(fan)
    sold: list[Post | Message] = [*creator.content.posts.values(), *(chat.messages if chat else [])]
    granted = {one.media for one in creator.content.entitlements if one.consumer == fan}
    return granted | {
        uuid for one in sold if one.price is not None and one.uuid in paid for uuid in one.media
    }


def _uploading(call: ApiCall) -> tuple[Media, Upload]:
    media = call.creator.content.upload(call.params["uploadId"])
    if media is None or media.upload is None or media.completed_at is not None:
        raise ApiRefusal(404, {"message": "Upload not found"})
    return media, media.upload


def _parts(call: ApiCall) -> Iterator[tuple[int, str]]:
    parts = call.body.get("parts")
    for part in parts if isinstance(parts, list) else []:
        number = part.get("PartNumber") if isinstance(part, dict) else None
        if isinstance(part, dict) and isinstance(number, int):
            yield number, str(part.get("ETag")).strip('"')


def media_row(call: ApiCall, media: Media) -> dict[str, Json]:
    """A medium: all of it once it is ready, with the variants that the query asks for."""
    status = media.status(call.now)
    if status != "ready":
        return {"uuid": media.uuid, "status": status}
    row: dict[str, Json] = {
        "uuid": media.uuid,
        "status": status,
        "createdAt": iso(media.created_at),
        "caption": None,
        "description": None,
        "name": media.name,
        "mediaType": media.kind,
        "recommendedPrice": None,
        "tags": None,
        "variants": media_variants(call, media),
    }
    if call.query.get("purchasedBy"):
        row["purchasedByFan"] = media.uuid in _bought_by(call)
    return row


def media_variants(call: ApiCall, media: Media) -> list[Json]:
    """The variants of a medium that the query asks for."""
    return [
        _variant(call, media, name, place)
        for place, name in enumerate(call.named("variants"))
        if name in _VARIANTS
    ]


def _variant(call: ApiCall, media: Media, name: str, place: int) -> Json:
    return {
        "uuid": media.uuid,
        "variantType": name,
        "displayPosition": place,
        "url": avatar_of(call, media.uuid),
        "width": 1080,
        "height": 1350,
        "lengthMs": 12_000 if media.kind in ("video", "audio") else None,
    }
