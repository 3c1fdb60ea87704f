"""Every metric of a process, in one registry of its own.

Labels come from closed sets; any other value is counted as ``other``. So a client cannot fill the memory with
label values, and nothing personal gets into a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Generic, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from fankeep.fanvue.signature import REASONS

__all__ = [
    "ALARMS",
    "ALARM_NAMES",
    "API_CALLS",
    "CONTENT_TYPE",
    "EVENTS_EXPIRED",
    "EVENTS_HANDLED",
    "FIELDS_DROPPED",
    "LOGINS",
    "REFRESHES",
    "REGISTRY",
    "REQUESTS",
    "REQUEST_SECONDS",
    "WEBHOOKS",
    "WEBHOOK_REFUSALS",
    "WEBHOOK_SECRETS",
    "ClosedCounter",
    "ClosedGauge",
    "ClosedHistogram",
    "Described",
    "described",
    "render",
]

REGISTRY = CollectorRegistry()
CONTENT_TYPE = CONTENT_TYPE_LATEST

_OTHER = "other"


T = TypeVar("T", Counter, Gauge, Histogram)


class Described(NamedTuple):
    """A metric, for the page that lists them.

    Attributes:
        name: as it stands in the answer.
        kind: ``counter``, ``gauge`` or ``histogram``.
        labels: each with the values that it can have.
    """

    name: str
    kind: str
    text: str
    labels: Mapping[str, frozenset[str]]


_described: list[Described] = []


class _Closed(Generic[T]):
    """A metric with label names, each with the values that are allowed for it."""

    __slots__ = ("_allowed", "_children", "_metric")

    def __init__(
        self, metric: type[T], name: str, help_text: str, labels: dict[str, Collection[str]]
    ) -> None:
        self._allowed = {label: frozenset(values) | {_OTHER} for label, values in labels.items()}
        self._metric: T = metric(name, help_text, tuple(labels), registry=REGISTRY)
        self._children: dict[tuple[tuple[str, str], ...], T] = {}
        kind = metric.__name__.lower()
        shown = f"{name}_total" if kind == "counter" else name
        _described.append(Described(shown, kind, help_text, self._allowed))

    def allow(self, given: dict[str, Collection[str]]) -> None:
        """Let more values through: few ones, which the settings have named."""
        for label, values in given.items():
            self._allowed[label] |= frozenset(values)

    def child(self, given: dict[str, str]) -> T:
        """The part of the metric for these labels; allowed ones are few, so each is looked up once."""
        key = tuple(given.items())
        found = self._children.get(key)
        return self._find(key, given) if found is None else found

    def _find(self, key: tuple[tuple[str, str], ...], given: dict[str, str]) -> T:
        if given.keys() != self._allowed.keys():
            raise TypeError("a metric takes exactly its own labels")
        closed = {label: given[label] if given[label] in self._allowed[label] else _OTHER for label in given}
        found = self._metric.labels(**closed) if closed else self._metric
        if closed == given:  # what is not allowed is not remembered either
            self._children[key] = found
        return found


class ClosedCounter:
    """A counter whose label values come from closed sets."""

    __slots__ = ("_closed",)

    def __init__(self, name: str, help_text: str, **labels: Collection[str]) -> None:
        self._closed = _Closed(Counter, name, help_text, labels)

    def allow(self, **labels: Collection[str]) -> None:
        """Add values to the sets; for names that the operator gave, never for what a request says."""
        self._closed.allow(labels)

    def add(self, amount: float = 1, /, **labels: str) -> None:
        """Count; a label value that is not in its set counts as ``other``."""
        self._closed.child(labels).inc(amount)

    def adding(self, **labels: str) -> Callable[[float], None]:
        """Return what adds to these labels, for places that are passed thousands of times a second."""
        return self._closed.child(labels).inc


class ClosedGauge:
    """A gauge whose label values come from closed sets."""

    __slots__ = ("_closed",)

    def __init__(self, name: str, help_text: str, **labels: Collection[str]) -> None:
        self._closed = _Closed(Gauge, name, help_text, labels)

    def set(self, value: float, /, **labels: str) -> None:
        """Set the current value."""
        self._closed.child(labels).set(value)


class ClosedHistogram:
    """A histogram of seconds whose label values come from closed sets."""

    __slots__ = ("_closed",)

    def __init__(self, name: str, help_text: str, **labels: Collection[str]) -> None:
        self._closed = _Closed(Histogram, name, help_text, labels)

    def observe(self, seconds: float, /, **labels: str) -> None:
        """Record one duration."""
        self._closed.child(labels).observe(seconds)

    def observing(self, **labels: str) -> Callable[[float], None]:
        """Return what records under these labels, for places that are passed thousands of times a second."""
        return self._closed.child(labels).observe


def described() -> list[Described]:
    """Every metric of the modules that were imported, by name."""
    return sorted(_described, key=lambda metric: metric.name)


def render() -> bytes:
    """Everything in the text format of Prometheus; its content type is ``CONTENT_TYPE``."""
    return generate_latest(REGISTRY)


ALARM_NAMES = frozenset(
    {
        "client_secret_refused",
        "generation_regressed",
        "grant_blocked",
        "mac_mismatch",
        "payload_too_large",
        "revocation_given_up",
        "secret_rotation_due",
        "seal_failure",
        "unexpected_error",
        "webhook_foreign_scope",
        "webhook_stale",
    }
)

_ROUTES = frozenset(
    {
        "login",
        "callback",
        "logout",
        "disconnect",
        "session",
        "api",
        "webhook",
        "healthz",
        "readyz",
        "jwks",
        "upstream",
        "internal",
        "metrics",
    }
)

_WEBHOOK_REASONS = frozenset(
    {
        *REASONS,
        "wrong_scope",
        "invalid_request",
        "method_not_allowed",
        "unsupported_media_type",
        "body_too_large",
        "body_too_slow",
        "too_many_refused",
        "try_again",
        "storage_unavailable",
        "key_unavailable",
        "storage",
    }
)

ALARMS = ClosedCounter("fankeep_alarms", "Things that somebody should look at now.", alarm=ALARM_NAMES)
REQUESTS = ClosedCounter(
    "fankeep_requests", "Requests answered.", route=_ROUTES, status=["1xx", "2xx", "3xx", "4xx", "5xx"]
)
REQUEST_SECONDS = ClosedHistogram("fankeep_request_seconds", "Time to the end of the answer.", route=_ROUTES)
WEBHOOKS = ClosedCounter(
    "fankeep_webhooks",
    "Webhook requests by what became of them.",
    outcome=["accepted", "duplicate", "refused", "unverified", "busy"],
)
WEBHOOK_REFUSALS = ClosedCounter(
    "fankeep_webhook_refusals",
    "Webhook requests that were not accepted, by the verifier's reason or the code of the answer.",
    reason=_WEBHOOK_REASONS,
)
WEBHOOK_SECRETS = ClosedCounter(
    "fankeep_webhook_secrets",
    "Accepted deliveries by the secret that matched: its name in the settings, or `subscription`.",
    secret=["subscription"],
)
LOGINS = ClosedCounter(
    "fankeep_logins",
    "Sign-ins by what became of them.",
    outcome=["started", "connected", "refused", "failed"],
)
REFRESHES = ClosedCounter(
    "fankeep_refreshes",
    "Token refreshes by what became of them.",
    outcome=["stored", "passing", "unknown", "dead", "blocked", "lost_race"],
)
API_CALLS = ClosedCounter(
    "fankeep_api_calls",
    "Calls to the Fanvue API by class of answer.",
    status=["2xx", "3xx", "4xx", "5xx", "none"],
)
EVENTS_HANDLED = ClosedCounter(
    "fankeep_events_handled",
    "Handler runs by what became of them.",
    outcome=["handled", "retried", "dead", "lost_claim"],
)
EVENTS_EXPIRED = ClosedCounter(
    "fankeep_events_expired",
    "Events that have lost their payload or have gone, by age or since their message was deleted.",
    what=["payload", "payload_of_deleted", "event", "event_pending", "event_dead"],
)
FIELDS_DROPPED = ClosedCounter(
    "fankeep_event_fields_dropped",
    "Fields of events that were not kept, by what they say about a person; unlisted: not in the catalogue.",
    personal=["profile", "contact", "content", "unlisted"],
)
