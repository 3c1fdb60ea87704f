"""The REST API: every operation of the contract, on the made-up world."""

from fankeep.sandbox.api.endpoint import ApiEndpoint
from fankeep.sandbox.api.openapi import openapi_document
from fankeep.sandbox.api.routing import Routes
from fankeep.sandbox.api.subscriptions import SUBSCRIPTIONS_PATH, SubscriptionsEndpoint

__all__ = [
    "SUBSCRIPTIONS_PATH",
    "ApiEndpoint",
    "Routes",
    "SubscriptionsEndpoint",
    "openapi_document",
]
