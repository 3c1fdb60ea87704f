"""Token revocation (RFC 7009)."""

from __future__ import annotations

from typing import Literal

from fankeep.errors import RetryableError
from fankeep.oauth.client import ClientRegistration
from fankeep.oauth.client_auth import build_authenticated_post
from fankeep.oauth.retry_after import parse_retry_after
from fankeep.oauth.server import AuthorizationServer
from fankeep.oauth.wire import error_code, refused
from fankeep.secret import Secret
from fankeep.types import HttpRequest, HttpResponse

__all__ = ["build_revocation_request", "process_revocation_response"]

_PASSING = frozenset({None, "temporarily_unavailable"})


def build_revocation_request(
    server: AuthorizationServer,
    client: ClientRegistration,
    client_secret: Secret[str],
    token: Secret[str],
    *,
    token_type_hint: Literal["refresh_token", "access_token"] = "refresh_token",  # noqa: S107 - not a password
) -> HttpRequest:
    """Build the revocation of a token (RFC 7009 section 2.1).

    Revoking a refresh token ends its whole chain. Revoking one that is already spent answers 200 and does
    nothing, so it must be the newest.
    """
    form = {"token": token.reveal(), "token_type_hint": token_type_hint}
    return build_authenticated_post(server.revocation_endpoint, client, client_secret, form)


def process_revocation_response(response: HttpResponse, *, now: float) -> None:
    """Check that the server confirmed (RFC 7009 section 2.2); a token it does not know counts as revoked.

    Args:
        response: the answer.
        now: seconds since 1970, for a ``Retry-After`` that is a date.

    Raises:
        ProviderError: the server itself refuses with an error code, for example ``invalid_client``.
        RetryableError: anything else that is not 200: busy, failing, or not the server that answered. The
            token must be taken as still valid (RFC 7009 section 2.2.1).
    """
    if response.status == 200:
        return
    if 400 <= response.status <= 499 and error_code(response) not in _PASSING:
        raise refused(response)
    raise RetryableError(retry_after=parse_retry_after(response, now=now))
