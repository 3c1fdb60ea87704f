"""A model of the authorization server: rotation, a grace from the first use, reuse detection, revocation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from fankeep.types import HttpResponse

GRACE = 30.0
LIFETIME = 120.0


@dataclass
class Chain:
    """What one consent has given; ``ended`` says who ended it: ``fanvue``, ``reuse`` or ``client``."""

    ended: str | None = None
    ended_at: float = 0.0

    def end(self, why: str, now: float) -> None:
        if self.ended is None:
            self.ended, self.ended_at = why, now


@dataclass
class AccessToken:
    chain: Chain
    dead_since: float | None = None

    def died_at(self) -> float | None:
        """When it died, if it did."""
        times = [self.dead_since, self.chain.ended_at if self.chain.ended else None]
        return min((time for time in times if time is not None), default=None)


@dataclass
class RefreshToken:
    chain: Chain
    parent: str | None
    access: AccessToken
    first_used: float | None = None


@dataclass
class Server:
    """Tokens by their values."""

    clock: Callable[[], float]
    refresh: dict[str, RefreshToken] = field(default_factory=dict)
    access: dict[str, AccessToken] = field(default_factory=dict)
    issued: int = 0

    def consent(self) -> tuple[str, str]:
        """Begin a chain, as a login does."""
        return self._issue(Chain(), None)

    def access_only(self) -> str:
        """Give an access token without a refresh token."""
        self.issued += 1
        name = f"access-{self.issued}"
        self.access[name] = AccessToken(Chain())
        return name

    def use(self, token: str) -> HttpResponse:
        """Answer a refresh (RFC 6749 section 6)."""
        known, now = self.refresh[token], self.clock()
        if known.chain.ended is not None:
            return error(400, "invalid_grant")
        if known.first_used is None:
            known.first_used = now
            known.access.dead_since = now
        elif now >= known.first_used + GRACE:
            known.chain.end("reuse", now)
            return error(400, "invalid_grant")
        access, refresh = self._issue(known.chain, token)
        return respond(
            200,
            {
                "access_token": access,
                "refresh_token": refresh,
                "expires_in": LIFETIME,
                "token_type": "bearer",
            },
        )

    def revoke(self, token: str) -> HttpResponse:
        """Answer a revocation (RFC 7009); a spent token's does nothing."""
        known = self.refresh[token]
        if known.first_used is None:
            known.chain.end("client", self.clock())
        return respond(200, {})

    def withdraw(self) -> None:
        """The creator withdraws every consent at Fanvue."""
        for token in self.refresh.values():
            token.chain.end("fanvue", self.clock())

    def _issue(self, chain: Chain, parent: str | None) -> tuple[str, str]:
        self.issued += 1
        access, refresh = f"access-{self.issued}", f"refresh-{self.issued}"
        self.access[access] = AccessToken(chain)
        self.refresh[refresh] = RefreshToken(chain, parent, self.access[access])
        return access, refresh


def respond(status: int, body: object, **headers: str) -> HttpResponse:
    headers = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return HttpResponse(status, headers, json.dumps(body).encode())


def error(status: int, code: str, **headers: str) -> HttpResponse:
    return respond(status, {"error": code}, **headers)
