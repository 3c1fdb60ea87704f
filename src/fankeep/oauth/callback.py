"""The authorization response, checked before anything is done with it (RFC 6749 section 4.1.2, RFC 9207)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Final, Literal, NoReturn, TypeAlias

from fankeep.errors import CallbackError
from fankeep.oauth.authorization import PendingLogin
from fankeep.oauth.grammar import is_code
from fankeep.oauth.query import parse_query
from fankeep.oauth.server import AuthorizationServer
from fankeep.secret import Secret

__all__ = ["CallbackReason", "VerifiedCallback", "validate_callback"]

CallbackReason: TypeAlias = Literal[
    "query_malformed",
    "state_missing",
    "state_unknown",
    "state_expired",
    "issuer_missing",
    "issuer_mismatch",
    "unexpected_parameter",
    "code_missing",
    "code_malformed",
    "access_denied",
    "interaction_required",
    "request_refused",
    "provider_unavailable",
    "provider_error",
]
"""Every ``reason`` of a `CallbackError` that `validate_callback` raises."""

_ERROR_REASONS: Final[Mapping[str, CallbackReason]] = {
    # RFC 6749 section 4.1.2.1
    "access_denied": "access_denied",
    "invalid_request": "request_refused",
    "invalid_scope": "request_refused",
    "unauthorized_client": "request_refused",
    "unsupported_response_type": "request_refused",
    "server_error": "provider_unavailable",
    "temporarily_unavailable": "provider_unavailable",
    # OpenID Connect Core section 3.1.2.6
    "account_selection_required": "interaction_required",
    "consent_required": "interaction_required",
    "interaction_required": "interaction_required",
    "login_required": "interaction_required",
}
"""What the server says, as a fixed word of ours; any other code is ``provider_error``."""

_FOREIGN_RESPONSES = frozenset({"access_token", "id_token", "response", "token"})
"""Answers of the implicit and hybrid flows and of JARM: we never ask for them, so nobody may send them."""

_PROOF: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """A callback that belongs to a login of ours; only `validate_callback` makes one.

    The token request takes nothing else, so a state check cannot be forgotten. ``dataclasses.replace`` does
    not work on it either.

    Attributes:
        code: the authorization code, single use.
        login: the pending login whose state came back.
        issuer: the server that answered; the code is sent to no other (RFC 9700 section 4.4).
    """

    code: Secret[str]
    login: PendingLogin
    issuer: str
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a VerifiedCallback is made by validate_callback alone")

    @property
    def return_path(self) -> str:
        """Where the browser goes next; a path of our own origin."""
        return self.login.return_path


def validate_callback(
    query: bytes, candidates: Sequence[PendingLogin], *, now: float, server: AuthorizationServer
) -> VerifiedCallback:
    """Check an authorization response.

    The state comes first: nothing else of a callback is looked at until it is tied to this browser.

    Args:
        query: the raw query string, without the question mark.
        candidates: the pending logins of this browser, from its own cookies.
        now: seconds since 1970.
        server: the pinned server; its issuer is compared with ``iss``.

    Raises:
        CallbackError: with one of `CallbackReason`. No text of the callback is kept.

    Security:
        A state must be used once. This function is pure and cannot know; record the state's hash by a unique
        insert before the token request (RFC 9700 section 4.7).
    """
    parameters = parse_query(query)
    login = _login_of(parameters.get("state"), candidates)
    if login.expired(now):
        _refuse("state_expired")
    issuer = parameters.get("iss")
    if issuer is not None and not server.is_issuer(issuer):
        _refuse("issuer_mismatch")
    if "error" in parameters:
        _refuse(_ERROR_REASONS.get(parameters["error"], "provider_error"))
    # After the error: real servers leave iss out of error answers, and a refusal is a refusal from anyone.
    if issuer is None and server.authorization_response_iss_parameter_supported:
        _refuse("issuer_missing")
    return VerifiedCallback(code=_code_of(parameters), login=login, issuer=server.issuer, proof=_PROOF)


def _login_of(state: str | None, candidates: Sequence[PendingLogin]) -> PendingLogin:
    """Find the login by its state, looking at every candidate in constant time."""
    if state is None:
        _refuse("state_missing")
    claimed = state.encode("utf-8")
    found = None
    for candidate in candidates:
        if hmac.compare_digest(candidate.state.reveal().encode("ascii"), claimed):
            found = candidate
    if found is None:
        _refuse("state_unknown")
    return found


def _code_of(parameters: Mapping[str, str]) -> Secret[str]:
    if not _FOREIGN_RESPONSES.isdisjoint(parameters):
        _refuse("unexpected_parameter")
    code = parameters.get("code")
    if code is None:
        _refuse("code_missing")
    if not is_code(code):
        _refuse("code_malformed")
    return Secret(code)


def _refuse(reason: CallbackReason) -> NoReturn:
    raise CallbackError(reason)
