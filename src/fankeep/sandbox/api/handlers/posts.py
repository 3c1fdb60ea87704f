"""Posts: writing, publishing, pinning, and putting them to the top of the feed again."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import moment, paged, price_of, when
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Payment, Post

__all__ = [
    "create_post",
    "delete_post",
    "find_post",
    "get_post",
    "list_posts",
    "pin_post",
    "repost_post",
    "tips_of",
    "unpin_post",
    "update_post",
]


def list_posts(call: ApiCall) -> Json:
    """``GET /posts``: pinned ones first, then the newest."""
    posts = [post for post in call.creator.content.posts.values() if _is_wanted(call, post)]
    posts.sort(key=lambda post: (post.pinned, post.published_at or post.created_at), reverse=True)
    return paged(call, [_full(call, post) for post in posts])


def get_post(call: ApiCall) -> Json:
    """``GET /posts/{uuid}``."""
    return _full(call, find_post(call))


def create_post(call: ApiCall) -> Json:
    """``POST /posts``: at once, or later with ``publishAt``."""
    publish_at = moment(call, "publishAt")
    post = Post(
        uuid=call.sandbox.world.dice.uuid(),
        created_at=call.now,
        audience=call.text("audience") or "subscribers",
        text=call.text("text"),
        price=price_of(call),
        media=tuple(call.uuids("mediaUuids")),
        preview=call.text("mediaPreviewUuid"),
        publish_at=publish_at,
        published_at=_published_at(call, publish_at),
        expires_at=moment(call, "expiresAt"),
        collections=_collections(call),
    )
    _check(post)
    call.creator.content.posts[post.uuid] = post
    return _short(post)


def update_post(call: ApiCall) -> Json:
    """``PATCH /posts/{uuid}``: what is given changes; null takes it away."""
    post = find_post(call)
    if call.text("audience"):
        post.audience = call.text("audience") or post.audience
    post.text = call.text("text") if "text" in call.body else post.text
    post.price = price_of(call) if "price" in call.body else post.price
    post.media = tuple(call.uuids("mediaUuids")) if "mediaUuids" in call.body else post.media
    post.preview = call.text("mediaPreviewUuid") if "mediaPreviewUuid" in call.body else post.preview
    post.expires_at = moment(call, "expiresAt") if "expiresAt" in call.body else post.expires_at
    post.collections = _collections(call) if "collectionUuids" in call.body else post.collections
    if "publishAt" in call.body and post.published_at is None:
        post.publish_at = moment(call, "publishAt")
        post.published_at = _published_at(call, post.publish_at)
    return _full(call, post)


def delete_post(call: ApiCall) -> Json:
    """``DELETE /posts/{uuid}``."""
    del call.creator.content.posts[find_post(call).uuid]
    return None


def pin_post(call: ApiCall) -> Json:
    """``POST /posts/{uuid}/pin``."""
    return _pinned(call, pinned=True)


def unpin_post(call: ApiCall) -> Json:
    """``DELETE /posts/{uuid}/pin``."""
    return _pinned(call, pinned=False)


def repost_post(call: ApiCall) -> Json:
    """``POST /posts/{uuid}/repost``: to the top of the feed."""
    post = find_post(call)
    post.published_at = call.now
    return _full(call, post)


def find_post(call: ApiCall) -> Post:
    """The creator's post of the path.

    Raises:
        ApiRefusal: 404, there is none.
    """
    post = call.creator.content.posts.get(call.params["uuid"].lower())
    if post is None:
        raise ApiRefusal(404, {"message": "Post not found"})
    return post


def tips_of(call: ApiCall, post: Post) -> list[Payment]:
    """The tips for a post, oldest first; what was taken back is none."""
    rows = (row for row in call.creator.payments if row.subject == post.uuid and row.source == "tip")
    return [row for row in rows if row.gross > 0 and not row.reversed]


def _collections(call: ApiCall) -> list[str]:
    wanted = list(dict.fromkeys(call.uuids("collectionUuids")))
    if not call.creator.content.collections.keys() >= set(wanted):
        raise ApiRefusal(400, {"message": "Collection not found"})
    return wanted


def _published_at(call: ApiCall, wanted: float | None) -> float | None:
    """Now, unless the wanted time is still to come."""
    return None if wanted is not None and wanted > call.now else call.now


def _is_wanted(call: ApiCall, post: Post) -> bool:
    return call.query.get("includeUnpublished") != "false" or post.published_at is not None


def _check(post: Post) -> None:
    if not post.text and not post.media:
        raise ApiRefusal(400, {"message": "A post needs a text or media"})
    if post.price is not None and not post.media:
        raise ApiRefusal(400, {"message": "A post with a price needs media"})


def _pinned(call: ApiCall, *, pinned: bool) -> Json:
    post = find_post(call)
    post.pinned = pinned
    return _full(call, post)


def _short(post: Post) -> dict[str, Json]:
    return {
        "uuid": post.uuid,
        "createdAt": iso(post.created_at),
        "text": post.text,
        "price": post.price,
        "mediaPreviewUuid": post.preview,
        "audience": post.audience,
        "publishAt": when(post.publish_at),
        "publishedAt": when(post.published_at),
        "expiresAt": when(post.expires_at),
    }


def _full(call: ApiCall, post: Post) -> dict[str, Json]:
    tips = tips_of(call, post)
    return {
        **_short(post),
        "mediaUuids": list[Json](post.media),
        "isPinned": post.pinned,
        "likesCount": len(post.likes),
        "commentsCount": len(post.comments),
        "tips": {
            "count": len(tips),
            "totalGross": sum(tip.gross for tip in tips),
            "totalNet": sum(tip.net for tip in tips),
        },
        "collections": [
            {"uuid": uuid, "label": call.creator.content.collections[uuid].label} for uuid in post.collections
        ],
    }
