"""fankeep: the secure backend of an app built on Fanvue.

The names below are imported when they are first used, so that ``fankeep --help`` and a program that only
verifies webhooks don't pay for the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fankeep.errors import (
        ConfigurationError,
        FankeepError,
        ReconnectRequired,
        RetryableError,
        VerificationError,
    )
    from fankeep.fanvue import VerifiedWebhook, WebhookSecret, sign_webhook, verify_webhook
    from fankeep.fanvue.details import (
        AppPayment,
        AppRefund,
        CheckoutDispute,
        CheckoutInstallment,
        CheckoutLink,
        CheckoutPayment,
        CheckoutPlan,
        CheckoutRefund,
        CheckoutSubscription,
        Detail,
        Dispute,
        FanChange,
        Follow,
        Message,
        MessagesRead,
        Payment,
        Payout,
        Person,
        PostReaction,
        Reaction,
        Refund,
        Subscription,
        Tracking,
    )
    from fankeep.inbox import ReceivedEvent
    from fankeep.keep.keep import Keep
    from fankeep.keep.settings import Settings
    from fankeep.keep.sync import SyncKeep
    from fankeep.secret import Secret
    from fankeep.store import Command, Statement, Transaction

__all__ = [
    "AppPayment",
    "AppRefund",
    "CheckoutDispute",
    "CheckoutInstallment",
    "CheckoutLink",
    "CheckoutPayment",
    "CheckoutPlan",
    "CheckoutRefund",
    "CheckoutSubscription",
    "Command",
    "ConfigurationError",
    "Detail",
    "Dispute",
    "FanChange",
    "FankeepError",
    "Follow",
    "Keep",
    "Message",
    "MessagesRead",
    "Payment",
    "Payout",
    "Person",
    "PostReaction",
    "Reaction",
    "ReceivedEvent",
    "ReconnectRequired",
    "Refund",
    "RetryableError",
    "Secret",
    "Settings",
    "Statement",
    "Subscription",
    "SyncKeep",
    "Tracking",
    "Transaction",
    "VerificationError",
    "VerifiedWebhook",
    "WebhookSecret",
    "sign_webhook",
    "verify_webhook",
]

_HOMES = {
    "AppPayment": "fankeep.fanvue.details",
    "AppRefund": "fankeep.fanvue.details",
    "CheckoutDispute": "fankeep.fanvue.details",
    "CheckoutInstallment": "fankeep.fanvue.details",
    "CheckoutLink": "fankeep.fanvue.details",
    "CheckoutPayment": "fankeep.fanvue.details",
    "CheckoutPlan": "fankeep.fanvue.details",
    "CheckoutRefund": "fankeep.fanvue.details",
    "CheckoutSubscription": "fankeep.fanvue.details",
    "Command": "fankeep.store",
    "ConfigurationError": "fankeep.errors",
    "Detail": "fankeep.fanvue.details",
    "Dispute": "fankeep.fanvue.details",
    "FanChange": "fankeep.fanvue.details",
    "FankeepError": "fankeep.errors",
    "Follow": "fankeep.fanvue.details",
    "Keep": "fankeep.keep.keep",
    "Message": "fankeep.fanvue.details",
    "MessagesRead": "fankeep.fanvue.details",
    "Payment": "fankeep.fanvue.details",
    "Payout": "fankeep.fanvue.details",
    "Person": "fankeep.fanvue.details",
    "PostReaction": "fankeep.fanvue.details",
    "Reaction": "fankeep.fanvue.details",
    "ReceivedEvent": "fankeep.inbox",
    "ReconnectRequired": "fankeep.errors",
    "Refund": "fankeep.fanvue.details",
    "RetryableError": "fankeep.errors",
    "Secret": "fankeep.secret",
    "Settings": "fankeep.keep.settings",
    "Statement": "fankeep.store",
    "Subscription": "fankeep.fanvue.details",
    "SyncKeep": "fankeep.keep.sync",
    "Tracking": "fankeep.fanvue.details",
    "Transaction": "fankeep.store",
    "VerificationError": "fankeep.errors",
    "VerifiedWebhook": "fankeep.fanvue",
    "WebhookSecret": "fankeep.fanvue",
    "sign_webhook": "fankeep.fanvue",
    "verify_webhook": "fankeep.fanvue",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fankeep' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
