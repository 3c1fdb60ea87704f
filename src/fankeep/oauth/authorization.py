"""The authorization request, and what we remember until its answer comes (RFC 6749 section 4.1.1)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from fankeep.errors import CallbackError
from fankeep.oauth.client import ClientRegistration
from fankeep.oauth.pkce import VERIFIER_RANDOM_BYTES, base64url, calculate_code_challenge, make_code_verifier
from fankeep.oauth.server import AuthorizationServer
from fankeep.secret import Secret

__all__ = ["LOGIN_LIFETIME", "LOGIN_RANDOM_BYTES", "PendingLogin", "Prompt", "build_authorization_url"]

LOGIN_LIFETIME = 600.0
"""Seconds in which a login must come back."""

LOGIN_RANDOM_BYTES = 3 * VERIFIER_RANDOM_BYTES
"""What `PendingLogin.start` needs: a third each for state, nonce and verifier."""

Prompt: TypeAlias = Literal["login", "consent"]
"""OpenID Connect Core section 3.1.2.1. ``login`` makes Fanvue ask for a fresh sign-in."""

_CLOCK_SKEW = 60.0
_MAX_RETURN_PATH_LENGTH = 1024
_RANDOM_TEXT = re.compile(r"[A-Za-z0-9_-]{43}")
# A second slash or a backslash would make a browser read the path as another host.
_LOCAL_PATH = re.compile(r"/(?:[\x21-\x2e\x30-\x5b\x5d-\x7e][\x21-\x5b\x5d-\x7e]*)?")


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that has started and not yet come back; sealed into a cookie of the browser that started it.

    Attributes:
        state: ties the callback to the browser (RFC 9700 section 4.7).
        nonce: ties the id_token to this login (OpenID Connect Core section 3.1.2.1).
        verifier: ties the code to this login (RFC 7636).
        return_path: where the app wants the browser afterwards; a path of our own origin.
        created_at: seconds since 1970.

    Raises:
        ValueError: a member that `start` would never make.
    """

    state: Secret[str]
    nonce: Secret[str]
    verifier: Secret[str]
    return_path: str
    created_at: float
    prompt: Prompt | None = None

    def __post_init__(self) -> None:
        for text in (self.state, self.nonce, self.verifier):
            if not _RANDOM_TEXT.fullmatch(text.reveal()):
                raise ValueError("state, nonce and verifier are 43 base64url characters each")
        if len(self.return_path) > _MAX_RETURN_PATH_LENGTH or not _LOCAL_PATH.fullmatch(self.return_path):
            raise ValueError("the return path is not a path of this origin")
        if not math.isfinite(self.created_at):
            raise ValueError("created_at is not a time")

    @classmethod
    def start(
        cls, random_bytes: bytes, *, return_path: str, now: float, prompt: Prompt | None = None
    ) -> PendingLogin:
        """Begin a login.

        Args:
            random_bytes: `LOGIN_RANDOM_BYTES` from a cryptographic source, used for nothing else.
            return_path: printable ASCII, one leading slash, at most 1024 characters.
            now: seconds since 1970.
            prompt: asked of the authorization server; None leaves the choice to it.

        Raises:
            ValueError: another number of bytes, or a return path that leaves this origin.
        """
        if len(random_bytes) != LOGIN_RANDOM_BYTES:
            raise ValueError("a login is made from exactly 96 random bytes")
        third = VERIFIER_RANDOM_BYTES
        return cls(
            state=Secret(base64url(random_bytes[:third])),
            nonce=Secret(base64url(random_bytes[third : 2 * third])),
            verifier=make_code_verifier(random_bytes[2 * third :]),
            return_path=return_path,
            created_at=now,
            prompt=prompt,
        )

    def expired(self, now: float) -> bool:
        """Say whether it is older than `LOGIN_LIFETIME`, or from further ahead than two clocks may differ."""
        return not -_CLOCK_SKEW <= now - self.created_at < LOGIN_LIFETIME

    def encode(self) -> bytes:
        """Encode for sealing; at most 1200 bytes.

        Security:
            The result holds the verifier in clear. Seal it before it leaves the process.
        """
        return msgspec.msgpack.encode(
            _EncodedLogin(
                state=self.state.reveal(),
                nonce=self.nonce.reveal(),
                verifier=self.verifier.reveal(),
                return_path=self.return_path,
                created_at=self.created_at,
                prompt=self.prompt,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> PendingLogin:
        """Decode what `encode` made.

        Raises:
            CallbackError: anything else, with reason ``login_malformed``.
        """
        try:
            encoded = msgspec.msgpack.decode(data, type=_EncodedLogin, strict=True)
            return cls(
                state=Secret(encoded.state),
                nonce=Secret(encoded.nonce),
                verifier=Secret(encoded.verifier),
                return_path=encoded.return_path,
                created_at=encoded.created_at,
                prompt=encoded.prompt,
            )
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise CallbackError("login_malformed") from None


class _EncodedLogin(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1):
    """Format 1: an array of the format number and the members in this order."""

    state: str
    nonce: str
    verifier: str
    return_path: str
    created_at: float
    prompt: Prompt | None


def build_authorization_url(
    server: AuthorizationServer, client: ClientRegistration, pending: PendingLogin
) -> str:
    """Build the address to which the browser is sent (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    Security:
        The address holds state and nonce: redirect to it, do not log it.
    """
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": " ".join(client.scopes),
        "state": pending.state.reveal(),
        "nonce": pending.nonce.reveal(),
        "code_challenge": calculate_code_challenge(pending.verifier),
        "code_challenge_method": "S256",
    }
    if pending.prompt is not None:
        parameters["prompt"] = pending.prompt
    return f"{server.authorization_endpoint}?{urlencode(parameters, quote_via=quote)}"
