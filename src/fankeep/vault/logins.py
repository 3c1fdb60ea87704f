"""Storing what a completed login brought."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from fankeep.datakeys import DataKeys
from fankeep.errors import SealError, StorageUnavailable
from fankeep.secret import Secret
from fankeep.store import Database, Transaction, grants, revocations, users
from fankeep.store.grants import GrantRow
from fankeep.telemetry import get_logger
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault.decide import leased
from fankeep.vault.lineage import kept_by, replaced_by
from fankeep.vault.records import GrantRecords, TokenPair
from fankeep.vault.revocations import Revocations
from fankeep.vault.states import ALIVE, Event, State, after

__all__ = ["Logins", "StoredLogin"]

log = get_logger("fankeep.vault")


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """What was stored, and whether a chain that it replaced waits for its revocation."""

    generation: Generation
    replaced: bool


class Logins:
    """Stores a login as a creator's first grant, or as the next generation of the one there is.

    Every transaction takes the creator's row before the grant's, as an erasure does: in another order two of
    them could wait for each other.
    """

    def __init__(
        self, database: Database, datakeys: DataKeys, records: GrantRecords, replaced: Revocations
    ) -> None:
        self._database = database
        self._datakeys = datakeys
        self._records = records
        self._replaced = replaced

    async def store(self, user: UserId, pair: TokenPair) -> StoredLogin:
        """Store the pair; tried again when somebody else changed the grant, or a commit was not confirmed."""
        await self._datakeys.ensure(user)
        login_id = secrets.token_hex(16)
        while True:
            row = await self._database.read(lambda tx: grants.by_user(tx, user))
            stored = await self._try(user, row, pair, login_id)
            if stored is not None:
                log.info("login_stored", user=user, generation=stored.generation)
                return stored

    async def _try(
        self, user: UserId, row: GrantRow | None, pair: TokenPair, login_id: str
    ) -> StoredLogin | None:
        if row is not None and (row.stored_by or "").endswith(f":{login_id}"):
            return StoredLogin(row.generation, replaced=True)  # perhaps; whoever looks for it finds out
        try:
            return await (
                self._first(user, pair, login_id) if row is None else self._next(row, pair, login_id)
            )
        except StorageUnavailable as error:
            if not error.outcome_unknown:
                raise
            return None

    async def _first(self, user: UserId, pair: TokenPair, login_id: str) -> StoredLogin | None:
        grant = GrantId(secrets.token_hex(16))
        sealed = await self._records.seal(grant, user, Generation(1), pair)

        async def work(tx: Transaction) -> bool:
            await users.add(tx, user)
            return await grants.insert(tx, grant, user, sealed, stored_by=replaced_by(login_id))

        inserted = await self._database.write(work)
        return StoredLogin(Generation(1), replaced=False) if inserted else None

    async def _next(self, row: GrantRow, pair: TokenPair, login_id: str) -> StoredLogin | None:
        old = await self._unrevoked_token(row)
        if pair.refresh is None and old is not None and row.state in ALIVE:
            log.warning("reconnect_without_refresh_token", user=row.user_id)
            return await self._keep(row, replace(pair, refresh=old), login_id)
        sealed = await self._records.seal(row.id, row.user_id, Generation(row.generation + 1), pair)
        replaced = (
            None if old is None else await self._replaced.sealed(row.user_id, old, unanswered=row.sends > 0)
        )
        # Whoever holds the claim may be sending the token right now: the revocation waits for its end.
        due_in = (row.lease_left or 0.0) if leased(row) else 0.0

        async def work(tx: Transaction) -> bool:
            await users.add(tx, row.user_id)
            stored = await grants.replace(tx, row, sealed, stored_by=replaced_by(login_id))
            if stored and replaced is not None:
                await revocations.add(tx, replaced, due_in=due_in)
            return stored

        if not await self._database.write(work):
            return None
        return StoredLogin(Generation(row.generation + 1), replaced=replaced is not None)

    async def _keep(self, row: GrantRow, pair: TokenPair, login_id: str) -> StoredLogin | None:
        """Store a pair with the refresh token that the row has, in the state in which the row is.

        A send of that token may be unanswered: its answer is stored over this generation, and until then the
        token is as uncertain as it was.
        """
        generation = Generation(row.generation + 1)
        state = after(State(row.state), Event.LOGIN_KEPT)
        sealed = await self._records.seal(row.id, row.user_id, generation, pair, state)

        async def work(tx: Transaction) -> bool:
            await users.add(tx, row.user_id)
            return await grants.keep(tx, row, sealed, stored_by=kept_by(login_id, row))

        return StoredLogin(generation, replaced=False) if await self._database.write(work) else None

    async def _unrevoked_token(self, row: GrantRow) -> Secret[str] | None:
        """Open the refresh token of a chain that may still live at the server."""
        if row.sealed_refresh is None or not self._records.authentic(row):
            return None
        try:
            return await self._records.open_refresh(row)
        except SealError:
            return None
