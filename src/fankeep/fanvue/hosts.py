"""Where Fanvue is: origins, paths, and the header that names the API's version."""

from __future__ import annotations

__all__ = [
    "API_URL",
    "API_VERSION",
    "API_VERSION_HEADER",
    "AUTHORIZE_PATH",
    "DISCOVERY_PATH",
    "ISSUER_URL",
    "REVOKE_PATH",
    "THIRD_PARTY_APPS_URL",
    "TOKEN_PATH",
]

ISSUER_URL = "https://auth.fanvue.com"
AUTHORIZE_PATH = "/oauth2/auth"
TOKEN_PATH = "/oauth2/token"  # noqa: S105  a path, not a token
REVOKE_PATH = "/oauth2/revoke"
DISCOVERY_PATH = "/.well-known/openid-configuration"
"""Compared with the values above, never obeyed; start-up does not need it."""

API_URL = "https://api.fanvue.com"
API_VERSION_HEADER = "x-fanvue-api-version"
API_VERSION = "2025-06-26"
"""The only known version. Without the header the API answers 400, for a retired version 410."""

THIRD_PARTY_APPS_URL = "https://www.fanvue.com/settings/account/third-party-apps"
"""Where a creator takes an app's access back."""
