"""What the gateway works with: its settings as values, and the services behind it as small protocols.

The composition root fills both; the gateway never makes a service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from fankeep.fanvue.limits import WEBHOOK_TOLERANCE_SECONDS
from fankeep.fanvue.operations import Operation
from fankeep.fanvue.signature import VerifiedWebhook
from fankeep.fanvue.webhook_secrets import Reading, WebhookSecret
from fankeep.gateway.assertions import Assertions
from fankeep.oauth import AuthorizationServer, ClientRegistration, VerifiedCallback
from fankeep.policy import HostList, TrustedProxies
from fankeep.secret import Secret
from fankeep.sessions import PendingLogins, Session, SessionLimits
from fankeep.transport import StreamedResponse
from fankeep.types import HttpRequest, UserId

__all__ = [
    "ApiForwarder",
    "ConnectedUser",
    "GatewayConfig",
    "GatewayServices",
    "GrantView",
    "Limits",
    "SessionService",
    "StoredDelivery",
    "SubscriptionSecrets",
    "UpstreamTransport",
    "UserLifecycle",
    "WebhookInbox",
]


class SessionService(Protocol):
    """Browser sessions; ``fankeep.sessions.Sessions``."""

    @property
    def limits(self) -> SessionLimits:
        """How long sessions last."""

    async def start(self, user: UserId, *, replaces: Secret[str] | None = None) -> Secret[str]:
        """Start a session and return its id."""

    async def lookup(self, session_id: Secret[str]) -> Session | None:
        """Find a living session."""

    async def use_state(self, state: Secret[str]) -> bool:
        """Use up the state of a sign-in; False when it was used before."""


class ConnectedUser(Protocol):
    """What a completed sign-in brought."""

    @property
    def user(self) -> UserId:
        """Who signed in."""


class GrantView(Protocol):
    """What may be shown of a grant."""

    @property
    def state(self) -> str:
        """A word, for example ``live``."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was granted."""

    @property
    def reason(self) -> str | None:
        """Why it ended, when it has."""


class UserLifecycle(Protocol):
    """Connect, log out, disconnect; ``fankeep.lifecycle.Lifecycle``."""

    async def connect(self, callback: VerifiedCallback) -> ConnectedUser:
        """Exchange the code and store the grant."""

    async def logout(self, session: Session) -> None:
        """End a session, and the grant where that is the policy."""

    async def disconnect(self, user: UserId) -> bool:
        """End all sessions and the grant; whether Fanvue has confirmed it already."""

    async def grant_status(self, user: UserId) -> GrantView | None:
        """What may be shown of the user's grant."""


class ApiForwarder(Protocol):
    """Calls to the Fanvue API as a user; ``fankeep.client.FanvueApi``."""

    def forward(
        self,
        user: UserId,
        operation: Operation,
        params: Mapping[str, str],
        query: Iterable[tuple[str, str]],
        headers: Iterable[tuple[str, str]],
        *,
        body: AsyncIterator[bytes] | None = None,
        timeout: float = 60.0,
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Pass a request on and hand out the answer as it comes."""


class StoredDelivery(Protocol):
    """A delivery that is in the database."""

    @property
    def duplicate(self) -> bool:
        """Whether the event was known before."""


class WebhookInbox(Protocol):
    """Where deliveries go; ``fankeep.inbox.Inbox``."""

    async def accept(self, verified: VerifiedWebhook) -> StoredDelivery:
        """Store the event; returns after the commit."""


class SubscriptionSecrets(Protocol):
    """The secrets of subscriptions; ``fankeep.subscriptions.SubscriptionSecrets``."""

    async def of(self, name: str) -> Sequence[WebhookSecret]:
        """Return what may have signed a delivery to the address with this name."""


class UpstreamTransport(Protocol):
    """The way to the app behind us; ``fankeep.transport.Transport``."""

    def stream(
        self,
        request: HttpRequest,
        body: AsyncIterator[bytes] | None = None,
        *,
        length: int | None = None,
        timeout: float,
        max_bytes: int = 1 << 26,
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request and hand out the answer as it comes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long, in bytes and seconds; and how many sign-ins may be completed at once."""

    webhook_body: int = 1 << 20
    api_body: int = 1 << 21
    upstream_body: int = 1 << 26
    upstream_answer: int = 1 << 30
    form_body: int = 1 << 12
    receive: float = 10.0
    api: float = 60.0
    upstream: float = 300.0
    send: float = 30.0
    sign_ins: int = 32


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """How the gateway behaves.

    Attributes:
        public_origin: scheme and host under which browsers see us.
        hosts: the Host values that are answered.
        proxies: whose forwarded headers are believed.
        require_https: refuse what did not come over https; False in development only.
        server: the authorization server that a sign-in goes to.
        client: this app as that server knows it.
        operations: ids of the API operations that the app may call; no other one is passed on.
        webhook_secrets: the secrets that a delivery may be signed with.
        webhook_tolerance: seconds that its signing time may be off.
        webhook_readings: how a secret's text becomes a key.
        upstream: origin of the app behind us; None when there is none.
    """

    public_origin: str
    hosts: HostList
    proxies: TrustedProxies
    require_https: bool
    server: AuthorizationServer
    client: ClientRegistration
    operations: frozenset[str]
    webhook_secrets: Sequence[WebhookSecret] = field(repr=False)
    webhook_tolerance: float = WEBHOOK_TOLERANCE_SECONDS
    webhook_readings: Sequence[Reading] = ("literal",)
    upstream: str | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class GatewayServices:
    """The services behind the gateway.

    Attributes:
        assertions: signs who the user is, for the app behind us.
        transport: the way to that app.
        ready: whether this process can do its work: the database answers, keys are open.
        late: told of rightly signed deliveries that came too late, by the time when they were signed.
    """

    sessions: SessionService
    logins: PendingLogins
    lifecycle: UserLifecycle
    api: ApiForwarder
    inbox: WebhookInbox
    subscriptions: SubscriptionSecrets
    assertions: Assertions
    transport: UpstreamTransport
    ready: Callable[[], Awaitable[bool]]
    late: Callable[[float], None]
