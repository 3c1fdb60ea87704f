"""Connect, log out, disconnect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from fankeep.errors import FankeepError
from fankeep.fanvue.scopes import SCOPES
from fankeep.lifecycle.identity import Identity
from fankeep.oauth import TokenResponse, VerifiedCallback
from fankeep.sessions import Session, Sessions
from fankeep.telemetry import get_logger
from fankeep.types import UserId
from fankeep.vault import GrantStatus, State, TokenEndpoint, TokenPair, Vault

__all__ = ["Connected", "Lifecycle", "LogoutPolicy"]

log = get_logger("fankeep.lifecycle")

_SYSTEM = "system"
_TOLD_WITHIN = 86_400.0


class LogoutPolicy(StrEnum):
    """What a logout ends besides the session itself."""

    SESSION = "session"
    LAST_SESSION = "last_session"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Connected:
    """A completed login.

    Attributes:
        missing_scopes: what was asked for and not granted; the app has to do without or ask again.
    """

    user: UserId
    missing_scopes: tuple[str, ...]


class Lifecycle:
    """What touches grants and sessions together.

    *Logout ends a session; disconnect ends the grant.* Local use stops first in both, the network comes
    after; but what has to be said with the grant itself is said before it ends.
    """

    def __init__(
        self,
        vault: Vault,
        endpoint: TokenEndpoint,
        identity: Identity,
        sessions: Sessions,
        logout_policy: LogoutPolicy,
        *,
        leaving: Callable[[UserId], Awaitable[None]],
    ) -> None:
        """Take the services.

        Args:
            vault: the grants.
            endpoint: where codes are exchanged.
            identity: who signs in.
            sessions: the browser sessions.
            logout_policy: what a logout ends.
            leaving: called before a creator's grant ends for good, for what needs its token; takes seconds
                at most, and does not raise.
        """
        self._vault = vault
        self._endpoint = endpoint
        self._identity = identity
        self._sessions = sessions
        self._logout_policy = logout_policy
        self._leaving = leaving
        vault.on_grant_dead(self._grant_died)

    async def connect(self, callback: VerifiedCallback) -> Connected:
        """Exchange the code, find out who signed in, and store the grant.

        Tokens of a login that cannot be completed are revoked: nobody would hold them.

        Raises:
            CallbackError: the login brought nobody.
            ProviderError: Fanvue refuses the code or the profile.
            RetryableError: Fanvue or the database does not answer; the creator starts again.
        """
        tokens = await self._endpoint.exchange(callback)
        requested = self._endpoint.client.scopes
        granted = requested if tokens.scopes is None else tokens.scopes
        pair = _pair(tokens, granted)
        try:
            user = await self._identity.of(tokens, callback)
            await self._vault.store_login(user, pair)
        except FankeepError as error:
            log.warning("login_not_completed", code=error.code)
            await self._vault.discard(pair)
            raise
        # The server need not echo its own scopes (RFC 6749 section 5.1 asks for it; it was seen otherwise).
        missing = sorted(scope for scope in requested if scope not in granted and not _echo_optional(scope))
        log.info("connected", user=user, missing_scopes=len(missing))
        return Connected(user, tuple(missing))

    async def logout(self, session: Session) -> None:
        """End the session, and the grant when the policy says so."""
        await self._sessions.end(session)
        log.info("logged_out", user=session.user)
        if await self._ends_grant(session.user):
            await self._vault.end(session.user, "logged_out")

    async def _ends_grant(self, user: UserId) -> bool:
        if self._logout_policy is LogoutPolicy.LAST_SESSION:
            return not await self._sessions.any_of(user)
        return self._logout_policy is LogoutPolicy.ALWAYS

    async def disconnect(self, user: UserId) -> bool:
        """End all sessions and the grant of a creator, and revoke it at Fanvue.

        Returns:
            Whether Fanvue has confirmed the revocation already; if not, it goes on in the background.
        """
        await self._sessions.end_all(user)
        await self._leaving(user)
        return await self._vault.end(user, "disconnected")

    async def _grant_died(self, user: UserId, reason: str) -> None:
        """Downgrade the creator's sessions, when Fanvue's word has ended the grant under them.

        A session reads its grant's state at each use, so all that can be done in it now is to see the reason
        and connect again. Those that nobody used for a day end: nobody is there to be told.
        """
        ended = await self._sessions.end_unseen(user, unseen_for=_TOLD_WITHIN)
        log.warning("sessions_downgraded", user=user, reason=reason, ended=ended)

    async def grant_status(self, user: UserId) -> GrantStatus | None:
        """Return what may be shown of the creator's connection."""
        status = await self._vault.status(user)
        return None if status is None or status.state is State.ENDING else status


def _echo_optional(scope: str) -> bool:
    return scope in SCOPES and SCOPES[scope].kind == _SYSTEM


def _pair(tokens: TokenResponse, granted: tuple[str, ...]) -> TokenPair:
    return TokenPair(
        access=tokens.access_token,
        refresh=tokens.refresh_token,
        access_left=tokens.expires_in,
        lifetime=tokens.expires_in,
        scopes=tuple(sorted(granted)),
    )
