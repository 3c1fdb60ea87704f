"""What creators have allowed, which browsers are signed in, and requests that wait for a person."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from fankeep.sandbox.credentials import new_challenge

__all__ = ["AuthorizationRequest", "ConsentBook", "Login", "LoginBook", "PendingBook"]

_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked authorization request (RFC 6749 section 4.1.1), waiting for login and consent.

    Attributes:
        prompts: the words of ``prompt``.
        response_mode: ``query`` or ``form_post``.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    code_challenge: str
    nonce: str | None
    prompts: frozenset[str]
    response_mode: str


class PendingBook:
    """Authorization requests by the handle that the login and consent pages carry; the oldest fall out."""

    def __init__(self) -> None:
        self._pending: OrderedDict[str, AuthorizationRequest] = OrderedDict()

    def add(self, request: AuthorizationRequest) -> str:
        """Keep a request and return its handle."""
        handle = new_challenge()
        self._pending[handle] = request
        if len(self._pending) > _LIMIT:
            self._pending.popitem(last=False)
        return handle

    def get(self, handle: str) -> AuthorizationRequest | None:
        """The request behind a handle."""
        return self._pending.get(handle)

    def replace(self, handle: str, request: AuthorizationRequest) -> None:
        """Put a changed request behind a handle that is still open."""
        if handle in self._pending:
            self._pending[handle] = request

    def finish(self, handle: str) -> None:
        """Forget a request that has been answered, so that it cannot be answered twice."""
        self._pending.pop(handle, None)


@dataclass(frozen=True, slots=True)
class Login:
    """A browser that is signed in.

    Attributes:
        creator: the creator's uuid.
        at: when, in seconds since 1970.
    """

    creator: str
    at: float


class LoginBook:
    """Signed-in browsers by the value of their cookie; the oldest fall out."""

    def __init__(self) -> None:
        self._logins: OrderedDict[str, Login] = OrderedDict()

    def start(self, creator: str, *, now: float) -> str:
        """Sign a browser in; returns the cookie's value."""
        handle = new_challenge()
        self._logins[handle] = Login(creator, now)
        if len(self._logins) > _LIMIT:
            self._logins.popitem(last=False)
        return handle

    def get(self, handle: str | None) -> Login | None:
        """Who is signed in with this cookie."""
        return self._logins.get(handle) if handle else None

    def end(self, handle: str | None) -> None:
        """Sign a browser out."""
        if handle:
            self._logins.pop(handle, None)


class ConsentBook:
    """Which scopes a creator has granted to an app, until the creator takes it back."""

    KEPT: ClassVar[tuple[str, ...]] = ("_granted",)

    def __init__(self) -> None:
        self._granted: dict[tuple[str, str], frozenset[str]] = {}

    def granted(self, *, creator: str, client_id: str) -> frozenset[str]:
        """The scopes granted so far; empty when there is no consent."""
        return self._granted.get((creator, client_id), frozenset())

    def grant(self, *, creator: str, client_id: str, scopes: tuple[str, ...]) -> None:
        """Remember a consent; later ones add to it."""
        before = self.granted(creator=creator, client_id=client_id)
        self._granted[(creator, client_id)] = before | frozenset(scopes)

    def withdraw(self, *, creator: str, client_id: str) -> bool:
        """Forget a consent; True when there was one."""
        return self._granted.pop((creator, client_id), None) is not None

    def creators_of(self, client_id: str) -> frozenset[str]:
        """The creators who have a consent with an app."""
        return frozenset(creator for creator, app in self._granted if app == client_id)

    def apps_of(self, creator: str) -> frozenset[str]:
        """The client ids to which a creator has consented."""
        return frozenset(app for owner, app in self._granted if owner == creator)
