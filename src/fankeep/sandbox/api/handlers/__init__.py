"""What answers each operation, by its id.

An operation under ``/creators/{creatorUserUuid}`` has the handler of the same path without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from fankeep.fanvue.operations import Operation
from fankeep.sandbox.api.call import ApiCall
from fankeep.sandbox.api.handlers import (
    agency,
    app_subscriptions,
    chat_media,
    chats,
    collections,
    entitlements,
    fan_insights,
    fans,
    growth,
    insights,
    lists,
    mass_messages,
    media,
    messages,
    notifications,
    posts,
    profile,
    reactions,
    summary,
    team,
    templates,
    tracking,
    vault,
)
from fankeep.sandbox.json import Json

__all__ = ["HANDLERS", "Handler", "handlers_for"]

Handler: TypeAlias = Callable[[ApiCall], Json]
_ON_BEHALF = "/creators/{creatorUserUuid}"
_OTHERWISE_NAMED = {"/account": "/users/account"}

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "getCurrentUser": profile.get_current_user,
        "getAccount": profile.get_account,
        "listCreators": fans.list_creators,
        "listFollowers": fans.list_followers,
        "listSubscribers": fans.list_subscribers,
        "getBatchStatuses": fans.get_batch_statuses,
        "listChats": chats.list_chats,
        "createChat": chats.create_chat,
        "updateChat": chats.update_chat,
        "getUnreadChatsCount": chats.get_unread_count,
        "listMessages": messages.list_messages,
        "messagesBatch": messages.messages_batch,
        "sendMessage": messages.send_message,
        "deleteMessage": messages.delete_message,
        "getCustomLists": lists.list_custom,
        "createCustomList": lists.create_list,
        "updateCustomList": lists.update_list,
        "deleteCustomList": lists.delete_list,
        "getCustomListMembers": lists.list_members,
        "addMembersToCustomList": lists.add_members,
        "removeMemberFromCustomList": lists.remove_member,
        "getSmartLists": lists.list_smart,
        "getSmartListMembers": lists.list_smart_members,
        "listMassMessages": mass_messages.list_mass_messages,
        "sendMassMessage": mass_messages.send_mass_message,
        "updateMassMessage": mass_messages.update_mass_message,
        "deleteMassMessage": mass_messages.delete_mass_message,
        "getPosts": posts.list_posts,
        "getPostByUuid": posts.get_post,
        "createPost": posts.create_post,
        "updatePost": posts.update_post,
        "deletePost": posts.delete_post,
        "pinPost": posts.pin_post,
        "unpinPost": posts.unpin_post,
        "repostPost": posts.repost_post,
        "getPostComments": reactions.list_comments,
        "createPostComment": reactions.create_comment,
        "deletePostComment": reactions.delete_comment,
        "getPostTips": reactions.list_tips,
        "getUserMedia": media.list_media,
        "getUserMediaByUuid": media.get_media,
        "createUploadSession": media.create_upload,
        "getUploadPartUrl": media.get_part_url,
        "completeUploadSession": media.complete_upload,
        "listVaultFolders": vault.list_folders,
        "getVaultFolder": vault.get_folder,
        "createVaultFolder": vault.create_folder,
        "renameVaultFolder": vault.rename_folder,
        "deleteVaultFolder": vault.delete_folder,
        "listVaultFolderMedia": vault.list_folder_media,
        "attachMediaToVaultFolder": vault.attach_media,
        "detachMediaFromVaultFolder": vault.detach_media,
        "getEarnings": insights.list_earnings,
        "getTopSpenders": insights.list_top_spenders,
        "getPostLikes": reactions.list_likes,
        "listCollections": collections.list_collections,
        "createCollection": collections.create_collection,
        "renameCollection": collections.rename_collection,
        "deleteCollection": collections.delete_collection,
        "listTemplateMessages": templates.list_templates,
        "getTemplateMessage": templates.get_template,
        "listMedia": chat_media.list_chat_media,
        "getMessageMediaByUuids": chat_media.get_message_media,
        "getBulkMedia": media.get_bulk_media,
        "getEntitledMedia": entitlements.get_entitled_media,
        "grantMedia": entitlements.grant_media,
        "getMediaLinkPurchaseStatus": entitlements.get_link_purchase,
        "getSpending": insights.list_spending,
        "getEarningsSummary": summary.get_summary,
        "getEarningsPercentile": summary.get_percentile,
        "getSubscribers": growth.list_subscriber_days,
        "getFanInsights": fan_insights.get_fan_insights,
        "getBulkFanInsights": fan_insights.get_bulk_fan_insights,
        "batchFanInsights": fan_insights.batch_fan_insights,
        "getOnlineSubscribers": fans.list_online_subscribers,
        "listNotifications": notifications.list_notifications,
        "listAgencyChats": agency.list_chats,
        "listAgencyEarningsByDay": agency.list_earnings,
        "listAgencySubscribers": agency.list_subscribers,
        "listAgencySubscribersHistory": agency.list_subscribers_history,
        "getChatterLeaderboard": team.get_leaderboard,
        "listTeamMembers": team.list_members,
        "updateTeamMember": team.update_member,
        "createAgencyInvite": team.invite_member,
        "createCreatorInvite": team.invite_creator,
        "getAppCurrentUserSubscription": app_subscriptions.get_my_subscription,
        "getAppSubscriptionStatus": app_subscriptions.get_subscription_status,
        "listTrackingLinkUsers": tracking.list_users,
        "getUserTrackingMetadata": tracking.get_metadata,
        "listTrackingLinks": tracking.list_links,
        "createTrackingLink": tracking.create_link,
        "deleteTrackingLink": tracking.delete_link,
    }
)


def handlers_for(operations: Iterable[Operation]) -> Mapping[str, Handler]:
    """The handlers by operation id, those on behalf of a managed creator included."""
    chosen = list(operations)
    by_path = {(one.method, one.path): HANDLERS[one.id] for one in chosen if one.id in HANDLERS}
    twins = {
        one.id: by_path[key]
        for one in chosen
        if one.path.startswith(f"{_ON_BEHALF}/") and (key := (one.method, _own_path(one))) in by_path
    }
    return {**HANDLERS, **twins}


def _own_path(operation: Operation) -> str:
    path = operation.path.removeprefix(_ON_BEHALF)
    return _OTHERWISE_NAMED.get(path, path)
