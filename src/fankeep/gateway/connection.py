"""What may be shown of a creator's connection to Fanvue; nothing in it is secret."""

from __future__ import annotations

from fankeep.fanvue.scopes import SCOPES
from fankeep.gateway.services import GatewayConfig, GrantView
from fankeep.types import UserId

__all__ = ["connection"]


def connection(user: UserId, grant: GrantView | None, config: GatewayConfig) -> dict[str, object]:
    """Describe a connection, and what is missing in it, as the value of a JSON answer."""
    if grant is None:
        return {"connected": False, "user": user}
    wanted = [name for name in config.client.scopes if name in SCOPES and SCOPES[name].kind == "app"]
    return {
        "connected": grant.state != "dead",
        "user": user,
        "state": grant.state,
        "reason": grant.reason,
        "scopes": list(grant.scopes),
        "missing_scopes": [name for name in wanted if name not in grant.scopes],
    }
