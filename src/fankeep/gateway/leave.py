"""Signing out and disconnecting, and what a browser may know about itself."""

from __future__ import annotations

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import NotConnected
from fankeep.fanvue.hosts import THIRD_PARTY_APPS_URL
from fankeep.gateway.browser import form_of, require_own_origin, session_of, wants_page
from fankeep.gateway.connect import app_name, return_path_of
from fankeep.gateway.connection import connection
from fankeep.gateway.messages import header_texts
from fankeep.gateway.pages import render_page
from fankeep.gateway.refusals import CrossSite
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.policy import SESSION_COOKIE, api_headers, expired_cookie, page_headers

__all__ = ["Leave"]

_DISCONNECTED: Final = "/auth/disconnect"
_JSON: Final = "application/json"
# What the app has stored in the browser. Not the cookies: those of the whole domain would go.
_CLEARED: Final = '"cache", "storage"'


class Leave:
    """``POST /auth/logout``, ``GET`` and ``POST /auth/disconnect``, ``GET /auth/session``."""

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        self._config = config
        self._services = services

    async def logout(self, request: Request) -> Response:
        """End the session. Without one there is nothing to end, and the answer is the same."""
        require_own_origin(request.scope, self._config, "page")
        target = return_path_of(await form_of(request.scope, request.receive, self._config))
        session = await session_of(request.scope, self._services.sessions)
        if session is not None:
            await self._services.lifecycle.logout(session)
        return self._gone(request, target, {"connected": False})

    async def confirm(self, request: Request) -> Response:
        """Ask before disconnecting; or say that nothing is connected."""
        session = await session_of(request.scope, self._services.sessions)
        return render_page(
            "disconnect.html",
            app=app_name(self._config),
            connected=session is not None,
            third_party_apps=THIRD_PARTY_APPS_URL,
        )

    async def disconnect(self, request: Request) -> Response:
        """End the grant: nothing of it is used any more once this has answered."""
        require_own_origin(request.scope, self._config, "page")
        session = await session_of(request.scope, self._services.sessions)
        if session is None:
            raise NotConnected
        confirmed = await self._services.lifecycle.disconnect(session.user)
        return self._gone(request, _DISCONNECTED, {"connected": False, "revoked": confirmed})

    async def session(self, request: Request) -> Response:
        """Who is signed in here and what the connection covers; nothing in it is secret."""
        if not set(header_texts(request.scope, b"sec-fetch-site")) <= {"same-origin", "none"}:
            raise CrossSite("cross_site")
        return Response(json.dumps(await self._session(request)), media_type=_JSON, headers=api_headers())

    async def _session(self, request: Request) -> dict[str, object]:
        session = await session_of(request.scope, self._services.sessions)
        if session is None:
            return {"connected": False}
        grant = await self._services.lifecycle.grant_status(session.user)
        return connection(session.user, grant, self._config)

    def _gone(self, request: Request, target: str, answer: dict[str, object]) -> Response:
        if wants_page(request.scope):
            response = Response(
                status_code=303, headers={**page_headers(style_hashes=()), "location": target}
            )
        else:
            response = Response(json.dumps(answer), media_type=_JSON, headers=api_headers())
        response.headers["clear-site-data"] = _CLEARED
        response.headers.append("set-cookie", expired_cookie(SESSION_COOKIE))
        return response
