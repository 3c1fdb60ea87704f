"""What the gateway refuses before any service is asked: one error per HTTP status."""

from __future__ import annotations

from fankeep.errors import AccessError, HostileInputError

__all__ = [
    "BodyTooLarge",
    "BodyTooSlow",
    "ClientGone",
    "CrossSite",
    "HttpsRequired",
    "MethodNotAllowed",
    "NotCovered",
    "NotFound",
    "NotPulled",
    "ServiceKeyRequired",
    "TooManyRefused",
    "UnsupportedMediaType",
]


class NotFound(HostileInputError):
    """There is nothing under this address."""

    code = "not_found"
    status = 404


class NotPulled(HostileInputError):
    """Events are not fetched here: they go to handlers, or are sent on."""

    code = "events_not_pulled"
    status = 409

    def __init__(self) -> None:
        super().__init__("events_pushed")


class MethodNotAllowed(HostileInputError):
    """The address does not take this method.

    Attributes:
        allow: the methods that it takes, for the ``Allow`` header.
    """

    code = "method_not_allowed"
    status = 405

    def __init__(self, allow: str) -> None:
        super().__init__("method")
        self.allow = allow


class BodyTooSlow(HostileInputError):
    """The body did not arrive in time."""

    code = "body_too_slow"
    status = 408


class BodyTooLarge(HostileInputError):
    """The body is larger than what is accepted here."""

    code = "body_too_large"
    status = 413


class TooManyRefused(HostileInputError):
    """Too much from this address had to be refused.

    Attributes:
        seconds: until something from it is read again.
    """

    code = "too_many_refused"
    status = 429

    def __init__(self, seconds: float) -> None:
        super().__init__("held_back")
        self.seconds = seconds


class UnsupportedMediaType(HostileInputError):
    """The body is not of the one type that is accepted here."""

    code = "unsupported_media_type"
    status = 415


class HttpsRequired(HostileInputError):
    """The request came over plain http; it is not sent on to https, or nobody would notice the mistake."""

    code = "https_required"
    status = 403

    def __init__(self) -> None:
        super().__init__("plain_http")


class CrossSite(AccessError):
    """The request does not come from our own pages.

    Attributes:
        reason: the fixed word of the decision.
    """

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class ServiceKeyRequired(AccessError):
    """The request shows no service key that is good."""

    code = "service_key_required"
    status = 401


class NotCovered(AccessError):
    """The service key does not cover this.

    Attributes:
        reason: what it does not cover, as a fixed word.
    """

    code = "not_covered"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class ClientGone(Exception):
    """The client has closed the connection; nobody is left to answer. Stays inside the gateway."""
