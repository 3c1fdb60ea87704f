"""Proof Key for Code Exchange (RFC 7636), method S256 alone."""

from __future__ import annotations

import base64
import hashlib

from fankeep.secret import Secret

__all__ = ["VERIFIER_RANDOM_BYTES", "base64url", "calculate_code_challenge", "make_code_verifier"]

VERIFIER_RANDOM_BYTES = 32


def make_code_verifier(random_bytes: bytes) -> Secret[str]:
    """Turn random bytes into a code verifier of 43 characters (RFC 7636 section 4.1).

    Args:
        random_bytes: exactly 32 bytes from a cryptographic source, used for nothing else.

    Raises:
        ValueError: another number of bytes.
    """
    if len(random_bytes) != VERIFIER_RANDOM_BYTES:
        raise ValueError("a code verifier is made from exactly 32 random bytes")
    return Secret(base64url(random_bytes))


def calculate_code_challenge(verifier: Secret[str]) -> str:
    """Hash a verifier for the authorization request (RFC 7636 section 4.2); the challenge is public."""
    return base64url(hashlib.sha256(verifier.reveal().encode("ascii")).digest())


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7636 appendix A)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
