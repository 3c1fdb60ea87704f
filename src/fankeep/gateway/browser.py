"""What a request says about the browser behind it: our cookies, the session, the origin."""

from __future__ import annotations

from typing import Final, Literal

from starlette.types import Receive, Scope

from fankeep.errors import CallbackError, HostileInputError
from fankeep.gateway.messages import IncomingBody, has_body, header_texts, header_values, note, one_header
from fankeep.gateway.refusals import CrossSite, UnsupportedMediaType
from fankeep.gateway.services import GatewayConfig, SessionService
from fankeep.oauth.query import parse_query
from fankeep.policy import (
    REQUEST_HEADER,
    SESSION_COOKIE,
    Allowed,
    Decision,
    Refused,
    RequestOrigin,
    decide,
    parse_cookies,
)
from fankeep.secret import Secret
from fankeep.sessions import Session

__all__ = [
    "cookies_of",
    "form_of",
    "is_own_wish",
    "query_of",
    "require_own_origin",
    "session_of",
    "wants_page",
]

_FORM: Final = b"application/x-www-form-urlencoded"


def cookies_of(scope: Scope) -> dict[str, Secret[str]]:
    """Our own cookies by name."""
    return dict(parse_cookies(header_values(scope, b"cookie")))


async def session_of(scope: Scope, sessions: SessionService) -> Session | None:
    """The living session of the request's browser."""
    session_id = cookies_of(scope).get(SESSION_COOKIE)
    session = None if session_id is None else await sessions.lookup(session_id)
    if session is not None:
        note(scope, user=session.user)
    return session


def require_own_origin(scope: Scope, config: GatewayConfig, area: Literal["page", "api"]) -> None:
    """Refuse a request that another site's page made.

    Raises:
        CrossSite: the decision of ``policy.decide``.
    """
    decision = _decision(scope, config, area)
    if isinstance(decision, Refused):
        raise CrossSite(decision.reason)


def is_own_wish(scope: Scope, config: GatewayConfig) -> bool:
    """Whether a request only reads, or was made by a page of our own origin.

    Any other may be another site's doing: a sibling subdomain's forms are sent with our cookies.
    """
    return isinstance(_decision(scope, config, "page"), Allowed)


def query_of(scope: Scope) -> dict[str, str]:
    """The query parameters, read strictly: no name twice, no control characters."""
    return _parameters(scope["query_string"])


async def form_of(scope: Scope, receive: Receive, config: GatewayConfig) -> dict[str, str]:
    """The fields of a posted form, read as strictly; an absent body is an empty form.

    Raises:
        UnsupportedMediaType: the body is something else.
        HostileInputError: it is malformed or too large.
    """
    if not has_body(scope):
        return {}
    content_type = one_header(scope, b"content-type") or b""
    if content_type.partition(b";")[0].strip().lower() != _FORM:
        raise UnsupportedMediaType("form_expected")
    limits = config.limits
    body = IncomingBody(scope, receive, limit=limits.form_body, seconds=limits.receive)
    return _parameters(await body.read())


def wants_page(scope: Scope) -> bool:
    """Whether a person looks at the answer, and not a script."""
    return any("text/html" in accepted for accepted in header_texts(scope, b"accept"))


def _decision(scope: Scope, config: GatewayConfig, area: Literal["page", "api"]) -> Decision:
    request = RequestOrigin(
        sec_fetch_site=header_texts(scope, b"sec-fetch-site"),
        origin=header_texts(scope, b"origin"),
        request_header=header_texts(scope, REQUEST_HEADER.encode()),
    )
    return decide(scope["method"], request, public_origin=config.public_origin, area=area)


def _parameters(encoded: bytes) -> dict[str, str]:
    try:
        return parse_query(encoded)
    except CallbackError as error:
        raise HostileInputError(error.reason) from None
