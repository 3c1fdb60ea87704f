"""Chains that a login has replaced: kept, sealed, until Fanvue has confirmed that they are revoked."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fankeep.datakeys import DataKeys
from fankeep.errors import SealError
from fankeep.oauth import Outcome
from fankeep.secret import Secret
from fankeep.store import Database, revocations
from fankeep.store.revocations import RevocationRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import UserId
from fankeep.vault.clock import elapsed
from fankeep.vault.endpoint import TokenEndpoint, send_guard
from fankeep.vault.timing import Timing

__all__ = ["Revocations"]

_TABLE = "revocations"
_LONGEST_PAUSE = 300.0
_AT_ONCE = 20

log = get_logger("fankeep.vault")


class Revocations:
    """Revokes what no grant holds any more, whichever process gets to it."""

    def __init__(
        self, database: Database, datakeys: DataKeys, endpoint: TokenEndpoint, timing: Timing
    ) -> None:
        self._database = database
        self._datakeys = datakeys
        self._endpoint = endpoint
        self._timing = timing

    async def sealed(self, user: UserId, token: Secret[str], *, unanswered: bool) -> RevocationRow:
        """Make the row that a login stores together with its own pair.

        Args:
            user: whose chain it is.
            token: the newest refresh token of the chain that is known.
            unanswered: it was sent before without an answer, so its successor may exist.
        """
        record = secrets.token_hex(16)
        return RevocationRow(
            record, user, await self._seal(user, record, token), unanswered, tries=0, age=0.0
        )

    async def work_off(self) -> None:
        """Try everything that is due, once.

        Raises:
            RetryableError: the database cannot be reached.
        """
        for row in await self._database.read(lambda tx: revocations.due(tx, most=_AT_ONCE)):
            guard = send_guard(elapsed(), self._timing.call + self._timing.connect)
            if await self._claim(row):
                await self._try(row, guard)

    async def _claim(self, row: RevocationRow) -> bool:
        return await self._database.write(
            lambda tx: revocations.claim(tx, row, lease=2 * self._timing.call + self._timing.connect)
        )

    async def _try(self, row: RevocationRow, guard: Callable[[], None]) -> None:
        if row.age > self._timing.ending_limit:
            alarm("revocation_given_up", user=row.user_id)
            await self._remove(row)
            return
        try:
            token = await self._open(row)
        except SealError:  # the creator was erased, or the row was damaged: it cannot be revoked
            await self._remove(row)
            return
        if row.unanswered:
            await self._bring_newest(row, token, guard)
        elif await self._endpoint.revoke(token):
            await self._remove(row)
            log.info("replaced_chain_revoked", user=row.user_id)
        else:
            await self._postpone(row)

    async def _bring_newest(self, row: RevocationRow, token: Secret[str], guard: Callable[[], None]) -> None:
        """Send the token once more: inside the grace that brings its successor, past it the chain ends."""
        verdict = await self._endpoint.refresh(token, guard=guard)
        if verdict.outcome is Outcome.INVALID_GRANT:
            await self._remove(row)
        elif verdict.tokens is None:
            await self._postpone(row)
        else:
            sealed = await self._seal(row.user_id, row.id, verdict.tokens.refresh_token or token)
            await self._database.write(lambda tx: revocations.keep_newer(tx, row, sealed_refresh=sealed))

    async def _postpone(self, row: RevocationRow) -> None:
        pause = min(2.0 ** min(row.tries, 10), _LONGEST_PAUSE)
        await self._database.write(lambda tx: revocations.postpone(tx, row, retry_in=pause))

    async def _remove(self, row: RevocationRow) -> None:
        await self._database.write(lambda tx: revocations.remove(tx, row))

    async def _seal(self, user: UserId, record: str, token: Secret[str]) -> bytes:
        context = self._datakeys.context(user=user, table=_TABLE, record=record, field="refresh")
        return await self._datakeys.seal(context, token.reveal().encode())

    async def _open(self, row: RevocationRow) -> Secret[str]:
        context = self._datakeys.context(user=row.user_id, table=_TABLE, record=row.id, field="refresh")
        try:
            return Secret((await self._datakeys.open(context, row.sealed_refresh)).decode())
        except SealError:
            alarm("seal_failure", table=_TABLE, user=row.user_id)
            raise
