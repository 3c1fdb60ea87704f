"""Whether a request may act with the browser's session, or was made by someone else's page.

The decision rests on what browsers say about the origin of a request, not on tokens in forms
(OWASP ASVS 5.0.0 section 3.5). ``same-site`` is not enough: a sibling subdomain is somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["REQUEST_HEADER", "Allowed", "Decision", "Refused", "RequestOrigin", "decide"]

REQUEST_HEADER = "fankeep-request"
"""A page of another origin cannot send this header without a preflight, which nobody here answers."""

Area: TypeAlias = Literal["page", "api"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """What a request says about where it comes from: every value of each header, in order."""

    sec_fetch_site: Sequence[str] = ()
    origin: Sequence[str] = ()
    request_header: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """The request comes from our own origin."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request does not show that it comes from our own origin.

    Attributes:
        reason: a fixed word for the log; never part of the answer.
    """

    reason: Literal["missing_request_header", "cross_site", "foreign_origin", "no_origin", "repeated_header"]


Decision: TypeAlias = Allowed | Refused


def decide(method: str, request: RequestOrigin, *, public_origin: str, area: Area) -> Decision:
    """Decide whether a request that carries our session cookie may be served.

    Args:
        method: the HTTP method, as sent.
        request: the three headers.
        public_origin: scheme, host and port under which browsers see us, for example ``https://app.example``.
        area: ``page`` for what forms post to, where reading is free; ``api`` for what scripts call, where
            reading hands out data and every method needs the custom header as well.

    Security:
        An unknown method counts as one that changes state. A header that comes twice is refused.
    """
    if max(len(request.sec_fetch_site), len(request.origin), len(request.request_header)) > 1:
        return Refused("repeated_header")
    if area == "page" and method in _SAFE_METHODS:
        return Allowed()
    if area == "api" and tuple(request.request_header) != ("1",):
        return Refused("missing_request_header")
    return _same_origin(request, public_origin)


def _same_origin(request: RequestOrigin, public_origin: str) -> Decision:
    # Sec-Fetch-Site first: where a page sends no referrer, browsers make the Origin of its own forms "null".
    if request.sec_fetch_site:
        return Allowed() if request.sec_fetch_site[0] == "same-origin" else Refused("cross_site")
    if not request.origin:
        return Refused("no_origin")
    return Allowed() if request.origin[0] == public_origin else Refused("foreign_origin")
