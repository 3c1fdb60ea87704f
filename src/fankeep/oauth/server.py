"""The authorization server as pinned data: we are told where it is, we do not ask it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fankeep.errors import ConfigurationError
from fankeep.fanvue import hosts

__all__ = ["JWKS_PATH", "AuthorizationServer", "pinned_server", "require_secure_url"]

JWKS_PATH = "/.well-known/jwks.json"
"""Where Ory Hydra, Fanvue's authorization server, publishes its keys; Fanvue does not document it."""

_MAX_URL_LENGTH = 2048
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/@!$&'()*+,;=%\[\]]+")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """The metadata of RFC 8414 section 2 that a client of the code flow needs.

    Attributes:
        issuer: exactly as configured; compared as a string, never normalised.
        authorization_response_iss_parameter_supported: True makes ``iss`` mandatory in every successful
            callback (RFC 9207 section 2.4).
        issuer_slash_tolerated: also accept the issuer with one trailing slash more or less. The exact
            comparison of RFC 8414 section 3.3 is the default; some servers publish both spellings.

    Raises:
        ConfigurationError: an address is not https (plain http is for loopback names only), or carries user
            information, a query or a fragment.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False
    issuer_slash_tolerated: bool = False

    def __post_init__(self) -> None:
        require_secure_url(self.issuer, "the issuer")
        require_secure_url(self.authorization_endpoint, "the authorization endpoint")
        require_secure_url(self.token_endpoint, "the token endpoint")
        require_secure_url(self.revocation_endpoint, "the revocation endpoint")
        require_secure_url(self.jwks_uri, "the key set's address")

    def is_issuer(self, claimed: str) -> bool:
        """Compare a claimed issuer, from a callback, a discovery document or a token, with the pinned one."""
        if self.issuer_slash_tolerated:
            return claimed.removesuffix("/") == self.issuer.removesuffix("/")
        return claimed == self.issuer


def pinned_server(
    issuer: str = hosts.ISSUER_URL,
    *,
    authorization_response_iss_parameter_supported: bool = False,
    issuer_slash_tolerated: bool = False,
) -> AuthorizationServer:
    """Build the server's metadata from its issuer and Fanvue's known paths.

    Args:
        issuer: the ``FANKEEP_ISSUER_URL``, with or without a trailing slash.
        authorization_response_iss_parameter_supported: see `AuthorizationServer`.
        issuer_slash_tolerated: see `AuthorizationServer`.

    Raises:
        ConfigurationError: the issuer is not a usable address.
    """
    base = issuer.removesuffix("/")
    return AuthorizationServer(
        issuer=issuer,
        authorization_endpoint=base + hosts.AUTHORIZE_PATH,
        token_endpoint=base + hosts.TOKEN_PATH,
        revocation_endpoint=base + hosts.REVOKE_PATH,
        jwks_uri=base + JWKS_PATH,
        authorization_response_iss_parameter_supported=authorization_response_iss_parameter_supported,
        issuer_slash_tolerated=issuer_slash_tolerated,
    )


def require_secure_url(url: str, what: str) -> None:
    """Refuse an address to which a secret must not be sent.

    Args:
        url: an absolute address.
        what: its name for the message; the address itself is never repeated.

    Raises:
        ConfigurationError: it is not https, nor http to a loopback name, or carries more than host and path.
    """
    # The character check comes first: urlsplit drops tabs and line breaks silently.
    if len(url) > _MAX_URL_LENGTH or not _URL_CHARACTERS.fullmatch(url):
        raise ConfigurationError(f"{what} holds characters that its place does not allow")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{what} is not an address") from None
    if not host or parts.username is not None:
        raise ConfigurationError(f"{what} must name a host and no user")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigurationError(f"{what} must be https")


def _is_loopback(host: str) -> bool:
    return host in _LOOPBACK_NAMES or host.endswith(".localhost")
