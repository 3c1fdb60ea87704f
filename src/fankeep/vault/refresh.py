"""One send of a refresh token, from the claim to what is stored of its answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from fankeep.errors import RetryableError, SealError, StorageError, StorageUnavailable
from fankeep.oauth import Outcome, TokenResponse, Verdict
from fankeep.store import Database, Transaction, grants
from fankeep.store.grants import GrantRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import Generation, UserId
from fankeep.vault.clock import elapsed
from fankeep.vault.ending import Ender
from fankeep.vault.endpoint import TokenEndpoint, send_guard
from fankeep.vault.lineage import login_stored, token_generation
from fankeep.vault.records import GrantRecords, TokenPair
from fankeep.vault.restored import RESTORED
from fankeep.vault.states import ALIVE, Event, State, after
from fankeep.vault.timing import Timing

__all__ = ["Refresher"]

_NOT_SENT_PAUSE = 1.0
_SAVE_PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0)

log = get_logger("fankeep.vault")


@dataclass(frozen=True, slots=True)
class _Sent:
    """One send: the row it was decided on, its id, when it left, and whether it is the one past the grace."""

    row: GrantRow
    attempt_id: str
    at: float
    settled: bool

    @property
    def claimed(self) -> GrantRow:
        """The row as the claim left it."""
        return self.row._replace(state=State.REFRESHING, attempt_id=self.attempt_id, sends=self.row.sends + 1)


class Refresher:
    """Refreshes grants that need it. Runs in tasks that no caller's leaving cancels."""

    def __init__(
        self,
        database: Database,
        records: GrantRecords,
        endpoint: TokenEndpoint,
        ender: Ender,
        timing: Timing,
        *,
        died: Callable[[UserId, str], None],
    ) -> None:
        self._died = died
        self._database = database
        self._records = records
        self._endpoint = endpoint
        self._ender = ender
        self._timing = timing

    async def attempt(self, row: GrantRow, *, settled: bool) -> None:
        """Claim the grant, send its refresh token, and store what came of it.

        Returns when the row says what to do next; that nobody else did it before is not promised.

        Args:
            row: as just read and decided on.
            settled: the row was seen unchanged for the settle time, so this is the one send past the grace.

        Raises:
            SealError: the refresh token does not open.
            RetryableError: the database cannot be reached.
        """
        token = await self._records.open_refresh(row)
        sent = _Sent(row, secrets.token_hex(16), at=elapsed(), settled=settled)
        guard = send_guard(sent.at, self._timing.lease - self._timing.call)
        if not await self._claim(sent):
            await asyncio.sleep(self._timing.poll)  # somebody else was first; what they do takes a moment
            return

        log.info(
            "refresh_sent",
            grant=row.id,
            generation=row.generation,
            attempt=sent.attempt_id,
            sends=row.sends + 1,
        )
        verdict = await self._endpoint.refresh(token, guard=guard)
        await self._conclude(sent, verdict)

    async def note_grace_over(self, row: GrantRow) -> None:
        """Make a grant uncertain whose last sender is gone."""
        if row.attempt_id is None:
            raise TypeError("a grant with an unanswered send has an attempt")
        code = row.last_error or "no_answer"
        mac = self._records.mac(row, Event.GRACE_OVER)
        attempt_id = row.attempt_id
        noted = await self._database.write(
            lambda tx: grants.mark_uncertain(
                tx, row, attempt_id=attempt_id, mac=mac, last_error=code, mine=False
            )
        )
        if noted:
            log.error("grant_uncertain", grant=row.id, reason=code)

    async def _claim(self, sent: _Sent) -> bool:
        """Claim the grant; a claim whose commit was not confirmed holds as well, if it is there.

        To leave it to run out would cost one of the few sends that fit into the grace.
        """
        mac = self._records.mac(sent.row, Event.CLAIMED)
        try:
            return await self._database.write(
                lambda tx: grants.claim(
                    tx,
                    sent.row,
                    attempt_id=sent.attempt_id,
                    mac=mac,
                    lease=self._timing.lease,
                    max_sends=self._timing.max_sends,
                    repeat_window=self._timing.repeat_window,
                    settled=sent.settled,
                )
            )
        except StorageUnavailable as error:
            if not error.outcome_unknown:
                raise
        row = await self._database.read(lambda tx: grants.load(tx, sent.row.id))
        return row is not None and row.attempt_id == sent.attempt_id

    async def _conclude(self, sent: _Sent, verdict: Verdict) -> None:
        if verdict.tokens is not None:
            await self._save(sent, verdict.tokens)
            return
        log.warning("refresh_failed", grant=sent.row.id, attempt=sent.attempt_id, reason=verdict.code)
        unused = Event.STILL_OPEN if sent.row.sends else Event.NOT_USED_UP
        cool_down = self._cool_down(sent, verdict)
        match verdict.outcome:
            case Outcome.NOT_SENT:
                await self._give_back(sent, unused, verdict.code, _NOT_SENT_PAUSE)
            case Outcome.PASSING | Outcome.PASSING_REPORTED:
                await self._give_back(sent, unused, verdict.code, cool_down)
            case Outcome.WRONG_CLIENT | Outcome.BLOCKED:
                alarm("grant_blocked", grant=sent.row.id, reason=verdict.code)
                await self._give_back(sent, Event.APP_REFUSED, verdict.code, cool_down)
            case Outcome.INVALID_GRANT:
                await self._refused(sent, verdict.code)
            case _:
                await self._unanswered(sent, verdict.code)

    def _cool_down(self, sent: _Sent, verdict: Verdict) -> float:
        """How long to leave the grant alone.

        While the grace of an earlier send runs, which may have spent the token, that is no longer than a
        claim: with a longer wait the grace would be over. Past it the server gets the patience that it asks.
        """
        since = sent.row.since_first_send
        urgent = since is not None and not sent.settled and since < self._timing.repeat_window
        return min(verdict.cool_down, self._timing.lease) if urgent else verdict.cool_down

    async def _give_back(self, sent: _Sent, event: Event, code: str, retry_in: float) -> None:
        """Give the claim back after a send that did not use the token up, in the state that follows."""

        def give_back(claimed: GrantRow, tx: Transaction) -> Awaitable[bool]:
            return grants.abandon_send(
                tx,
                claimed,
                attempt_id=sent.attempt_id,
                state=after(State.REFRESHING, event),
                mac=self._records.mac(claimed, event),
                retry_in=retry_in,
                last_error=code,
            )

        await self._note(sent, give_back)

    async def _refused(self, sent: _Sent, code: str) -> None:
        """The server knows the token as spent or revoked.

        With another send of the same token unanswered, that send may be what spent it, and its owner may
        still live and hold the new pair. So the grant only dies when there is no such send, or when the row
        has settled meanwhile.
        """
        if sent.row.sends and not sent.settled:
            await self._uncertain(sent, code)
            return
        reason = _why_refused(sent.row)

        def mark_dead(claimed: GrantRow, tx: Transaction) -> Awaitable[bool]:
            mac = self._records.mac_ended(claimed)
            return grants.mark_dead(
                tx, claimed, attempt_id=sent.attempt_id, mac=mac, reason=reason, last_error=code
            )

        if await self._note(sent, mark_dead):
            log.error("grant_dead", grant=sent.row.id, user=sent.row.user_id, reason=reason)
            self._died(sent.row.user_id, reason)

    async def _unanswered(self, sent: _Sent, code: str) -> None:
        """The outcome is unknown. The claim runs out by itself, which spaces the repeats over the grace."""

        def note_unknown(claimed: GrantRow, tx: Transaction) -> Awaitable[bool]:
            return grants.note_unknown(tx, claimed, attempt_id=sent.attempt_id, last_error=code)

        await self._note(sent, note_unknown)

    async def _uncertain(self, sent: _Sent, code: str) -> None:
        def mark_uncertain(claimed: GrantRow, tx: Transaction) -> Awaitable[bool]:
            mac = self._records.mac(claimed, Event.GRACE_OVER)
            return grants.mark_uncertain(
                tx, claimed, attempt_id=sent.attempt_id, mac=mac, last_error=code, mine=True
            )

        if await self._note(sent, mark_uncertain):
            log.error("grant_uncertain", grant=sent.row.id, reason=code)

    async def _note(self, sent: _Sent, note: Callable[[GrantRow, Transaction], Awaitable[bool]]) -> bool:
        """Write down what came of a send, for as long as the claim holds.

        What the server said would be lost otherwise, and the next send would have to guess: a grant that was
        revoked would end as one whose answer was lost.

        Returns:
            Whether this send's word is in the row; False when somebody else's came first.
        """
        claimed = sent.claimed
        tries = 0
        while True:
            try:
                if await self._database.write(partial(note, claimed)):
                    return True
                row = await self._database.read(lambda tx: grants.load(tx, sent.row.id))
            except RetryableError as error:
                if elapsed() - sent.at > self._timing.lease:
                    raise
                log.error("refresh_not_noted_yet", grant=sent.row.id, code=error.code, tries=tries)
                await asyncio.sleep(_pause(tries))
                tries += 1
                continue
            if row is None or row.generation == claimed.generation:
                return False
            if row.attempt_id != sent.attempt_id:
                # Ours all the same, if only the confirmation of its commit was lost.
                return tries > 0 and row.state == State.DEAD and row.generation == claimed.generation + 1
            # A login has kept the token meanwhile, and the claim with it.
            claimed = claimed._replace(generation=row.generation, scopes=row.scopes)

    async def _save(self, sent: _Sent, tokens: TokenResponse) -> None:
        """Store the answer; tried until the database has it, since nothing else holds these tokens."""
        tries = 0
        row: GrantRow | None = sent.row
        while row is not None:
            try:
                if await self._store(row, sent, tokens):
                    log.info("refresh_stored", grant=row.id, generation=row.generation + 1)
                    return
                row = await self._superseded(sent, tokens)
            except SealError as error:
                # Nobody will ever be able to store this pair: the creator's key is gone.
                log.error("refresh_not_storable", grant=sent.row.id, error=error)
                if tokens.refresh_token is not None:
                    await self._ender.discard(tokens.refresh_token)
                raise
            except (RetryableError, StorageError) as error:
                log.error("refresh_not_stored_yet", grant=sent.row.id, code=error.code, tries=tries)
                await asyncio.sleep(_pause(tries))
                tries += 1

    async def _store(self, row: GrantRow, sent: _Sent, tokens: TokenResponse) -> bool:
        pair = TokenPair(
            access=tokens.access_token,
            # RFC 6749 section 6: without a new refresh token the old one stays.
            refresh=tokens.refresh_token or await self._records.open_refresh(row),
            access_left=tokens.expires_in - (elapsed() - sent.at),
            lifetime=tokens.expires_in,
            scopes=tuple(row.scopes.split()) if tokens.scopes is None else tuple(sorted(tokens.scopes)),
        )
        sealed = await self._records.seal(row.id, row.user_id, Generation(row.generation + 1), pair)
        return await self._database.write(
            lambda tx: grants.save(tx, row.id, row.generation, sealed, stored_by=sent.attempt_id)
        )

    async def _superseded(self, sent: _Sent, tokens: TokenResponse) -> GrantRow | None:
        """Nothing was changed: find out why, and leave no living token behind that nobody holds.

        Returns:
            The row over which the answer has to be stored instead: a login has kept the token that was sent.
        """
        newest = tokens.refresh_token
        while True:
            row = await self._database.read(lambda tx: grants.load(tx, sent.row.id))
            if row is not None and row.stored_by == sent.attempt_id:
                return None  # The commit had succeeded; only its confirmation was lost.
            same = row is not None and token_generation(row) == token_generation(sent.row)
            if row is not None and same and row.state in ALIVE:
                return row
            if row is None or not same or row.state != State.ENDING or newest is None:
                break
            if await self._ender.keep_newer(row, newest, sent.attempt_id):
                return None
        # What a login has replaced or somebody has ended is not to live on. A sibling of what is stored is
        # dropped: to revoke it would end the whole chain.
        unheld = row is None or row.state in (State.DEAD, State.ENDING) or login_stored(row)
        log.warning("refresh_superseded", grant=sent.row.id, attempt=sent.attempt_id, revoked=unheld)
        if unheld and newest is not None:
            await self._ender.discard(newest)
        return None


def _pause(tries: int) -> float:
    return _SAVE_PAUSES[min(tries, len(_SAVE_PAUSES) - 1)]


def _why_refused(row: GrantRow) -> str:
    """Tell a token that was spent from one that the creator has revoked."""
    if row.sends:
        return "answer_lost"
    return "back_up_too_old" if row.stored_by == RESTORED else "revoked_at_fanvue"
