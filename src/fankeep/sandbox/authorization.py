"""The authorization endpoint (RFC 6749 section 3.1): checks a request, answers once a person decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

from fankeep.fanvue.limits import STATE_MIN_LENGTH
from fankeep.fanvue.scopes import FIXED_SCOPES
from fankeep.sandbox.apps import App
from fankeep.sandbox.codes import Authorization, check_challenge
from fankeep.sandbox.consents import AuthorizationRequest, Login
from fankeep.sandbox.loopback import is_loopback_name
from fankeep.sandbox.needles import Needle
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["AuthorizationServer", "Reply", "Unredirectable"]

_MODES = ("query", "form_post")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the app through the browser.

    Attributes:
        fields: ``code``, ``scope`` and ``state``, or ``error``, ``error_description`` and ``state``.
    """

    redirect_uri: str
    response_mode: str
    fields: Mapping[str, str] = field(repr=False)

    @property
    def location(self) -> str:
        """The redirect URI with the fields in its query."""
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(self.fields)}"


class Unredirectable(Refusal):
    """A request that names no registered app or redirect URI: shown to the person, never sent on."""


class AuthorizationServer:
    """Decides about authorization requests; pages and the control API ask it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def accept(self, params: Mapping[str, str]) -> AuthorizationRequest | Reply:
        """Check the parameters of an authorization request.

        Returns:
            The request, or the error that the app gets.

        Raises:
            Unredirectable: client or redirect URI are not registered.
        """
        app = self._app(params)
        redirect_uri = params.get("redirect_uri", "")
        if redirect_uri not in app.redirect_uris:
            raise Unredirectable(
                RefusalKind.INVALID_REQUEST,
                "The 'redirect_uri' parameter does not match any of the OAuth 2.0 Client's pre-registered"
                " redirect urls.",
            )
        self._check_security(redirect_uri)
        state = params.get("state", "")
        mode = params.get("response_mode", "query")
        self._sandbox.needles.add(Needle.STATE, state)
        self._sandbox.needles.add(Needle.NONCE, params.get("nonce"))
        try:
            self._check(params, app, state, mode)
        except Refusal as refusal:
            return _error(redirect_uri, mode, state, refusal)
        return AuthorizationRequest(
            client_id=app.client_id,
            redirect_uri=redirect_uri,
            scopes=tuple(dict.fromkeys(params.get("scope", "").split())),
            state=state,
            code_challenge=params.get("code_challenge", ""),
            nonce=params.get("nonce"),
            prompts=frozenset(params.get("prompt", "").split()),
            response_mode=mode,
        )

    def needs_login(self, request: AuthorizationRequest, login: Login | None) -> bool:
        """Whether a person has to sign in first."""
        return login is None or "login" in request.prompts

    def needs_consent(self, request: AuthorizationRequest, login: Login) -> bool:
        """Whether the consent page has to be shown; a consent once given is not asked for again."""
        granted = self._sandbox.consents.granted(creator=login.creator, client_id=request.client_id)
        return "consent" in request.prompts or not granted.issuperset(request.scopes) or not granted

    def approve(self, request: AuthorizationRequest, login: Login, scopes: Iterable[str]) -> Reply:
        """The creator agreed.

        Args:
            request: what the app asked for.
            login: who agreed.
            scopes: what was agreed to; the system scopes of the request come along.
        """
        chosen = set(scopes)
        granted = tuple(scope for scope in request.scopes if scope in chosen or scope in FIXED_SCOPES)
        known = self._sandbox.consents.granted(creator=login.creator, client_id=request.client_id)
        self._sandbox.consents.grant(creator=login.creator, client_id=request.client_id, scopes=granted)
        authorization = Authorization(
            client_id=request.client_id,
            creator=login.creator,
            scopes=granted,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            auth_time=login.at,
            nonce=request.nonce,
            reconnect=bool(known),
        )
        code = self._sandbox.codes.issue(authorization, now=self._sandbox.now())
        self._sandbox.needles.add(Needle.AUTHORIZATION_CODE, code)
        fields = {"code": code, "scope": " ".join(granted), "state": request.state}
        return Reply(request.redirect_uri, request.response_mode, fields)

    def deny(self, request: AuthorizationRequest, kind: RefusalKind, hint: str = "") -> Reply:
        """The creator declined, or the request may not be shown to anybody (``prompt=none``)."""
        return _error(request.redirect_uri, request.response_mode, request.state, Refusal(kind, hint))

    @staticmethod
    def signed_in(request: AuthorizationRequest) -> AuthorizationRequest:
        """The request after the sign-in that it asked for."""
        return replace(request, prompts=request.prompts - {"login"})

    def _app(self, params: Mapping[str, str]) -> App:
        app = self._sandbox.apps.get(params.get("client_id", ""))
        if app is None:
            raise Unredirectable(RefusalKind.INVALID_CLIENT, "The requested OAuth 2.0 Client does not exist.")
        return app

    def _check_security(self, redirect_uri: str) -> None:
        parts = urlsplit(redirect_uri)
        allowed = self._sandbox.settings.switches.http_redirect_uris and is_loopback_name(parts.hostname)
        if parts.scheme == "http" and not allowed:
            raise Unredirectable(
                RefusalKind.INVALID_REQUEST,
                "Redirect URL is using an insecure protocol, http is only allowed for hosts with suffix"
                " 'localhost', for example: http://myapp.localhost/.",
            )

    @staticmethod
    def _check(params: Mapping[str, str], app: App, state: str, mode: str) -> None:
        if mode not in _MODES:
            raise Refusal(RefusalKind.INVALID_REQUEST, "The response_mode is not supported.")
        if params.get("response_type") != "code":
            raise Refusal(RefusalKind.UNSUPPORTED_RESPONSE_TYPE)
        if len(state) < STATE_MIN_LENGTH:
            raise Refusal(
                RefusalKind.INVALID_STATE,
                f"Request parameter 'state' must be at least be {STATE_MIN_LENGTH} characters long to ensure"
                " sufficient entropy.",
            )
        for scope in params.get("scope", "").split():
            if scope not in app.scopes:
                raise Refusal(
                    RefusalKind.INVALID_SCOPE,
                    f"The OAuth 2.0 Client is not allowed to request scope '{scope[:64]}'.",
                )
        check_challenge(params.get("code_challenge", ""), params.get("code_challenge_method", "plain"))


def _error(redirect_uri: str, mode: str, state: str, refusal: Refusal) -> Reply:
    fields = {**refusal.fields, "state": state}
    return Reply(redirect_uri, mode if mode in _MODES else "query", fields)
