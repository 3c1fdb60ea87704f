"""Authorization codes: single-use, short-lived, bound to client, redirect URI and PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import ClassVar

from fankeep.sandbox.credentials import new_code
from fankeep.sandbox.refusals import Refusal, RefusalKind

__all__ = ["Authorization", "CodeBook", "IssuedCode", "check_challenge", "check_verifier"]

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a creator granted to an app in one run of the authorization endpoint.

    Attributes:
        creator: the creator's uuid.
        auth_time: when the creator signed in, in seconds since 1970.
        reconnect: the creator had authorized this app before.
    """

    client_id: str
    creator: str
    scopes: tuple[str, ...]
    redirect_uri: str
    code_challenge: str
    auth_time: float
    nonce: str | None = None
    reconnect: bool = False


@dataclass(slots=True)
class IssuedCode:
    """A code that was handed out, until it expires or is used."""

    authorization: Authorization
    expires_at: float
    used: bool = False


class CodeBook:
    """The codes that were issued.

    Args:
        lifetime: seconds for which a code is good.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("_codes",)

    def __init__(self, *, lifetime: float) -> None:
        self._lifetime = lifetime
        self._codes: dict[str, IssuedCode] = {}

    def issue(self, authorization: Authorization, *, now: float) -> str:
        """Make a code for an authorization."""
        code = new_code()
        self._codes[code] = IssuedCode(authorization, now + self._lifetime)
        return code

    def was_used(self, code: str) -> bool:
        """Whether this code has been redeemed; then its tokens are to be revoked (RFC 6749, 4.1.2)."""
        issued = self._codes.get(code)
        return issued is not None and issued.used

    def redeem(
        self, code: str, *, client_id: str, redirect_uri: str, verifier: str, now: float
    ) -> Authorization:
        """Spend a code.

        Raises:
            Refusal: ``invalid_grant``; only a code that passes every check is spent.
        """
        issued = self._codes.get(code)
        if issued is None or issued.authorization.client_id != client_id:
            raise Refusal(RefusalKind.INVALID_GRANT)
        if issued.used:
            raise Refusal(RefusalKind.INVALID_GRANT, "The authorization code has already been used.")
        if now >= issued.expires_at:
            raise Refusal(RefusalKind.INVALID_GRANT, "The authorization code has expired.")
        if redirect_uri != issued.authorization.redirect_uri:
            raise Refusal(
                RefusalKind.INVALID_GRANT,
                'The "redirect_uri" from this request does not match the one from the authorize request.',
            )
        check_verifier(verifier, issued.authorization.code_challenge)
        issued.used = True
        return issued.authorization


def check_challenge(challenge: str, method: str) -> None:
    """Demand PKCE with S256 at the authorization endpoint.

    Raises:
        Refusal: ``invalid_request``.
    """
    if not challenge:
        raise Refusal(
            RefusalKind.INVALID_REQUEST,
            "This client must include a code_challenge when performing the authorize code flow, but it is"
            " missing.",
        )
    if method != "S256":
        raise Refusal(
            RefusalKind.INVALID_REQUEST,
            "Clients must use the 'S256' PKCE 'code_challenge_method' but the 'plain' method was requested.",
        )
    if not _CHALLENGE.fullmatch(challenge):
        raise Refusal(RefusalKind.INVALID_REQUEST, "The code_challenge is not a SHA-256 digest in base64url.")


def check_verifier(verifier: str, challenge: str) -> None:
    """Compare a code verifier with the challenge of its authorization request (RFC 7636 section 4.6).

    Raises:
        Refusal: ``invalid_grant``.
    """
    if not _VERIFIER.fullmatch(verifier):
        raise Refusal(
            RefusalKind.INVALID_GRANT,
            "The PKCE code verifier must be 43 to 128 characters of the unreserved set.",
        )
    digest = hashlib.sha256(verifier.encode()).digest()
    if not hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge):
        raise Refusal(RefusalKind.INVALID_GRANT, "The PKCE code challenge did not match the code verifier.")
