"""The server's own metadata (RFC 8414), compared with what we have pinned and never obeyed.

Whoever could answer for the discovery document could otherwise choose where the client secret is sent. So the
document is read for one purpose: to tell the operator that Fanvue has changed something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from fankeep.errors import ProviderError
from fankeep.fanvue import hosts
from fankeep.oauth.jwks import ID_TOKEN_ALGORITHMS
from fankeep.oauth.server import AuthorizationServer
from fankeep.oauth.wire import decode_json, refused
from fankeep.types import HttpRequest, HttpResponse

__all__ = ["Difference", "build_discovery_request", "process_discovery_response"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One point in which the server's document and our pinned data part.

    Attributes:
        member: the member's name in the document. Its value is not kept.
        problem: ``missing``; ``different`` for an address or issuer; ``unsupported`` for a method that we
            need and the document does not list.
    """

    member: str
    problem: Literal["missing", "different", "unsupported"]


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    revocation_endpoint: str | None = None
    jwks_uri: str | None = None
    response_types_supported: list[str] | None = None
    grant_types_supported: list[str] | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    code_challenge_methods_supported: list[str] | None = None
    id_token_signing_alg_values_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


_NEEDED: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("response_types_supported", frozenset({"code"})),
    ("grant_types_supported", frozenset({"authorization_code"})),
    ("grant_types_supported", frozenset({"refresh_token"})),
    ("token_endpoint_auth_methods_supported", frozenset({"client_secret_basic"})),
    ("code_challenge_methods_supported", frozenset({"S256"})),
    ("id_token_signing_alg_values_supported", ID_TOKEN_ALGORITHMS),
)
"""Lists of the document and what we use of them: one of these must be there. A list left out says nothing."""


def build_discovery_request(server: AuthorizationServer) -> HttpRequest:
    """Build the fetch of the document (OpenID Connect Discovery section 4.1)."""
    url = server.issuer.removesuffix("/") + hosts.DISCOVERY_PATH
    return HttpRequest(method="GET", url=url, headers={"accept": "application/json"})


def process_discovery_response(response: HttpResponse, server: AuthorizationServer) -> tuple[Difference, ...]:
    """Compare the document with the pinned data.

    Returns:
        The differences; empty when everything agrees.

    Raises:
        ProviderError: not 200, or not such a document.
    """
    if response.status != 200:
        raise refused(response)
    metadata = decode_json(response.body, _Metadata)
    if metadata is None:
        raise ProviderError("the discovery document cannot be read", http_status=response.status)
    return (
        *_compare_issuer(metadata, server),
        *_compare_addresses(metadata, server),
        *_compare_lists(metadata),
    )


def _compare_issuer(metadata: _Metadata, server: AuthorizationServer) -> list[Difference]:
    differences = []
    if metadata.issuer is None:
        differences.append(Difference("issuer", "missing"))
    elif not server.is_issuer(metadata.issuer):
        differences.append(Difference("issuer", "different"))
    member = "authorization_response_iss_parameter_supported"
    if metadata.authorization_response_iss_parameter_supported != (
        server.authorization_response_iss_parameter_supported
    ):
        differences.append(Difference(member, "different"))
    return differences


def _compare_addresses(metadata: _Metadata, server: AuthorizationServer) -> list[Difference]:
    pairs = {
        "authorization_endpoint": (metadata.authorization_endpoint, server.authorization_endpoint),
        "token_endpoint": (metadata.token_endpoint, server.token_endpoint),
        "revocation_endpoint": (metadata.revocation_endpoint, server.revocation_endpoint),
        "jwks_uri": (metadata.jwks_uri, server.jwks_uri),
    }
    return [
        Difference(member, "missing" if found is None else "different")
        for member, (found, pinned) in pairs.items()
        if found != pinned
    ]


def _compare_lists(metadata: _Metadata) -> list[Difference]:
    listed: dict[str, list[str] | None] = {
        "response_types_supported": metadata.response_types_supported,
        "grant_types_supported": metadata.grant_types_supported,
        "token_endpoint_auth_methods_supported": metadata.token_endpoint_auth_methods_supported,
        "code_challenge_methods_supported": metadata.code_challenge_methods_supported,
        "id_token_signing_alg_values_supported": metadata.id_token_signing_alg_values_supported,
    }
    unsupported = [
        member
        for member, needed in _NEEDED
        if (values := listed[member]) is not None and needed.isdisjoint(values)
    ]
    return [Difference(member, "unsupported") for member in dict.fromkeys(unsupported)]
