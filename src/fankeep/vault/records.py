"""A grant's row as it is stored: tokens sealed, authority under a MAC."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.datakeys import DataKeys
from fankeep.errors import SealError
from fankeep.sealing import mac, mac_matches
from fankeep.secret import Secret
from fankeep.store.grants import GrantRow, NewPair
from fankeep.telemetry import alarm
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault.states import Event, State, after

__all__ = ["GrantRecords", "TokenPair"]

_TABLE = "grants"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a token answer brought, on its way into a row.

    Attributes:
        access_left: seconds until the access token expires, at the moment of storing.
        scopes: granted scopes, sorted.
    """

    access: Secret[str]
    refresh: Secret[str] | None
    access_left: float
    lifetime: float
    scopes: tuple[str, ...]


class GrantRecords:
    """Seals, opens and authenticates rows of the ``grants`` table.

    Both tokens are bound to the creator, the grant, the field and the generation; the MAC binds the state and
    the scopes to the same, so that neither can be changed or moved by whoever can write to the database.
    """

    def __init__(self, datakeys: DataKeys) -> None:
        self._datakeys = datakeys
        self._mac_key = datakeys.installation.key("mac")

    def mac(self, row: GrantRow, event: Event) -> bytes:
        """Return the MAC of the row as it is after ``event``, which does not move the generation."""
        return self.mac_of(row.id, row.user_id, row.generation, after(State(row.state), event), row.scopes)

    def mac_ended(self, row: GrantRow) -> bytes:
        """Return the MAC of the row once it is dead, one generation on."""
        return self.mac_of(row.id, row.user_id, Generation(row.generation + 1), State.DEAD, row.scopes)

    def mac_of(
        self, grant: GrantId, user: UserId, generation: Generation, state: State, scopes: str
    ) -> bytes:
        """Return the MAC over what a row grants."""
        return mac(self._mac_key, _TABLE, grant, user, generation, state.value, scopes)

    def authentic(self, row: GrantRow) -> bool:
        """Whether the row says what was stored."""
        return mac_matches(
            self._mac_key, row.mac, _TABLE, row.id, row.user_id, row.generation, row.state, row.scopes
        )

    async def seal(
        self, grant: GrantId, user: UserId, generation: Generation, pair: TokenPair, state: State = State.LIVE
    ) -> NewPair:
        """Seal a pair for the row of ``generation``."""
        scopes = " ".join(pair.scopes)
        refresh = pair.refresh
        return NewPair(
            sealed_access=await self._seal(grant, user, generation, "access", pair.access),
            sealed_refresh=None
            if refresh is None
            else await self.seal_refresh(grant, user, generation, refresh),
            access_left=pair.access_left,
            access_lifetime=pair.lifetime,
            scopes=scopes,
            mac=self.mac_of(grant, user, generation, state, scopes),
        )

    async def seal_refresh(
        self, grant: GrantId, user: UserId, generation: Generation, token: Secret[str]
    ) -> bytes:
        """Seal a refresh token for the row of ``generation``."""
        return await self._seal(grant, user, generation, "refresh", token)

    async def open_access(self, row: GrantRow) -> Secret[str]:
        """Open the access token.

        Raises:
            SealError: the value was damaged, moved or paired with another generation, or its key is gone.
        """
        return await self._open(row, "access", row.sealed_access)

    async def open_refresh(self, row: GrantRow) -> Secret[str]:
        """Open the refresh token; errors as in `open_access`."""
        return await self._open(row, "refresh", row.sealed_refresh)

    async def _seal(
        self, grant: GrantId, user: UserId, generation: Generation, field: str, token: Secret[str]
    ) -> bytes:
        context = self._datakeys.context(
            user=user, table=_TABLE, record=grant, field=field, generation=generation
        )
        return await self._datakeys.seal(context, token.reveal().encode())

    async def _open(self, row: GrantRow, field: str, sealed: bytes | None) -> Secret[str]:
        if sealed is None:
            raise SealError
        context = self._datakeys.context(
            user=row.user_id, table=_TABLE, record=row.id, field=field, generation=row.generation
        )
        try:
            return Secret((await self._datakeys.open(context, sealed)).decode())
        except SealError:
            alarm("seal_failure", table=_TABLE, grant=row.id)
            raise
