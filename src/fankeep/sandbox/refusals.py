"""The authorization server's errors, in Ory Hydra's words."""

from __future__ import annotations

from enum import Enum

__all__ = ["Refusal", "RefusalKind"]


class RefusalKind(Enum):
    """An error code of RFC 6749 (or OpenID Connect) with its status and Hydra's fixed description."""

    INVALID_REQUEST = (
        "invalid_request",
        400,
        (
            "The request is missing a required parameter, includes an invalid parameter value, includes a"
            " parameter more than once, or is otherwise malformed."
        ),
    )
    INVALID_CLIENT = (
        "invalid_client",
        401,
        (
            "Client authentication failed (e.g., unknown client, no client authentication included, or"
            " unsupported authentication method)."
        ),
    )
    INVALID_GRANT = (
        "invalid_grant",
        400,
        (
            "The provided authorization grant (e.g., authorization code, resource owner credentials) or"
            " refresh token is invalid, expired, revoked, does not match the redirection URI used in the"
            " authorization request, or was issued to another client."
        ),
    )
    UNAUTHORIZED_CLIENT = (
        "unauthorized_client",
        400,
        "The client is not authorized to request a token using this method.",
    )
    UNSUPPORTED_GRANT_TYPE = (
        "unsupported_grant_type",
        400,
        "The authorization grant type is not supported by the authorization server.",
    )
    UNSUPPORTED_RESPONSE_TYPE = (
        "unsupported_response_type",
        400,
        "The authorization server does not support obtaining a token using this method.",
    )
    INVALID_SCOPE = ("invalid_scope", 400, "The requested scope is invalid, unknown, or malformed.")
    INVALID_STATE = (
        "invalid_state",
        400,
        "The state is missing or does not have enough characters and is therefore considered too weak.",
    )
    ACCESS_DENIED = (
        "access_denied",
        403,
        "The resource owner or authorization server denied the request.",
    )
    LOGIN_REQUIRED = (
        "login_required",
        400,
        "The Authorization Server requires End-User authentication.",
    )
    CONSENT_REQUIRED = ("consent_required", 400, "The Authorization Server requires End-User consent.")
    TOKEN_INACTIVE = (
        "request_unauthorized",
        401,
        "The request could not be authorized. Check that you provided valid credentials in the right format.",
    )

    def __init__(self, code: str, status: int, text: str) -> None:
        self.code = code
        self.status = status
        self.text = text


class Refusal(Exception):
    """A request that the authorization server refuses; becomes its JSON answer or its error redirect.

    Attributes:
        kind: which error.
        hint: what Hydra adds to the fixed description; may be empty.
    """

    def __init__(self, kind: RefusalKind, hint: str = "") -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.hint = hint

    @property
    def description(self) -> str:
        """The ``error_description``: the fixed text and the hint."""
        return f"{self.kind.text} {self.hint}".rstrip()

    @property
    def fields(self) -> dict[str, str]:
        """The answer's members (RFC 6749 section 5.2)."""
        return {"error": self.kind.code, "error_description": self.description}
