"""Who the creator is."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers.rows import avatar_url
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json

__all__ = ["get_account", "get_current_user"]


def get_current_user(call: ApiCall) -> Json:
    """``GET /users/me``."""
    creator = call.creator
    posts = [post for post in creator.content.posts.values() if post.published_at is not None]
    kinds = [media.kind for media in creator.content.media.values() if media.status(call.now) == "ready"]
    return {
        **_profile(call),
        "likesCount": sum(len(post.likes) for post in posts),
        "fanCounts": {
            "followersCount": len(creator.mere_followers),
            "subscribersCount": len(creator.subscribers),
        },
        "contentCounts": {
            **{f"{kind}Count": kinds.count(kind) for kind in ("image", "video", "audio")},
            "postCount": len(posts),
            "payToViewPostCount": sum(post.price is not None for post in posts),
        },
    }


def get_account(call: ApiCall) -> Json:
    """``GET /users/account`` and its twin for a managed creator; nothing was paid out yet."""
    creator = call.creator
    return {
        **_profile(call),
        "account": {
            "status": "active",
            "earnings": {
                "total": creator.earnings,
                "availableBalance": sum(row.net for row in creator.payments if row.is_available(call.now)),
                "lastPayoutAt": None,
            },
            "fans": {
                "followers": len(creator.mere_followers),
                "subscribers": len(creator.subscribers),
            },
        },
    }


def _profile(call: ApiCall) -> dict[str, Json]:
    creator = call.creator
    return {
        "uuid": creator.uuid,
        "email": creator.email,
        "handle": creator.handle,
        "bio": creator.bio,
        "displayName": creator.display_name,
        "isCreator": True,
        "createdAt": iso(creator.since),
        "updatedAt": iso(creator.since + 30 * 86_400),
        "avatarUrl": avatar_url(call, creator),
        "bannerUrl": None,
    }
