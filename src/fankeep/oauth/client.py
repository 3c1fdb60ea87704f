"""This app as the authorization server knows it."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.errors import ConfigurationError
from fankeep.oauth.grammar import is_scope_token, is_vschar
from fankeep.oauth.server import require_secure_url

__all__ = ["ClientRegistration"]

_MAX_CLIENT_ID_LENGTH = 256


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """A confidential client (RFC 6749 section 2). The secret is not here: it has versions and rotates.

    Attributes:
        redirect_uri: the same constant in the authorization request and the token request (RFC 9700
            section 4.1); it comes from settings, never from a request.
        scopes: what is asked for at each login, in this order.

    Raises:
        ConfigurationError: a value that cannot be sent.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not is_vschar(self.client_id, _MAX_CLIENT_ID_LENGTH):
            raise ConfigurationError(
                "the client id is empty or holds characters that a client id cannot have"
            )
        require_secure_url(self.redirect_uri, "the redirect address")
        if not self.scopes or len(set(self.scopes)) != len(self.scopes):
            raise ConfigurationError("the scopes are empty or name one twice")
        if not all(is_scope_token(scope) for scope in self.scopes):
            raise ConfigurationError("a scope holds characters that a scope cannot have")
