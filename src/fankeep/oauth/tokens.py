"""The token endpoint: code exchange and refresh (RFC 6749 sections 4.1.3, 5.1 and 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from fankeep.errors import TransportError
from fankeep.oauth.callback import VerifiedCallback
from fankeep.oauth.client import ClientRegistration
from fankeep.oauth.client_auth import build_authenticated_post
from fankeep.oauth.grammar import is_bearer_token, is_scope_token, is_vschar
from fankeep.oauth.server import AuthorizationServer
from fankeep.oauth.wire import decode_json, refused, successful
from fankeep.secret import Secret
from fankeep.types import HttpRequest, HttpResponse

__all__ = [
    "DEFAULT_LIFETIME",
    "MAX_LIFETIME",
    "MIN_LIFETIME",
    "TokenResponse",
    "build_code_request",
    "build_refresh_request",
    "parse_token_response",
    "process_token_response",
]

DEFAULT_LIFETIME: Final = 3600.0
MIN_LIFETIME: Final = 1.0
MAX_LIFETIME: Final = 86400.0

_MAX_SCOPES = 256
_DIGITS = re.compile(r"[0-9]{1,12}")  # some servers write the number as a string


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful answer of the token endpoint (RFC 6749 section 5.1).

    Attributes:
        access_token: safe to put after ``Bearer`` in a header.
        refresh_token: None when the server sent none; the one we hold then stays (RFC 6749 section 6).
        expires_in: seconds, between `MIN_LIFETIME` and `MAX_LIFETIME`; `DEFAULT_LIFETIME` when not said.
        scopes: as granted, each once; None when not said, which means as requested.
        id_token: not verified.
    """

    access_token: Secret[str]
    refresh_token: Secret[str] | None
    expires_in: float
    scopes: tuple[str, ...] | None
    id_token: Secret[str] | None


class _TokenBody(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    refresh_token: str | None = None
    expires_in: float | str | None = None
    scope: str | None = None
    id_token: str | None = None


def build_code_request(
    server: AuthorizationServer,
    client: ClientRegistration,
    client_secret: Secret[str],
    callback: VerifiedCallback,
) -> HttpRequest:
    """Build the exchange of a code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    Raises:
        ValueError: the callback was checked against another server.
    """
    if callback.issuer != server.issuer:
        raise ValueError("the callback was verified for another authorization server")
    form = {
        "grant_type": "authorization_code",
        "code": callback.code.reveal(),
        "redirect_uri": client.redirect_uri,
        "code_verifier": callback.login.verifier.reveal(),
    }
    return build_authenticated_post(server.token_endpoint, client, client_secret, form)


def build_refresh_request(
    server: AuthorizationServer,
    client: ClientRegistration,
    client_secret: Secret[str],
    refresh_token: Secret[str],
) -> HttpRequest:
    """Build a refresh (RFC 6749 section 6).

    There is no ``scope``: the server answers 400 to a list that is longer than what was granted, and without
    one it grants the same again.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return build_authenticated_post(server.token_endpoint, client, client_secret, form)


def process_token_response(response: HttpResponse) -> TokenResponse:
    """Read the answer of the token endpoint.

    Raises:
        TransportError: a 2xx that cannot be used. The server may have spent the code or the refresh token,
            so ``outcome_unknown`` is True.
        ProviderError: any other status. What it means for a grant is said by `fankeep.oauth.outcomes`.
    """
    if not successful(response):
        raise refused(response)
    tokens = parse_token_response(response.body)
    if tokens is None:
        raise TransportError("the token endpoint's answer cannot be used", outcome_unknown=True)
    return tokens


def parse_token_response(body: bytes) -> TokenResponse | None:
    """Read the body of a 2xx answer.

    A wrong type, a character that a token cannot have, or another token type makes the whole answer unusable.
    What matters less does not, since refusing it would throw away a rotated token: a lifetime out of range is
    clamped, a word that is no scope is left out, an id_token is looked at by whoever needs it.

    Returns:
        The tokens, or None when the answer cannot be used.
    """
    raw = decode_json(body, _TokenBody)
    if raw is None or raw.token_type.lower() != "bearer" or not is_bearer_token(raw.access_token):
        return None
    if raw.refresh_token and not is_vschar(raw.refresh_token):
        return None
    return TokenResponse(
        access_token=Secret(raw.access_token),
        refresh_token=_secret(raw.refresh_token),
        expires_in=_lifetime(raw.expires_in),
        scopes=_split_scope(raw.scope),
        id_token=_secret(raw.id_token),
    )


def _secret(text: str | None) -> Secret[str] | None:
    """Servers that have nothing to give send null, an empty string, or no member at all."""
    return Secret(text) if text else None


def _split_scope(scope: str | None) -> tuple[str, ...] | None:
    """Split at spaces (RFC 6749 section 3.3); an empty string is a grant of no scope at all."""
    if scope is None:
        return None
    return tuple(dict.fromkeys(filter(is_scope_token, scope.split(" "))))[:_MAX_SCOPES]


def _lifetime(expires_in: float | str | None) -> float:
    if isinstance(expires_in, str):
        expires_in = float(expires_in) if _DIGITS.fullmatch(expires_in) else None
    return DEFAULT_LIFETIME if expires_in is None else min(max(expires_in, MIN_LIFETIME), MAX_LIFETIME)
