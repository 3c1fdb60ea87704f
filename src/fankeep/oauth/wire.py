"""JSON answers of the authorization server, decoded strictly and totally."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from fankeep.errors import ProviderError
from fankeep.oauth.grammar import is_error_code
from fankeep.types import HttpResponse

__all__ = ["MAX_BODY_BYTES", "decode_json", "error_code", "refused", "successful"]

T = TypeVar("T", bound=msgspec.Struct)

MAX_BODY_BYTES = 65536
"""No answer of an authorization server that we read is near it; a larger one is not parsed."""

_STANDARD_ERRORS = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    }
)
"""RFC 6749 sections 4.1.2.1 and 5.2, RFC 7009 section 2.2.1; no other code is ever repeated."""


class _ErrorBody(msgspec.Struct, frozen=True):
    """RFC 6749 section 5.2. The description and address beside it are never read."""

    error: str


def decode_json(body: bytes, shape: type[T]) -> T | None:
    """Decode a JSON object of a known shape; members that the shape does not name are ignored.

    Returns:
        The value, or None for anything else: too large, not UTF-8, not JSON, another shape, nested too deep.
    """
    if len(body) > MAX_BODY_BYTES:
        return None
    try:
        return msgspec.json.decode(body, type=shape, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def successful(response: HttpResponse) -> bool:
    """Say whether the status is 2xx."""
    return 200 <= response.status <= 299


def error_code(response: HttpResponse) -> str | None:
    """Read the ``error`` member of an error answer (RFC 6749 section 5.2).

    Returns:
        The code as sent, well-formed but maybe unknown, so compare it and do not repeat it; None when the
        body is not such an answer.
    """
    body = decode_json(response.body, _ErrorBody)
    return body.error if body is not None and is_error_code(body.error) else None


def refused(response: HttpResponse) -> ProviderError:
    """Build the error for an answer that says no; it carries the code only when that is a standard one."""
    code = error_code(response)
    return ProviderError(oauth_error=code if code in _STANDARD_ERRORS else None, http_status=response.status)
