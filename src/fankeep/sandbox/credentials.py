"""Makes every unguessable value of the sandbox."""

from __future__ import annotations

import secrets
from uuid import UUID

__all__ = [
    "new_access_token",
    "new_challenge",
    "new_client_id",
    "new_client_secret",
    "new_code",
    "new_refresh_token",
    "new_signing_secret",
]


def new_client_id() -> str:
    """A UUID, as Fanvue's client ids are."""
    return str(UUID(bytes=secrets.token_bytes(16), version=4))


def new_client_secret() -> str:
    """64 hex digits, as Fanvue's client secrets are."""
    return secrets.token_hex(32)


def new_signing_secret() -> str:
    """``whsec_`` and 64 hex digits; the whole string is the HMAC key."""
    return f"whsec_{secrets.token_hex(32)}"


def new_access_token() -> str:
    """An opaque token in Ory Hydra's shape."""
    return _ory("at")


def new_refresh_token() -> str:
    """A refresh token in Ory Hydra's shape."""
    return _ory("rt")


def new_code() -> str:
    """An authorization code in Ory Hydra's shape."""
    return _ory("ac")


def new_challenge() -> str:
    """The handle of a login or consent page, or of a browser's login session."""
    return secrets.token_urlsafe(32)


def _ory(kind: str) -> str:
    return f"ory_{kind}_{secrets.token_urlsafe(32)}.{secrets.token_urlsafe(32)}"
