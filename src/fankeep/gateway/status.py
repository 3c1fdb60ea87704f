"""Whether the process lives, whether it can work, and the key that its assertions are signed with."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import FankeepError
from fankeep.gateway.services import GatewayServices
from fankeep.policy import api_headers
from fankeep.telemetry import get_logger

__all__ = ["Status"]

log = get_logger("fankeep.gateway")

_JSON: Final = "application/json"
_KEYS_AGE: Final = "public, max-age=300"


class Status:
    """``GET /healthz``, ``GET /readyz``, ``GET /.well-known/fankeep/jwks.json``."""

    def __init__(self, services: GatewayServices) -> None:
        self._services = services
        self._key_set = services.assertions.key_set()

    async def health(self, request: Request) -> Response:
        """The process answers; nothing else is looked at."""
        del request
        return Response(b'{"status": "ok"}', media_type=_JSON, headers=api_headers())

    async def ready(self, request: Request) -> Response:
        """The database answers and the keys are open."""
        del request
        try:
            ready = await self._services.ready()
        except FankeepError as error:
            log.warning("not_ready", error=error)
            ready = False
        body = b'{"status": "ready"}' if ready else b'{"status": "not_ready"}'
        return Response(body, 200 if ready else 503, media_type=_JSON, headers=api_headers())

    async def keys(self, request: Request) -> Response:
        """The public key of the identity assertions (RFC 7517)."""
        del request
        headers = {**api_headers(), "cache-control": _KEYS_AGE}
        return Response(self._key_set, media_type="application/jwk-set+json", headers=headers)
