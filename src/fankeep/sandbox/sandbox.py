"""One sandbox: its world and all its books, wired together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fankeep.errors import ConfigurationError
from fankeep.sandbox.apps import App, AppBook
from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.codes import Authorization, CodeBook
from fankeep.sandbox.consents import ConsentBook, LoginBook, PendingBook
from fankeep.sandbox.credentials import new_signing_secret
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.endpoints import EndpointBook
from fankeep.sandbox.fault_book import ArmedFault, FaultBook
from fankeep.sandbox.faults import Fault, FaultKind, Target
from fankeep.sandbox.happenings import Life
from fankeep.sandbox.issuer import Issuer
from fankeep.sandbox.journal import Entry, Journal
from fankeep.sandbox.needles import Needle, Needles
from fankeep.sandbox.rate_limit import RateLimiter
from fankeep.sandbox.settings import AppRegistration, SandboxSettings, TokenFormat
from fankeep.sandbox.signing import signing_key
from fankeep.sandbox.telling import Teller
from fankeep.sandbox.tokens import TokenBook
from fankeep.sandbox.webhooks import WebhookSender
from fankeep.sandbox.world import Creator, make_world
from fankeep.secret import Secret
from fankeep.transport import Transport

__all__ = ["Sandbox"]


class Sandbox:
    """A local Fanvue, in memory; the routes are built around it.

    Args:
        settings: what it is and how it behaves.
        base_url: where its listener is, without a trailing slash.
        transport: sends the webhooks.
        clock: the sandbox's time.

    Attributes:
        keep: called after each change that has to survive; does nothing without a state file.
        moved: webhook URLs, old and new, of apps whose registration has changed since the state was written.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        base_url: str,
        transport: Transport,
        clock: SandboxClock | None = None,
    ) -> None:
        self.settings = settings
        self.base_url = base_url
        self.clock = clock or SandboxClock()
        self.journal = Journal()
        self.needles = Needles()
        self.faults = FaultBook(settings.seed, self.clock)
        self.issuer = Issuer(base_url, settings)
        self.world = make_world(settings.seed, now=self.clock.now(), creators=settings.creators)
        self.apps = AppBook(settings.apps)
        self.consents = ConsentBook()
        self.logins = LoginBook()
        self.pending = PendingBook()
        self.codes = CodeBook(lifetime=settings.code_lifetime)
        self.limiter = RateLimiter(limit=settings.rate_limit, window=settings.rate_window)
        jwt = settings.switches.token_format is TokenFormat.JWT
        self.tokens = TokenBook(settings, access_value=self._jwt_access_token if jwt else None)
        self.endpoints = EndpointBook()
        self.sender = WebhookSender(
            settings,
            clock=self.clock,
            transport=transport,
            journal=self.journal,
            faults=self.faults,
            befall=self.befall,
            dice=Dice(settings.seed, "events"),
        )
        teller = Teller(
            endpoints=self.endpoints,
            consents=self.consents,
            sender=self.sender,
            scopes=settings.switches.event_scopes,
        )
        self.life = Life(self.world, teller)
        self.keep: Callable[[], None] = _keep_nothing
        self.moved: list[tuple[str, str]] = []
        self._register_first_endpoints()
        self._follow_scenario()

    def now(self) -> float:
        """The sandbox's present, in seconds since 1970."""
        return self.clock.now()

    def creator(self, name: object) -> Creator:
        """A creator by uuid or handle; the first one when no name is given.

        Raises:
            ConfigurationError: there is no such creator.
        """
        if name is None:
            return self.world.first_creator
        creator = self.world.creator(name) if isinstance(name, str) else None
        if creator is None:
            raise ConfigurationError("the sandbox has no creator of that name")
        return creator

    def app(self, client_id: str) -> App:
        """An app by its client id.

        Raises:
            ConfigurationError: there is no such app.
        """
        app = self.apps.get(client_id)
        if app is None:
            raise ConfigurationError("the sandbox has no app with that client id")
        return app

    def reset_secret(self, client_id: str) -> Secret[str]:
        """Give an app a new client secret.

        Raises:
            ConfigurationError: there is no such app.
        """
        secret = self.app(client_id).reset_secret()
        self.needles.add(Needle.CLIENT_SECRET, secret.reveal())
        return secret

    def register_app(self, name: str) -> App:
        """Add an app with every scope and a client secret of its own, to be shown this once."""
        app = self.apps.register(AppRegistration(name=name))
        self._note_secrets(app)
        return app

    def delete_app(self, client_id: str) -> None:
        """Delete an app: its grants end, its endpoints hear nothing more.

        Raises:
            ConfigurationError: there is no such app, or no other one.
        """
        self.apps.remove(client_id)
        for creator in self.consents.creators_of(client_id):
            self.withdraw(creator=creator, client_id=client_id)
        for endpoint in self.endpoints.of(client_id):
            self.endpoints.remove(endpoint.id)

    def add_endpoint(
        self,
        client_id: str,
        url: str,
        *,
        topics: frozenset[str] | None = None,
        creator: str | None = None,
        registered: bool = False,
    ) -> str:
        """Add a webhook endpoint; returns its id.

        Args:
            client_id: of the app, whose signing secret signs for it.
            url: where it is.
            topics: the events it wants; all by default.
            creator: for whom it is made through the API; then it has a signing secret of its own.
            registered: the app's registration makes it.

        Raises:
            ConfigurationError: there is no such app, or the URL or a topic does not fit.
        """
        secret = self.app(client_id).signing_secret if creator is None else Secret(new_signing_secret())
        endpoint = self.endpoints.add(
            client_id, url, secret=secret, topics=topics, creator=creator, registered=registered
        )
        self.needles.add(Needle.SIGNING_SECRET, endpoint.secret.reveal())
        return endpoint.id

    def go_on(self) -> None:
        """Go on after a state was put in.

        What the settings register is added where the state does not know it, an endpoint that the settings
        had registered at another URL moves, and deliveries that a stop interrupted are taken up.
        """
        for registration in self.settings.apps:
            self._add_to_state(registration)
        for app in self.apps:
            self._note_secrets(app)
        for endpoint in self.endpoints:
            self.needles.add(Needle.SIGNING_SECRET, endpoint.secret.reveal())
        self._follow_scenario()
        self.sender.resume(self.endpoints)

    def arm(self, fault: Fault) -> ArmedFault:
        """Let something go wrong from now on.

        Raises:
            ConfigurationError: the fault names a creator that does not exist.
        """
        self.creator(fault.creator)
        return self.faults.arm(fault)

    def befall(self, target: Target, mark: str | None, entry: Entry) -> None:
        """Let happen what is to happen before this request.

        Args:
            target: what the request is for.
            mark: its grant type, operation or topic.
            entry: its journal entry, which is told.
        """
        for fault in self.faults.incidents(target, mark):
            _INCIDENTS[fault.kind](self, fault)
            entry.note(incident=fault.kind.value)
            self.keep()

    def withdraw(self, *, creator: str, client_id: str) -> int:
        """A creator takes an app's access back; returns how many token chains that ended."""
        self.consents.withdraw(creator=creator, client_id=client_id)
        return self.tokens.withdraw(creator=creator, client_id=client_id)

    async def close(self) -> None:
        """Let held answers go and give up what is still being sent."""
        self.faults.release()
        await self.sender.close()

    def _add_to_state(self, registration: AppRegistration) -> None:
        app = self.apps.get(registration.client_id or "") or self.apps.register(registration)
        self.apps.register_redirects(app, (*app.redirect_uris, *registration.redirect_uris))
        if registration.webhook_url is not None:
            self._follow_webhook_url(app.client_id, registration.webhook_url)

    def _follow_webhook_url(self, client_id: str, url: str) -> None:
        endpoints = self.endpoints.of(client_id)
        known = url in {endpoint.url for endpoint in endpoints}
        old = next((one for one in endpoints if one.registered and one.url != url), None)
        if old is None:
            if not known:
                self.add_endpoint(client_id, url, registered=True)
            return
        self.moved.append((old.url, url))
        if known:
            self.endpoints.remove(old.id)
        else:
            self.endpoints.move(old, url)

    def _jwt_access_token(self, authorization: Authorization, now: float) -> str:
        return self.issuer.jwt_access_token(authorization, now + self.clock.skew)

    def _follow_scenario(self) -> None:
        for fault in self.settings.scenario:
            self.creator(fault.creator)
        self.faults.follow(self.settings.scenario)

    def _register_first_endpoints(self) -> None:
        for app, registration in zip(self.apps, self.settings.apps, strict=True):
            self._note_secrets(app)
            if registration.webhook_url is not None:
                self.add_endpoint(app.client_id, registration.webhook_url, registered=True)

    def _note_secrets(self, app: App) -> None:
        signing_key(app.signing_secret, self.settings.switches.secret_reading)  # refuses what is no key
        self.needles.add(Needle.CLIENT_SECRET, app.client_secret.reveal())
        self.needles.add(Needle.SIGNING_SECRET, app.signing_secret.reveal())


def _keep_nothing() -> None:
    """What a sandbox without a state file does with its changes."""


def _reset_secret(sandbox: Sandbox, _fault: Fault) -> None:
    sandbox.reset_secret(sandbox.apps.first.client_id)


def _withdraw(sandbox: Sandbox, fault: Fault) -> None:
    creator = sandbox.creator(fault.creator)
    sandbox.withdraw(creator=creator.uuid, client_id=sandbox.apps.first.client_id)


def _remove_scopes(sandbox: Sandbox, fault: Fault) -> None:
    app = sandbox.apps.first
    sandbox.apps.enable_scopes(app, app.scopes.difference(fault.scopes))


def _expire_tokens(sandbox: Sandbox, fault: Fault) -> None:
    creator = None if fault.creator is None else sandbox.creator(fault.creator).uuid
    sandbox.tokens.expire_access_tokens(creator=creator, now=sandbox.now())


def _set_skew(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.clock.skew = fault.seconds


_INCIDENTS: Mapping[FaultKind, Callable[[Sandbox, Fault], None]] = MappingProxyType(
    {
        FaultKind.CLOCK_SKEW: _set_skew,
        FaultKind.SECRET_RESET: _reset_secret,
        FaultKind.CONSENT_WITHDRAWN: _withdraw,
        FaultKind.SCOPES_REMOVED: _remove_scopes,
        FaultKind.TOKENS_EXPIRED: _expire_tokens,
    }
)
