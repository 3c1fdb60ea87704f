"""Where Fanvue sends the browser back to (RFC 6749 section 4.1.2)."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import CallbackError, FankeepError, RetryableError
from fankeep.gateway.browser import cookies_of
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.oauth import PendingLogin, VerifiedCallback, validate_callback
from fankeep.policy import CALLBACK_HEADERS, SESSION_COOKIE, expired_cookie, page_headers, set_cookie
from fankeep.secret import Secret
from fankeep.telemetry import get_logger, metrics

__all__ = ["Callback"]

log = get_logger("fankeep.gateway")

_PAUSE = 2.0
_REFUSED_BY_USER = frozenset({"access_denied", "interaction_required"})


class LoginRefused(CallbackError):
    """The creator did not approve the connection."""

    code = "login_refused"


class Callback:
    """``GET /auth/callback``.

    Security:
        The order matters: the state is tied to this browser's cookie, then used up, and only then is
        anything sent to the token endpoint. Only so many are sent at once: anybody can begin sign-ins and
        come back with made-up codes, and the same endpoint refreshes every creator's tokens.
    """

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        self._config = config
        self._services = services
        self._under_way = 0

    async def finish(self, request: Request) -> Response:
        """Complete a sign-in and send the browser on, so that the code leaves its address bar."""
        try:
            response = await self._finish(request)
        except CallbackError as error:
            refused = error.reason in _REFUSED_BY_USER
            metrics.LOGINS.add(outcome="refused" if refused else "failed")
            if refused:
                raise LoginRefused(error.reason) from None
            raise
        except FankeepError:
            metrics.LOGINS.add(outcome="failed")
            raise
        metrics.LOGINS.add(outcome="connected")
        return response

    async def _finish(self, request: Request) -> Response:
        cookies = cookies_of(request.scope)
        pending = self._services.logins.read(cookies)
        callback = validate_callback(
            request.scope["query_string"],
            list(pending.values()),
            now=time.time(),
            server=self._config.server,
        )
        session_id = await self._complete(callback, cookies.get(SESSION_COOKIE))
        return self._onward(callback, _cookie_of(pending, callback.login), session_id)

    async def _complete(self, callback: VerifiedCallback, replaces: Secret[str] | None) -> Secret[str]:
        if self._under_way >= self._config.limits.sign_ins:
            # Nothing was used up yet: the same address works when it is loaded again.
            raise RetryableError("too many sign-ins are under way", retry_after=_PAUSE)
        self._under_way += 1
        try:
            if not await self._services.sessions.use_state(callback.login.state):
                raise CallbackError("state_used")
            connected = await self._services.lifecycle.connect(callback)
            session_id = await self._services.sessions.start(connected.user, replaces=replaces)
        finally:
            self._under_way -= 1
        log.info("login_completed", user=connected.user)
        return session_id

    def _onward(self, callback: VerifiedCallback, used: str, session_id: Secret[str]) -> Response:
        headers = {**page_headers(style_hashes=()), **CALLBACK_HEADERS, "location": callback.return_path}
        response = Response(status_code=303, headers=headers)
        lifetime = int(self._services.sessions.limits.absolute)
        response.headers.append("set-cookie", set_cookie(SESSION_COOKIE, session_id, max_age=lifetime))
        response.headers.append("set-cookie", expired_cookie(used))
        return response


def _cookie_of(pending: dict[str, PendingLogin], login: PendingLogin) -> str:
    return next(name for name, candidate in pending.items() if candidate is login)
