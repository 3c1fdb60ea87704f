"""Ending grants: local use stops first, then the newest token is revoked at Fanvue."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from fankeep.errors import FankeepError, RetryableError, SealError
from fankeep.oauth import Outcome
from fankeep.secret import Secret
from fankeep.store import Database, endings, grants
from fankeep.store.grants import GrantRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import Generation, GrantId
from fankeep.vault.clock import elapsed
from fankeep.vault.decide import leased, paused
from fankeep.vault.endpoint import TokenEndpoint, send_guard
from fankeep.vault.records import GrantRecords
from fankeep.vault.states import Event, State
from fankeep.vault.timing import Timing

__all__ = ["Ender", "confirmed"]

_LONGEST_PAUSE = 300.0
_GIVEN_UP = "revocation_given_up"
_NOT_OPENED = "seal_failure"
_NOT_AUTHENTIC = "mac_mismatch"
_UNCONFIRMED = frozenset({_GIVEN_UP, _NOT_OPENED, _NOT_AUTHENTIC})
_DISCARD_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)

log = get_logger("fankeep.vault")


class Ender:
    """Finishes grants in state ``ending`` and revokes tokens that no grant holds any more.

    Attributes:
        closing: set when the process shuts down; what is unfinished goes on at the next start.
    """

    def __init__(
        self, database: Database, records: GrantRecords, endpoint: TokenEndpoint, timing: Timing
    ) -> None:
        self._database = database
        self._records = records
        self._endpoint = endpoint
        self._timing = timing
        self.closing = False

    async def begin(self, row: GrantRow, reason: str) -> bool:
        """Stop the use of a living grant everywhere; False when it was changed since it was read."""
        mac = self._records.mac(row, Event.ENDED)
        begun = await self._database.write(lambda tx: endings.begin(tx, row, mac=mac, reason=reason))
        if begun:
            log.info("grant_ending", grant=row.id, user=row.user_id, reason=reason)
        return begun

    async def condemn(self, row: GrantRow, reason: str) -> bool:
        """Begin to end a row that is not authentic.

        Nobody can use it, but its sealed token may still open, and then its chain can still be revoked. That
        this is the newest token is not certain, so such an end never counts as confirmed.
        """
        mac = self._records.mac(row, Event.CONDEMNED)
        begun = await self._database.write(
            lambda tx: endings.condemn(tx, row, mac=mac, reason=reason, last_error=_NOT_AUTHENTIC)
        )
        if begun:
            log.error("grant_condemned", grant=row.id, user=row.user_id, reason=reason)
        return begun

    async def finish(self, grant: GrantId) -> bool:
        """Revoke an ending grant, trying again until it is confirmed or its day is over.

        A try that has to wait for longer than a call is left to the sweep.

        Returns:
            Whether the grant has ended with its revocation confirmed.
        """
        while not self.closing:
            try:
                row = await self._database.read(lambda tx: grants.load(tx, grant))
                if row is None or row.state != State.ENDING:
                    return confirmed(row)
                if not self._records.authentic(row):
                    alarm("mac_mismatch", table="grants", grant=grant)
                    return False
                if (row.ended_for or 0.0) > self._timing.ending_limit:
                    alarm("revocation_given_up", grant=grant)
                    await self._finish(row, _GIVEN_UP)
                    return False
                if paused(row) and (row.retry_in or 0.0) > self._timing.call:
                    return False
                await self._look(row)
            except FankeepError as error:
                log.warning("ending_failed", grant=grant, code=error.code)
                await asyncio.sleep(self._timing.watch)
        return False

    async def _look(self, row: GrantRow) -> None:
        if leased(row):
            await asyncio.sleep(self._timing.poll)
        elif paused(row):
            await asyncio.sleep(min(row.retry_in or 0.0, self._timing.watch))
        else:
            await self._try(row)

    async def keep_newer(self, row: GrantRow, newest: Secret[str], attempt_id: str) -> bool:
        """Keep the newest refresh token of an ending grant, so that it is the one that is revoked.

        Returns:
            False when the row was changed since it was read.
        """
        generation = Generation(row.generation + 1)
        sealed = await self._records.seal_refresh(row.id, row.user_id, generation, newest)
        mac = self._records.mac_of(row.id, row.user_id, generation, State.ENDING, row.scopes)
        return await self._database.write(
            lambda tx: endings.keep_newer(tx, row, attempt_id=attempt_id, sealed_refresh=sealed, mac=mac)
        )

    async def discard(self, token: Secret[str]) -> None:
        """Revoke a new token that nobody holds; after some tries that is left to its expiry, and logged."""
        for pause in _DISCARD_PAUSES:
            if await self._endpoint.revoke(token):
                log.info("unheld_chain_revoked")
                return
            if self.closing:
                break
            await asyncio.sleep(pause)
        log.error("unheld_chain_not_revoked")

    async def _try(self, row: GrantRow) -> None:
        attempt_id = secrets.token_hex(16)
        guard = send_guard(elapsed(), self._timing.lease - self._timing.call)
        if not await self._database.write(
            lambda tx: endings.claim(tx, row, attempt_id=attempt_id, lease=self._timing.lease)
        ):
            return
        if row.sealed_refresh is None:
            await self._finish(row)
            return
        try:
            token = await self._records.open_refresh(row)
        except SealError:
            await self._finish(row, _NOT_OPENED)  # it cannot be revoked; that it does not open is alarmed
            return
        if row.sends:
            await self._bring_newest(row, token, attempt_id, guard)
        elif await self._endpoint.revoke(token):
            await self._finish(row)
        else:
            await self._postpone(row, attempt_id, "revocation_unconfirmed")

    async def _bring_newest(
        self, row: GrantRow, token: Secret[str], attempt_id: str, guard: Callable[[], None]
    ) -> None:
        """A send of this token is unanswered, so a newer one may exist; revoking a spent one does nothing."""
        verdict = await self._endpoint.refresh(token, guard=guard)
        if verdict.outcome is Outcome.INVALID_GRANT:
            await self._finish(row)
        elif verdict.tokens is None:
            await self._postpone(row, attempt_id, verdict.code)
        else:
            await self.keep_newer(row, verdict.tokens.refresh_token or token, attempt_id)

    async def _postpone(self, row: GrantRow, attempt_id: str, code: str) -> None:
        retry_in = min(max(1.0, (row.ended_for or 0.0) / 4), _LONGEST_PAUSE)
        code = row.last_error if row.last_error in _UNCONFIRMED else code
        await self._database.write(
            lambda tx: endings.postpone(tx, row, attempt_id=attempt_id, retry_in=retry_in, last_error=code)
        )

    async def _finish(self, row: GrantRow, code: str | None = None) -> None:
        mac = self._records.mac_ended(row)
        error = row.last_error if row.last_error in _UNCONFIRMED else code
        if await self._database.write(lambda tx: endings.finish(tx, row, mac=mac, last_error=error)):
            log.info("grant_ended", grant=row.id, user=row.user_id, reason=row.end_reason)
        else:
            raise RetryableError("the grant changed while it was ended")


def confirmed(row: GrantRow | None) -> bool:
    """Whether Fanvue's word stands behind the end of a grant; where there is none, nothing is left to end."""
    return row is None or row.last_error not in _UNCONFIRMED
