"""Webhook endpoints as an app's owner sees them: where, what, with which secret, and what happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

from fankeep.errors import ConfigurationError
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.loopback import is_loopback_name
from fankeep.sandbox.payloads import TOPICS
from fankeep.secret import Secret

__all__ = ["Attempt", "Delivery", "Endpoint", "EndpointBook"]

_HISTORY = 5_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery.

    Attributes:
        at: by the sandbox's clock.
        status: of the answer; None when there was none.
    """

    number: int
    at: float
    status: int | None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one endpoint.

    Attributes:
        event_id: stable over attempts; the envelope's ``id``.
        forge: how it was spoiled on purpose, if it was.
        fault: what went wrong with it, if something did.
        done: no further attempt will be made.
    """

    event_id: str
    topic: str
    endpoint_id: str
    body: bytes = field(repr=False)
    created_at: float
    forge: str | None = None
    fault: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    done: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the last attempt was taken."""
        return bool(self.attempts) and self.attempts[-1].succeeded

    def as_json(self) -> JsonObject:
        """The delivery as the control API shows it."""
        return {
            "event_id": self.event_id,
            "topic": self.topic,
            "endpoint": self.endpoint_id,
            "created_at": self.created_at,
            "forge": self.forge,
            "fault": self.fault,
            "attempts": [
                {"number": attempt.number, "at": attempt.at, "status": attempt.status}
                for attempt in self.attempts
            ],
            "done": self.done,
            "succeeded": self.succeeded,
        }


@dataclass(slots=True, eq=False)
class Endpoint:
    """Where an app wants its webhooks.

    Attributes:
        secret: signs for it: the app's, or its own if it was made through the API.
        topics: the events it is subscribed to.
        creator: the only creator it hears about, for one that was made through the API.
        registered: the app's registration made it, and moves it.
        history: its last deliveries, oldest first.
    """

    id: str
    client_id: str
    url: str
    secret: Secret[str] = field(repr=False)
    topics: frozenset[str]
    enabled: bool = True
    creator: str | None = None
    registered: bool = False
    history: deque[Delivery] = field(default_factory=lambda: deque(maxlen=_HISTORY), repr=False)

    def as_json(self) -> JsonObject:
        """The endpoint as the control API shows it, without its secret."""
        return {
            "id": self.id,
            "client_id": self.client_id,
            "url": self.url,
            "topics": list[Json](sorted(self.topics)),
            "enabled": self.enabled,
        }


class EndpointBook:
    """All endpoints, in the order in which they were added."""

    KEPT: ClassVar[tuple[str, ...]] = ("_endpoints",)

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(list(self._endpoints.values()))

    def get(self, endpoint_id: str) -> Endpoint | None:
        """The endpoint with this id."""
        return self._endpoints.get(endpoint_id)

    def of(self, client_id: str) -> list[Endpoint]:
        """The endpoints of an app."""
        return [endpoint for endpoint in self if endpoint.client_id == client_id]

    def add(
        self,
        client_id: str,
        url: str,
        *,
        secret: Secret[str],
        topics: frozenset[str] | None = None,
        creator: str | None = None,
        registered: bool = False,
    ) -> Endpoint:
        """Add an endpoint; without topics it gets every event.

        Raises:
            ConfigurationError: the URL is neither https nor http to this machine, or a topic is unknown.
        """
        _check_url(url)
        chosen = frozenset(TOPICS) if topics is None else topics
        if not chosen <= frozenset(TOPICS):
            raise ConfigurationError("a webhook endpoint names an event that Fanvue does not have")
        endpoint = Endpoint(
            str(uuid4()), client_id, url, secret, chosen, creator=creator, registered=registered
        )
        self._endpoints[endpoint.id] = endpoint
        return endpoint

    @staticmethod
    def move(endpoint: Endpoint, url: str) -> None:
        """Give an endpoint another URL; what is still to be sent to it goes there.

        Raises:
            ConfigurationError: the URL is neither https nor http to this machine.
        """
        _check_url(url)
        endpoint.url = url

    def remove(self, endpoint_id: str) -> bool:
        """Delete an endpoint; True when there was one."""
        return self._endpoints.pop(endpoint_id, None) is not None

    def find(self, *, event_id: str) -> list[Delivery]:
        """Every delivery of an event."""
        return [
            delivery for endpoint in self for delivery in endpoint.history if delivery.event_id == event_id
        ]


def _check_url(url: str) -> None:
    if not _is_deliverable(url):
        raise ConfigurationError("a webhook endpoint is an https URL, or http on this machine's loopback")


def _is_deliverable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback_name(host))
