"""What a caller or a person is told when something fails: generic words and a reference.

Details stand in the log under the same reference. The text is one of the fixed ones below, by the error's
code or by the word for what is wrong with a parameter; never the error's message, nor anything that was sent:
so nothing from the inside can reach a screen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fankeep.errors import FankeepError, RetryableError

__all__ = ["API_TEXTS", "INPUT_TEXTS", "PAGE_TEXTS", "PageText", "error_body", "page_text", "retry_after"]

API_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "body_too_large": "The body is too large.",
        "body_too_slow": "The body did not arrive in time.",
        "configuration": "The service is not set up correctly.",
        "events_not_pulled": "Events are not fetched here: FANKEEP_EVENTS is not pull.",
        "forbidden": "This is not allowed.",
        "https_required": "This is answered over https only.",
        "invalid_request": "The request is not well-formed.",
        "invalid_signature": "The signature does not verify.",
        "login_refused": "The connection was not approved.",
        "login_failed": "The sign-in could not be completed; start again.",
        "method_not_allowed": "This method is not allowed here.",
        "not_allowed": "This operation is not on the app's list.",
        "not_connected": "Sign in first.",
        "not_covered": "The service key does not cover this.",
        "not_found": "There is nothing here.",
        "provider_refused": "Fanvue refused the request.",
        "reconnect_required": "The connection to Fanvue has ended; connect again.",
        "refresh_pending": "Fanvue access is being renewed; try again in a moment.",
        "service_key_required": "Show a service key as a bearer token.",
        "storage_unavailable": "The service is busy; try again in a moment.",
        "too_many_refused": "Too many requests from this address were refused; wait a minute.",
        "try_again": "This did not work this time; try again.",
        "unsupported_media_type": "The body has to be JSON, not encoded further.",
        "upstream_unreachable": "The service behind this one did not answer.",
    }
)
_UNKNOWN = "Something went wrong."

INPUT_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "acks_malformed": 'The body is {"events": [{"id": ..., "receipt": ...}]}, with 1 to 1000 of them.',
        "after_malformed": "after must be the next of the page before.",
        "cursor_malformed": "cursor must be that of a page before, or be left out.",
        "lease_malformed": "lease must be a whole number of seconds, 5 to 3600.",
        "lease_out_of_range": "lease must be a whole number of seconds, 5 to 3600.",
        "limit_malformed": "limit must be a whole number, 1 to 500.",
        "limit_out_of_range": "limit must be a whole number, 1 to 500.",
        "unknown_parameter": "There is no parameter but cursor, limit, lease and wait.",
        "wait_malformed": "wait must be a whole number of seconds, 0 to 20.",
        "wait_out_of_range": "wait must be a whole number of seconds, 0 to 20.",
    }
)
"""What is wrong with a parameter of the internal listener, by the reason of the ``HostileInputError``."""


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of an error page for people."""

    title: str
    body: str
    offer_login: bool = False


PAGE_TEXTS: Mapping[str, PageText] = MappingProxyType(
    {
        "login_failed": PageText(
            "That sign-in did not work",
            "It may have taken too long, been opened twice, or started in another browser. "
            "Nothing was connected. You can simply start again; if the browser was signed in to Fanvue with "
            "another account, choose the other account on the next page.",
            offer_login=True,
        ),
        "login_refused": PageText(
            "Nothing was connected",
            "Fanvue says the connection was not approved. You can start again whenever you like.",
            offer_login=True,
        ),
        "not_connected": PageText("You are not signed in", "Sign in with Fanvue to go on.", offer_login=True),
        "reconnect_required": PageText(
            "Please connect again",
            "The connection to Fanvue has ended. Connecting again brings everything back.",
            offer_login=True,
        ),
        "forbidden": PageText(
            "That did not come from this site",
            "To protect your account, this only works from our own pages. Go back and try once more.",
        ),
        "not_found": PageText("There is nothing here", "The address may be mistyped or out of date."),
        "provider_refused": PageText(
            "Fanvue did not accept that", "Nothing was changed. Please try again later.", offer_login=True
        ),
        "upstream_unreachable": PageText(
            "Fanvue could not be reached",
            "Nothing was changed. Please try again in a minute.",
            offer_login=True,
        ),
        "storage_unavailable": PageText(
            "We are busy right now", "Nothing was changed. Please try again in a minute."
        ),
    }
)
_UNKNOWN_PAGE = PageText("Something went wrong", "Nothing was changed. Please try again later.")


def error_body(code: str, reference: str, *, reason: str = "") -> bytes:
    """The one JSON shape of every error answer: ``{"error", "message", "reference"}``.

    Args:
        code: of an error, or one of the words for plain HTTP refusals.
        reference: under which the log has the details.
        reason: the fixed word for what is wrong with the input; one that has a text of its own gets it.
    """
    text = INPUT_TEXTS.get(reason) or API_TEXTS.get(code, _UNKNOWN)
    return json.dumps({"error": code, "message": text, "reference": reference}).encode()


def page_text(code: str) -> PageText:
    """The words for a person; a code without its own words gets the general ones."""
    return PAGE_TEXTS.get(code, _UNKNOWN_PAGE)


def retry_after(error: FankeepError) -> int | None:
    """Whole seconds for a ``Retry-After`` header, at most an hour; None if the error is not a passing one."""
    if not isinstance(error, RetryableError):
        return None
    seconds = 1.0 if error.retry_after is None else error.retry_after
    return max(1, min(3600, int(-(-seconds // 1))))
