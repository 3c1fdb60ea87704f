"""From an error to an answer: one JSON shape for programs, one plain page for people."""

from __future__ import annotations

from starlette.responses import Response

from fankeep.errors import FankeepError, HostileInputError
from fankeep.gateway.pages import render_page
from fankeep.gateway.refusals import BodyTooLarge, BodyTooSlow, MethodNotAllowed, ServiceKeyRequired
from fankeep.policy import CALLBACK_HEADERS, api_headers, error_body, page_text, retry_after

__all__ = ["answer_failure"]


def answer_failure(error: FankeepError, *, reference: str, page: bool) -> Response:
    """Build the answer to an error.

    Args:
        error: what went wrong; only its code and status are shown, and a fixed text for some reasons.
        reference: under which the log has the details.
        page: a person looks at the answer.
    """
    if page:
        text = page_text(error.code)
        response: Response = render_page("message.html", status=error.status, text=text, reference=reference)
        response.headers.update(CALLBACK_HEADERS)  # its address may hold a code or a state
    else:
        reason = error.reason if isinstance(error, HostileInputError) else ""
        body = error_body(error.code, reference, reason=reason)
        response = Response(body, error.status, media_type="application/json", headers=api_headers())
    if isinstance(error, MethodNotAllowed):
        response.headers["allow"] = error.allow
    if isinstance(error, ServiceKeyRequired):
        response.headers["www-authenticate"] = "Bearer"  # RFC 6750 section 3
    if isinstance(error, (BodyTooLarge, BodyTooSlow)):
        response.headers["connection"] = "close"
    seconds = retry_after(error)
    if seconds is not None:
        response.headers["retry-after"] = str(seconds)
    return response
