"""The connect page, and the start of a sign-in (RFC 6749 section 4.1.1)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import HostileInputError
from fankeep.fanvue.hosts import THIRD_PARTY_APPS_URL
from fankeep.fanvue.scopes import SCOPES
from fankeep.gateway.browser import cookies_of, form_of, query_of, require_own_origin, session_of
from fankeep.gateway.pages import render_page
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.oauth import LOGIN_LIFETIME, LOGIN_RANDOM_BYTES, PendingLogin, Prompt, build_authorization_url
from fankeep.policy import ReturnPath, page_headers, parse_return_path, set_cookie
from fankeep.telemetry import get_logger, metrics

__all__ = ["Connect", "app_name", "return_path_of"]

log = get_logger("fankeep.gateway")

_HOME: Final = "/"
_ENDED: Final = "The connection to Fanvue has ended. Connect again to go on."
_CONNECTED: Final = "You are connected. Connecting again renews the connection."


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    sentence: str
    acts: bool


class Connect:
    """``GET`` and ``POST /auth/login``."""

    def __init__(self, config: GatewayConfig, services: GatewayServices) -> None:
        self._config = config
        self._services = services

    async def page(self, request: Request) -> Response:
        """Say in plain words what the app will be able to do, and offer to go on."""
        return_to = return_path_of(query_of(request.scope))
        known = [SCOPES[name] for name in self._config.client.scopes if name in SCOPES]
        issuer = urlsplit(self._config.server.authorization_endpoint)
        return render_page(
            "connect.html",
            form_target=f"{issuer.scheme}://{issuer.netloc}",
            app=app_name(self._config),
            third_party_apps=THIRD_PARTY_APPS_URL,
            return_to=return_to,
            notice=await self._notice(request),
            scopes=[
                _Line(scope.name, scope.sentence, scope.name.startswith("write:"))
                for scope in known
                if scope.kind == "app"
            ],
            upkeep=_in_words([scope.sentence for scope in known if scope.kind == "system"]),
        )

    async def start(self, request: Request) -> Response:
        """Begin a sign-in: what it needs goes sealed into a cookie, and the browser goes to Fanvue."""
        require_own_origin(request.scope, self._config, "page")
        form = await form_of(request.scope, request.receive, self._config)
        now = time.time()
        login = PendingLogin.start(
            secrets.token_bytes(LOGIN_RANDOM_BYTES),
            return_path=return_path_of(form),
            now=now,
            prompt=_prompt(form),
        )
        name, value = self._services.logins.put(login, cookies_of(request.scope), now=now)
        address = build_authorization_url(self._config.server, self._config.client, login)
        headers = {**page_headers(style_hashes=()), "location": address}
        # 303: the browser must not post the form again over there (RFC 9700 section 4.12).
        response = Response(status_code=303, headers=headers)
        response.headers.append("set-cookie", set_cookie(name, value, max_age=int(LOGIN_LIFETIME)))
        metrics.LOGINS.add(outcome="started")
        log.info("login_started", prompt=login.prompt)
        return response

    async def _notice(self, request: Request) -> str | None:
        session = await session_of(request.scope, self._services.sessions)
        if session is None:
            return None
        grant = await self._services.lifecycle.grant_status(session.user)
        return _ENDED if grant is None or grant.state == "dead" else _CONNECTED


def app_name(config: GatewayConfig) -> str:
    """What the app is called on our pages: the host that people see in the address bar."""
    return urlsplit(config.public_origin).hostname or config.public_origin


def return_path_of(parameters: dict[str, str]) -> ReturnPath:
    """Where the browser goes afterwards.

    Raises:
        HostileInputError: the path is not a local one.
    """
    return parse_return_path(parameters.get("return_to", _HOME))


def _prompt(form: dict[str, str]) -> Prompt | None:
    match form.get("prompt"):
        case None:
            return None
        case "login":
            return "login"
        case _:
            raise HostileInputError("prompt_unknown")


def _in_words(sentences: list[str]) -> str:
    if len(sentences) < 2:
        return "".join(sentences)
    return f"{', '.join(sentences[:-1])} and {sentences[-1]}"
