"""The OAuth 2.0 and OpenID Connect client protocol as pure functions.

No socket, no clock, no randomness: ``now`` and random bytes are parameters, requests and answers are
values. A round trip is a pair: ``build_x_request`` makes what to send, ``process_x_response`` reads what
came. Two results can be made by their check alone, `VerifiedCallback` and `VerifiedIdToken`, and the step
that follows a check takes nothing else.

A login, in order: `PendingLogin.start`, `build_authorization_url`; then `validate_callback`,
`build_code_request`, `process_token_response`, `verify_id_token`. A refresh: `build_refresh_request`, then
`classify_exchange`, whatever happened. The end: `build_revocation_request`, `process_revocation_response`.
"""

from __future__ import annotations

from fankeep.oauth.authorization import (
    LOGIN_LIFETIME,
    LOGIN_RANDOM_BYTES,
    PendingLogin,
    Prompt,
    build_authorization_url,
)
from fankeep.oauth.callback import CallbackReason, VerifiedCallback, validate_callback
from fankeep.oauth.client import ClientRegistration
from fankeep.oauth.discovery import Difference, build_discovery_request, process_discovery_response
from fankeep.oauth.id_token import IdTokenReason, VerifiedIdToken, verify_id_token
from fankeep.oauth.jwks import SigningKey, SigningKeys, build_jwks_request, process_jwks_response
from fankeep.oauth.outcome_table import OUTCOME_TABLE, Answer, Condition, Outcome, Row
from fankeep.oauth.outcomes import Verdict, classify_exchange
from fankeep.oauth.revocation import build_revocation_request, process_revocation_response
from fankeep.oauth.server import AuthorizationServer, pinned_server
from fankeep.oauth.tokens import (
    TokenResponse,
    build_code_request,
    build_refresh_request,
    process_token_response,
)

__all__ = [
    "LOGIN_LIFETIME",
    "LOGIN_RANDOM_BYTES",
    "OUTCOME_TABLE",
    "Answer",
    "AuthorizationServer",
    "CallbackReason",
    "ClientRegistration",
    "Condition",
    "Difference",
    "IdTokenReason",
    "Outcome",
    "PendingLogin",
    "Prompt",
    "Row",
    "SigningKey",
    "SigningKeys",
    "TokenResponse",
    "Verdict",
    "VerifiedCallback",
    "VerifiedIdToken",
    "build_authorization_url",
    "build_code_request",
    "build_discovery_request",
    "build_jwks_request",
    "build_refresh_request",
    "build_revocation_request",
    "classify_exchange",
    "pinned_server",
    "process_discovery_response",
    "process_jwks_response",
    "process_revocation_response",
    "process_token_response",
    "validate_callback",
    "verify_id_token",
]
