"""The apps of the developer area: client ids, secrets that are shown once, redirect URIs, enabled scopes."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from fankeep.errors import ConfigurationError
from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox.credentials import new_client_id, new_client_secret, new_signing_secret
from fankeep.sandbox.settings import AppRegistration
from fankeep.secret import Secret

__all__ = ["App", "AppBook"]


@dataclass(slots=True)
class App:
    """One registered app.

    Attributes:
        scopes: what its owner has enabled; connected creators keep what they granted.
        signing_secret: signs for every webhook endpoint that its owner adds.
        generated_secret: whether the sandbox made the present client secret and so has to show it once.
    """

    client_id: str
    name: str
    client_secret: Secret[str] = field(repr=False)
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    signing_secret: Secret[str] = field(repr=False)
    generated_secret: bool

    def proves(self, client_secret: str) -> bool:
        """Whether this is the app's present secret."""
        return hmac.compare_digest(client_secret.encode(), self.client_secret.reveal().encode())

    def reset_secret(self) -> Secret[str]:
        """Replace the secret; the old one stops working at once."""
        self.client_secret = Secret(new_client_secret())
        self.generated_secret = True
        return self.client_secret


class AppBook:
    """The registered apps, in the order of their registration."""

    KEPT: ClassVar[tuple[str, ...]] = ("_apps",)

    def __init__(self, registrations: Iterable[AppRegistration]) -> None:
        self._apps: dict[str, App] = {}
        for registration in registrations:
            self.register(registration)

    def __iter__(self) -> Iterator[App]:
        return iter(list(self._apps.values()))

    def get(self, client_id: str) -> App | None:
        """The app with this client id."""
        return self._apps.get(client_id)

    @property
    def first(self) -> App:
        """The app that the sandbox was started with."""
        return next(iter(self._apps.values()))

    def register(self, registration: AppRegistration) -> App:
        """Add an app.

        Raises:
            ConfigurationError: the client id is no UUID or is taken, a scope is unknown, or a redirect URI is
                no absolute address.
        """
        client_id = registration.client_id or new_client_id()
        if not _is_uuid(client_id) or client_id in self._apps:
            raise ConfigurationError("a sandbox app's client id must be a UUID of its own")
        scopes = frozenset(SCOPES) if registration.scopes is None else _known(registration.scopes)
        app = App(
            client_id=client_id,
            name=registration.name,
            client_secret=registration.client_secret or Secret(new_client_secret()),
            redirect_uris=_absolute(registration.redirect_uris),
            scopes=scopes,
            signing_secret=registration.webhook_secret or Secret(new_signing_secret()),
            generated_secret=registration.client_secret is None,
        )
        self._apps[client_id] = app
        return app

    def remove(self, client_id: str) -> None:
        """Delete an app.

        Raises:
            ConfigurationError: there is no such app, or no other one.
        """
        if client_id not in self._apps:
            raise ConfigurationError("there is no such app")
        if len(self._apps) == 1:
            raise ConfigurationError("the sandbox needs at least one app; register another one first")
        del self._apps[client_id]

    @staticmethod
    def enable_scopes(app: App, scopes: Iterable[str]) -> None:
        """Change what an app may ask for; creators who are connected keep what they granted.

        Raises:
            ConfigurationError: a scope is unknown.
        """
        app.scopes = _known(scopes)

    @staticmethod
    def register_redirects(app: App, redirect_uris: Iterable[str]) -> None:
        """Change where an app may have its answers sent, as a whole.

        Raises:
            ConfigurationError: one is no absolute http or https address, or has a fragment.
        """
        app.redirect_uris = _absolute(redirect_uris)


def _absolute(redirect_uris: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(redirect_uris))
    if not all(_is_redirect_uri(uri) for uri in chosen):
        raise ConfigurationError("a redirect URI is an absolute http or https address without a fragment")
    return chosen


def _is_redirect_uri(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return uri.isprintable() and parts.scheme in ("http", "https") and bool(parts.hostname) and "#" not in uri


def _known(scopes: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(scopes)
    if not chosen <= frozenset(SCOPES):
        raise ConfigurationError("a sandbox app enables a scope that Fanvue does not have")
    return chosen


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
