"""Token chains that behave like Ory Hydra's: rotation, a grace for repeats, reuse detection, revocation.

A *chain* is everything that grew out of one authorization. Spending a refresh token kills the access token
it was issued with and makes a new pair. Within the grace, counted from the first use, a repeat gets a pair
too, so that a chain may have several newest tokens. A repeat after the grace is reuse: the chain dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from fankeep.sandbox.codes import Authorization
from fankeep.sandbox.credentials import new_access_token, new_refresh_token
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.settings import GraceAnswer, RevokeSpent, SandboxSettings

__all__ = ["AccessToken", "Chain", "EndReason", "RefreshToken", "TokenBook", "TokenPair"]

_USED = "The refresh token was already used."


class EndReason(StrEnum):
    """Why a chain is dead."""

    REVOKED = "revoked"
    REUSE = "reuse"
    CODE_REUSE = "code_reuse"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True, eq=False)
class AccessToken:
    """An access token; ``alive`` turns False when it is rotated away, expired by hand or revoked."""

    value: str = field(repr=False)
    chain: Chain = field(repr=False)
    expires_at: float
    alive: bool = True

    def live(self, now: float) -> bool:
        """Whether the API takes it."""
        return self.alive and now < self.expires_at and self.chain.ended is None


@dataclass(slots=True, eq=False)
class RefreshToken:
    """A refresh token.

    Attributes:
        number: its place in its chain, from 1.
        access: the access token issued with it.
        first_used_at: when it was spent, if it was.
        uses: how often it was spent, repeats within the grace included.
    """

    value: str = field(repr=False)
    chain: Chain = field(repr=False)
    number: int
    access: AccessToken = field(repr=False)
    expires_at: float
    first_used_at: float | None = None
    uses: int = 0
    alive: bool = True
    children: list[TokenPair] = field(default_factory=list, repr=False)

    def live(self, now: float) -> bool:
        """Whether it is unspent and good."""
        fresh = self.first_used_at is None and now < self.expires_at
        return self.alive and fresh and self.chain.ended is None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What the token endpoint hands out; no refresh token without ``offline_access``."""

    access: AccessToken
    refresh: RefreshToken | None
    expires_in: int


@dataclass(slots=True, eq=False)
class Chain:
    """All tokens of one authorization."""

    number: int
    authorization: Authorization
    started_at: float
    ended: EndReason | None = None
    access_tokens: list[AccessToken] = field(default_factory=list, repr=False)
    refresh_tokens: list[RefreshToken] = field(default_factory=list, repr=False)

    def live(self, now: float) -> bool:
        """Whether any token of it is still good for something."""
        if any(token.live(now) for token in self.access_tokens):
            return True
        return any(token.live(now) for token in self.refresh_tokens)

    def end(self, reason: EndReason) -> None:
        """Kill every token of the chain; the first reason stands."""
        if self.ended is None:
            self.ended = reason


class TokenBook:
    """Every chain of a sandbox.

    Args:
        settings: lifetimes, the grace and the disputed facts.
        access_value: makes the value of an access token; by default an opaque one.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("chains", "_access", "_refresh", "_by_code")

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        access_value: Callable[[Authorization, float], str] | None = None,
    ) -> None:
        self._settings = settings
        self._access_value = access_value or (lambda _authorization, _now: new_access_token())
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._by_code: dict[str, Chain] = {}
        self.chains: list[Chain] = []
        self.access_token_lifetime = settings.access_token_lifetime

    def start(self, authorization: Authorization, code: str, *, now: float) -> TokenPair:
        """Begin a chain for a redeemed code."""
        chain = Chain(len(self.chains) + 1, authorization, now)
        self.chains.append(chain)
        self._by_code[code] = chain
        return self._issue(chain, now)

    def code_reused(self, code: str) -> None:
        """Kill the chain that a code started, since the code was presented again."""
        chain = self._by_code.get(code)
        if chain is not None:
            chain.end(EndReason.CODE_REUSE)

    def refresh_token(self, value: str) -> RefreshToken | None:
        """Look up a refresh token, dead ones included."""
        return self._refresh.get(value)

    def rotate(
        self, value: str, *, client_id: str, app_scopes: frozenset[str], scope: str | None, now: float
    ) -> TokenPair:
        """Spend a refresh token (RFC 6749 section 6), or repeat within the grace.

        Args:
            value: the refresh token.
            client_id: the client that proved itself.
            app_scopes: what that app has enabled today.
            scope: the request's ``scope`` parameter; may only narrow.
            now: seconds since 1970.

        Raises:
            Refusal: ``invalid_grant`` or ``invalid_scope``. Reuse outside the grace has then ended the chain.
        """
        token = self._spendable(value, client_id=client_id, now=now)
        self._check_scopes(token.chain, app_scopes=app_scopes, scope=scope)
        repeated = self._spend(token, now)
        if repeated and self._settings.switches.grace_answer is GraceAnswer.SAME_PAIR:
            return token.children[0]
        if repeated and self._settings.switches.grace_answer is GraceAnswer.OWN_PAIR_EARLIER_REVOKED:
            _revoke_pairs(token.children)
        pair = self._issue(token.chain, now)
        token.children.append(pair)
        return pair

    def revoke(self, value: str, *, client_id: str, now: float) -> Authorization | None:
        """Revoke a token (RFC 7009); an unknown one is no error.

        Returns:
            The authorization whose whole consent goes with the token; None when nothing more is to be done.

        Raises:
            Refusal: ``unauthorized_client`` when the token belongs to another app.
        """
        token = self._refresh.get(value) or self._access.get(value)
        if token is None:
            return None
        if token.chain.authorization.client_id != client_id:
            raise Refusal(RefusalKind.UNAUTHORIZED_CLIENT)
        if isinstance(token, AccessToken) or token.live(now):
            token.chain.end(EndReason.REVOKED)
            return None
        choice = self._settings.switches.revoke_spent
        if choice is RevokeSpent.CHAIN:
            token.chain.end(EndReason.REVOKED)
        return token.chain.authorization if choice is RevokeSpent.CONSENT else None

    def withdraw(self, *, creator: str, client_id: str) -> int:
        """End every chain between a creator and an app; returns how many ended."""
        ended = [chain for chain in self.between(creator=creator, client_id=client_id) if chain.ended is None]
        for chain in ended:
            chain.end(EndReason.WITHDRAWN)
        return len(ended)

    def between(self, *, creator: str | None = None, client_id: str | None = None) -> Iterator[Chain]:
        """The chains of a creator, of an app, or between the two."""
        for chain in self.chains:
            authorization = chain.authorization
            if creator in (None, authorization.creator) and client_id in (None, authorization.client_id):
                yield chain

    def access_token(self, value: str, *, now: float) -> AccessToken | None:
        """The access token that the API may accept, or None."""
        token = self._access.get(value)
        return token if token is not None and token.live(now) else None

    def expire_access_tokens(self, *, creator: str | None, now: float) -> int:
        """Let every living access token (of one creator) expire now; returns how many did."""
        living = [
            token
            for chain in self.between(creator=creator)
            for token in chain.access_tokens
            if token.live(now)
        ]
        for token in living:
            token.expires_at = now
        return len(living)

    def _spendable(self, value: str, *, client_id: str, now: float) -> RefreshToken:
        token = self._refresh.get(value)
        if token is None or token.chain.ended is EndReason.WITHDRAWN:
            raise Refusal(RefusalKind.INVALID_GRANT)
        chain = token.chain
        if chain.authorization.client_id != client_id:
            raise Refusal(
                RefusalKind.INVALID_GRANT,
                "The OAuth 2.0 Client ID from this request does not match the ID during the initial token"
                " issuance.",
            )
        if chain.ended is not None or not token.alive:
            raise Refusal(RefusalKind.INVALID_GRANT, _USED)
        if now >= token.expires_at:
            raise Refusal(RefusalKind.INVALID_GRANT, "The refresh token expired.")
        if token.first_used_at is not None and not self._in_grace(token, now):
            chain.end(EndReason.REUSE)
            raise Refusal(RefusalKind.INVALID_GRANT, _USED)
        return token

    def _in_grace(self, token: RefreshToken, now: float) -> bool:
        if token.first_used_at is None or now >= token.first_used_at + self._settings.grace:
            return False
        repeats = self._settings.switches.grace_repeats
        return repeats is None or token.uses <= repeats

    @staticmethod
    def _check_scopes(chain: Chain, *, app_scopes: frozenset[str], scope: str | None) -> None:
        granted = chain.authorization.scopes
        wanted = granted if scope is None else scope.split()
        for name in wanted:
            if name not in granted:
                raise Refusal(
                    RefusalKind.INVALID_SCOPE,
                    f"The requested scope '{name[:64]}' was not originally granted by the resource owner.",
                )
        for name in granted:
            if name not in app_scopes:
                raise Refusal(
                    RefusalKind.INVALID_SCOPE,
                    f"The OAuth 2.0 Client is not allowed to request scope '{name}'.",
                )

    @staticmethod
    def _spend(token: RefreshToken, now: float) -> bool:
        """Count a use; True when it repeats an earlier one, which never moves the start of the grace."""
        token.uses += 1
        token.access.alive = False
        if token.first_used_at is not None:
            return True
        token.first_used_at = now
        return False

    def _issue(self, chain: Chain, now: float) -> TokenPair:
        lifetime = self.access_token_lifetime
        access = AccessToken(self._access_value(chain.authorization, now), chain, now + lifetime)
        chain.access_tokens.append(access)
        self._access[access.value] = access
        refresh = self._issue_refresh(chain, access, now) if self._is_offline(chain) else None
        return TokenPair(access, refresh, int(lifetime))

    def _issue_refresh(self, chain: Chain, access: AccessToken, now: float) -> RefreshToken:
        refresh = RefreshToken(
            new_refresh_token(),
            chain,
            len(chain.refresh_tokens) + 1,
            access,
            now + self._settings.refresh_token_lifetime,
        )
        chain.refresh_tokens.append(refresh)
        self._refresh[refresh.value] = refresh
        return refresh

    def _is_offline(self, chain: Chain) -> bool:
        authorization, switches = chain.authorization, self._settings.switches
        if authorization.reconnect and not switches.refresh_token_on_reconnect:
            return False
        enough = {"offline_access", "offline"} if switches.offline_suffices else {"offline_access"}
        return not enough.isdisjoint(authorization.scopes)


def _revoke_pairs(pairs: list[TokenPair]) -> None:
    for pair in pairs:
        pair.access.alive = False
        if pair.refresh is not None:
            pair.refresh.alive = False
