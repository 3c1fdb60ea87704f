"""The vault: access tokens for those who may use them, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.errors import FankeepError, NotConnected, RetryableError
from fankeep.store import Database, grant_lists, grants
from fankeep.store.grants import GrantRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import Generation, GrantId, UserId
from fankeep.vault.attempts import Attempts
from fankeep.vault.clock import elapsed
from fankeep.vault.decide import Refuse, Serve, decide
from fankeep.vault.ending import Ender, confirmed
from fankeep.vault.endpoint import TokenEndpoint
from fankeep.vault.holding import AccessToken, Holding
from fankeep.vault.logins import Logins
from fankeep.vault.records import GrantRecords, TokenPair
from fankeep.vault.refresh import Refresher
from fankeep.vault.revocations import Revocations
from fankeep.vault.states import State
from fankeep.vault.sweep import Sweeper
from fankeep.vault.timing import Timing

__all__ = ["GrantStatus", "Vault"]

_MOST_UNUSED: Final = 1_000

log = get_logger("fankeep.vault")


@dataclass(frozen=True, slots=True)
class GrantStatus:
    """What may be shown of a grant.

    Attributes:
        user: whose it is.
        reason: why it ended, when it has.
        last_error: the code of the last refresh that failed, when the last one did.
        access_left: seconds until the stored access token expires, when there is one.
        stored_age: seconds since its tokens were stored.
        unused_for: seconds since it was last used, with a resolution of minutes.
    """

    user: UserId
    state: State
    generation: Generation
    scopes: tuple[str, ...]
    reason: str | None
    last_error: str | None
    access_left: float | None
    stored_age: float
    unused_for: float | None


class Vault:
    """Keeps the grants of all creators.

    One per process. Several processes may work on one database: each change of a grant is one guarded
    statement, and at most one of them holds the claim to refresh it.

    Security:
        The tokens that it hands out are `Secret`; they belong in an ``Authorization`` header, nowhere else.
    """

    def __init__(
        self, database: Database, datakeys: DataKeys, endpoint: TokenEndpoint, *, timing: Timing | None = None
    ) -> None:
        self._timing = timing or Timing()
        self._database = database
        self._records = GrantRecords(datakeys)
        self._holding = Holding(database, self._records, self._timing)
        self._ender = Ender(database, self._records, endpoint, self._timing)
        refresher = Refresher(
            database, self._records, endpoint, self._ender, self._timing, died=self._grant_died
        )
        self._attempts = Attempts(self._holding, refresher, self._timing)
        self._revocations = Revocations(database, datakeys, endpoint, self._timing)
        self._logins = Logins(database, datakeys, self._records, self._revocations)
        self._sweeper = Sweeper(
            database,
            self._attempts,
            self._revocations,
            finish=self._end,
            end_unused=self.end_unused,
            timing=self._timing,
        )
        self._sweeping: asyncio.Task[None] | None = None
        self._dead_hooks: list[Callable[[UserId, str], Awaitable[None]]] = []
        self._endings: dict[GrantId, asyncio.Task[bool]] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Go on with what an earlier process left open, and look ahead from now on.

        Left open are unanswered refreshes, unconfirmed revocations and replaced chains; the first sweep finds
        them. Ahead of expiry, grants in use are refreshed; the others often enough that they stay good.
        """
        self._sweeping = asyncio.create_task(self._sweeper.run(), name="sweep")

    async def close(self) -> None:
        """Stop starting anything and wait for what is under way.

        An answer that was received is stored before this returns, however long the database takes.
        """
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait({self._sweeping})
        self._ender.closing = True
        await self._attempts.close()
        await asyncio.gather(*self._endings.values(), *self._chores, return_exceptions=True)

    def on_grant_dead(self, hook: Callable[[UserId, str], Awaitable[None]]) -> None:
        """Call ``hook`` with the creator and the reason when Fanvue's word has ended a grant.

        It is called in the process that learned of it, after the grant was marked; once a grant.
        """
        self._dead_hooks.append(hook)

    async def access_token(self, user: UserId) -> AccessToken:
        """Return a token that is good for a call now, refreshing it first when it has to be.

        Raises:
            NotConnected: this creator has no grant.
            ReconnectRequired: the grant has ended.
            RefreshPending: the refresh did not finish in time; it goes on.
            RetryableError: Fanvue or the database cannot be reached.
        """
        began = now = elapsed()
        held = self._holding.token(user, now)
        while held is None:
            held = await self._access_token(user, now)
            now = elapsed()
            if held is None and now - began > self._timing.join:
                raise RetryableError("reading the grant takes too long")
        return held

    async def _access_token(self, user: UserId, now: float) -> AccessToken | None:
        row, read_at = await self._holding.read(user, now)
        if row is None:
            self._holding.forget(user)
            raise NotConnected
        if read_at == now:
            self._note_use(row)
        match decide(row, self._timing):
            case Serve():
                return await self._holding.open(row, read_at)
            case Refuse(error):
                self._holding.forget(user)
                raise error
            case _:
                return await self._attempts.join(row.id)

    async def refused(self, user: UserId, generation: Generation) -> None:
        """Take note that the API answered 401 to the token of ``generation``.

        Refreshes when that is still the stored generation and not a young one; since a refresh that succeeds
        moves the generation, that is once a generation. While a refresh is under way, in whatever process,
        the 401 is its doing: then its end is waited for.
        Afterwards `access_token` gives a newer generation, or the same one: then the 401 is passed on.

        Raises:
            As `access_token`.
        """
        row = await self._row(user)
        if row.generation != generation:
            self._holding.forget(user)  # what was served until now; another process has stored a newer one
            return
        if row.sends or row.state == State.UNCERTAIN:
            await self._attempts.join(row.id)
            return
        if 0.0 <= row.stored_age < self._timing.young:  # below 0 the clock was set back
            return
        log.info("access_token_refused", grant=row.id, generation=generation)
        await self._attempts.join(row.id, forced=generation)

    async def store_login(self, user: UserId, pair: TokenPair) -> Generation:
        """Store what a completed login brought and return its generation.

        A creator who was connected already keeps the grant with a new generation; the chain that the login
        replaced is revoked. Without a refresh token in the login, a living stored one is kept.
        """
        stored = await self._logins.store(user, pair)
        self._holding.forget(user)
        if stored.replaced:
            self._chore(self._revocations.work_off())
        return stored.generation

    async def discard(self, pair: TokenPair) -> None:
        """Revoke, in the background, a pair that belongs to no creator of ours."""
        if pair.refresh is not None:
            self._chore(self._ender.discard(pair.refresh))

    async def end(self, user: UserId, reason: str) -> bool:
        """Stop using the creator's grant everywhere and revoke it at Fanvue.

        When this returns, no process serves the old token any more. A revocation that Fanvue did not confirm
        yet goes on in the background, for a day at most.

        Args:
            user: whose grant.
            reason: a fixed word, kept with the grant.

        Returns:
            Whether the revocation is confirmed already.
        """
        row = await self._begin_ending(user, reason)
        if row is None:
            return True
        self._holding.forget(user)
        ending = None if row.state == State.DEAD else self._end(row.id)
        # However it came to its end: until then another process may serve what it has read before.
        await asyncio.sleep(self._timing.row_bound)
        if ending is None:
            return confirmed(row)
        await asyncio.wait({ending}, timeout=self._timing.call)
        return ending.done() and ending.result()

    async def end_unused(self, most: int) -> list[UserId]:
        """End grants that were not used for long, the longest unused first.

        Args:
            most: how many at once.

        Returns:
            Whose they were; their revocations may still go on in the background.
        """
        users = (await self.unused())[:most]
        for user in users:
            log.info("grant_unused", user=user)
        at_once = asyncio.Semaphore(self._timing.ending_budget)

        async def end(user: UserId) -> None:
            async with at_once:
                await self.end(user, "unused")

        await asyncio.gather(*map(end, users))
        return users

    async def unused(self) -> list[UserId]:
        """List the creators whose grants were not used for so long that they are to be ended."""
        rows = await self._database.read(
            lambda tx: grant_lists.unused(tx, unused_for=self._timing.reap, most=_MOST_UNUSED)
        )
        return [row.user_id for row in rows if self._records.authentic(row)]

    async def status(self, user: UserId) -> GrantStatus | None:
        """Return what may be shown of the creator's grant, or None when there is none."""
        row = await self._holding.by_user(user)
        return None if row is None else _status(row)

    async def statuses(self) -> list[GrantStatus]:
        """Return what may be shown of every grant, the oldest first; a row that is not authentic alarms."""
        rows = await self._database.read(grant_lists.everything)
        for row in rows:
            if not self._records.authentic(row):
                alarm("mac_mismatch", table="grants", grant=row.id)
        return [_status(row) for row in rows if self._records.authentic(row)]

    def _grant_died(self, user: UserId, reason: str) -> None:
        self._holding.forget(user)
        for hook in self._dead_hooks:
            self._chore(hook(user, reason))

    async def _row(self, user: UserId) -> GrantRow:
        row = await self._holding.by_user(user)
        if row is None:
            self._holding.forget(user)
            raise NotConnected
        return row

    async def _begin_ending(self, user: UserId, reason: str) -> GrantRow | None:
        """Bring the creator's grant, if there is one, to where it is not used any more."""
        while True:
            row = await self._holding.by_user(user)
            if row is None:
                row = await self._holding.unauthentic(user)
                if row is None:
                    return None
                if await self._ender.condemn(row, reason):
                    return row._replace(state=State.ENDING)
            elif row.state in (State.DEAD, State.ENDING) or await self._ender.begin(row, reason):
                return row

    def _end(self, grant: GrantId) -> asyncio.Task[bool]:
        running = self._endings.get(grant)
        if running is not None:
            return running
        task = asyncio.create_task(self._ender.finish(grant), name=f"end {grant}")
        self._endings[grant] = task
        task.add_done_callback(lambda _: self._endings.pop(grant, None))
        return task

    def _note_use(self, row: GrantRow) -> None:
        if row.unused_for is None or row.unused_for > self._timing.used_resolution:
            self._chore(self._database.write(lambda tx: grants.touch(tx, row.id)))

    def _chore(self, work: Awaitable[None]) -> None:
        """Run work that no caller waits for."""
        task = asyncio.create_task(_logged(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _status(row: GrantRow) -> GrantStatus:
    return GrantStatus(
        user=row.user_id,
        state=State(row.state),
        generation=row.generation,
        scopes=tuple(row.scopes.split()),
        reason=row.end_reason,
        last_error=row.last_error,
        access_left=row.access_left if row.sealed_access is not None else None,
        stored_age=row.stored_age,
        unused_for=row.unused_for,
    )


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except FankeepError as error:
        log.warning("chore_failed", code=error.code)
