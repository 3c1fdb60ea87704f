"""The headers that every answer carries, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["BASE_HEADERS", "CALLBACK_HEADERS", "api_headers", "page_headers", "security_headers"]

BASE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        # Not no-referrer: with that, browsers send "Origin: null" with our own forms, and a browser without
        # Sec-Fetch-Site could not sign in. Nothing goes to another origin.
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
    }
)

CALLBACK_HEADERS: Mapping[str, str] = MappingProxyType({"referrer-policy": "no-referrer"})
"""For answers to an address that contains an authorization code (RFC 9700 section 4.2.4)."""

_API_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def security_headers(content_security_policy: str) -> dict[str, str]:
    """The base headers with a content security policy."""
    return {**BASE_HEADERS, "content-security-policy": content_security_policy}


def api_headers() -> dict[str, str]:
    """For answers that are data: nothing in them may load, run or be framed."""
    return security_headers(_API_POLICY)


def page_headers(*, style_hashes: Iterable[str], form_targets: Iterable[str] = ()) -> dict[str, str]:
    """For our own pages: no script, no outside resource, and only the style sheets that they carry.

    Args:
        style_hashes: base64 SHA-256 of each inline style sheet.
        form_targets: origins that a form may end up at. Browsers apply ``form-action`` to redirects after
            the post as well, so the sign-in form has to name the authorization server.
    """
    styles = " ".join(f"'sha256-{digest}'" for digest in style_hashes) or "'none'"
    targets = " ".join(["'self'", *form_targets])
    return security_headers(
        f"default-src 'none'; style-src {styles}; img-src 'self' data:; form-action {targets}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
