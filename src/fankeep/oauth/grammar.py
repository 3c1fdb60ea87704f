"""The character classes of RFC 6749 appendix A and RFC 6750, with upper limits on length.

Everything that comes from the network and goes into a header, a form or a row passes one of these. None of
them admits a control character, so that nothing a server sends can add a header line or a log line.
"""

from __future__ import annotations

import re

__all__ = [
    "MAX_CODE_LENGTH",
    "MAX_TOKEN_LENGTH",
    "is_bearer_token",
    "is_code",
    "is_compact_jws",
    "is_error_code",
    "is_scope_token",
    "is_vschar",
]

MAX_TOKEN_LENGTH = 16384
"""Longer than any token seen; an access token near it would not fit into a server's header limit anyway."""

MAX_CODE_LENGTH = 2048

_MAX_WORD_LENGTH = 256

_VSCHAR = re.compile(r"[\x20-\x7e]+")
_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_ERROR_CODE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def is_vschar(text: str, limit: int = MAX_TOKEN_LENGTH) -> bool:
    """Visible ASCII and space, at least one: client ids, secrets, refresh tokens (RFC 6749 appendix A)."""
    return len(text) <= limit and _VSCHAR.fullmatch(text) is not None


def is_code(text: str) -> bool:
    """An authorization code (RFC 6749 A.11)."""
    return is_vschar(text, MAX_CODE_LENGTH)


def is_bearer_token(text: str) -> bool:
    """``b64token``, what may follow ``Bearer`` in a header (RFC 6750 section 2.1)."""
    return len(text) <= MAX_TOKEN_LENGTH and _B64TOKEN.fullmatch(text) is not None


def is_scope_token(text: str) -> bool:
    """One scope (RFC 6749 section 3.3)."""
    return len(text) <= _MAX_WORD_LENGTH and _SCOPE_TOKEN.fullmatch(text) is not None


def is_error_code(text: str) -> bool:
    """An error code (RFC 6749 A.7)."""
    return len(text) <= _MAX_WORD_LENGTH and _ERROR_CODE.fullmatch(text) is not None


def is_compact_jws(text: str) -> bool:
    """Three base64url parts (RFC 7515 section 7.1); an unsigned token's empty third part does not fit."""
    return len(text) <= MAX_TOKEN_LENGTH and _COMPACT_JWS.fullmatch(text) is not None
