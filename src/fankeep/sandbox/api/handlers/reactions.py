"""What others do with a post: comments, likes, tips."""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.posts import find_post, tips_of
from fankeep.sandbox.api.handlers.rows import fan_row, paged, person_row
from fankeep.sandbox.clock import iso
from fankeep.sandbox.json import Json
from fankeep.sandbox.world import Comment

__all__ = ["create_comment", "delete_comment", "list_comments", "list_likes", "list_tips"]


def list_comments(call: ApiCall) -> Json:
    """``GET /posts/{uuid}/comments``: newest first."""
    newest_first = reversed(find_post(call).comments)
    return paged(call, [{**_row(one), "user": _author(call, one.author)} for one in newest_first])


def create_comment(call: ApiCall) -> Json:
    """``POST /posts/{uuid}/comments``: by the creator."""
    text = call.text("text") or ""
    comment = Comment(call.sandbox.world.dice.uuid(), call.creator.uuid, text, call.now)
    find_post(call).comments.append(comment)
    return _row(comment)


def delete_comment(call: ApiCall) -> Json:
    """``DELETE /posts/{uuid}/comments/{commentUuid}``."""
    comments = find_post(call).comments
    wanted = call.params["commentUuid"].lower()
    found = next((comment for comment in comments if comment.uuid == wanted), None)
    if found is None:
        raise ApiRefusal(404, {"message": "Comment not found"})
    comments.remove(found)
    return None


def list_likes(call: ApiCall) -> Json:
    """``GET /posts/{uuid}/likes``: newest first."""
    likes = sorted(find_post(call).likes, key=lambda like: like.created_at, reverse=True)
    fans = call.sandbox.world.fans
    return paged(
        call,
        [{"user": fan_row(call, fans[like.fan]), "createdAt": iso(like.created_at)} for like in likes],
    )


def list_tips(call: ApiCall) -> Json:
    """``GET /posts/{uuid}/tips``: newest first."""
    newest_first = reversed(tips_of(call, find_post(call)))
    return paged(
        call,
        [
            {
                "user": fan_row(call, tip.fan),
                "createdAt": iso(tip.paid_at),
                "gross": tip.gross,
                "net": tip.net,
            }
            for tip in newest_first
        ],
    )


def _author(call: ApiCall, uuid: str) -> Json:
    fan = call.fan(uuid)
    if fan is not None:
        return person_row(call.creator, fan)
    creator = call.sandbox.world.creators[uuid]
    return {
        "uuid": creator.uuid,
        "handle": creator.handle,
        "displayName": creator.display_name,
        "nickname": None,
        "isTopSpender": False,
    }


def _row(comment: Comment) -> dict[str, Json]:
    return {
        "uuid": comment.uuid,
        "text": comment.text,
        "createdAt": iso(comment.created_at),
        "updatedAt": None,
    }
