"""The HTTP faces: the public one for browsers and webhooks, the internal one for the app's own programs.

Sign-in, API proxy, webhook receiver, and the way to the app behind us on the public one.
"""

from __future__ import annotations

from fankeep.gateway.app import internal_app, public_app
from fankeep.gateway.assertions import ASSERTION_HEADER, Assertions
from fankeep.gateway.internal import InternalServices
from fankeep.gateway.services import GatewayConfig, GatewayServices, Limits

__all__ = [
    "ASSERTION_HEADER",
    "Assertions",
    "GatewayConfig",
    "GatewayServices",
    "InternalServices",
    "Limits",
    "internal_app",
    "public_app",
]
