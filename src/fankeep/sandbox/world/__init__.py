"""The made-up people of the sandbox: creators, fans, chats, messages; the same for the same seed."""

from fankeep.sandbox.world.audiences import SMART_LISTS, audience, smart_list
from fankeep.sandbox.world.content import (
    Collection,
    Comment,
    Content,
    CustomList,
    Entitlement,
    Folder,
    Like,
    MassMessage,
    Media,
    MediaLink,
    Notification,
    Post,
    Template,
    TrackingLink,
    Upload,
    Visit,
)
from fankeep.sandbox.world.model import Chat, Creator, Message, World
from fankeep.sandbox.world.money import PERIOD_SECONDS, AppPlan, AppSubscription, Payment, Subscription
from fankeep.sandbox.world.people import Fan, TeamMember
from fankeep.sandbox.world.seeding import make_world

__all__ = [
    "PERIOD_SECONDS",
    "SMART_LISTS",
    "AppPlan",
    "AppSubscription",
    "Chat",
    "Collection",
    "Comment",
    "Content",
    "Creator",
    "CustomList",
    "Entitlement",
    "Fan",
    "Folder",
    "Like",
    "MassMessage",
    "Media",
    "MediaLink",
    "Message",
    "Notification",
    "Payment",
    "Post",
    "Subscription",
    "TeamMember",
    "Template",
    "TrackingLink",
    "Upload",
    "Visit",
    "World",
    "audience",
    "make_world",
    "smart_list",
]
