"""Service keys: who may use the internal listener without a browser, for what, and until when."""

from __future__ import annotations

from fankeep.servicekeys.permissions import EVERY_OPERATION, Permissions, Reach
from fankeep.servicekeys.service_keys import ListedKey, ServiceKey, ServiceKeys

__all__ = ["EVERY_OPERATION", "ListedKey", "Permissions", "Reach", "ServiceKey", "ServiceKeys"]
