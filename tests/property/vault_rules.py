"""What must hold of every change of a grant, every send and every token that is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fankeep.store.grants import ABSURD_LEASE, CLOCK_SLACK, GrantRow
from fankeep.vault.states import ALIVE, TRANSITIONS, State

WINDOW = 22.0
MAX_SENDS = 3
SETTLE = 60.0
GUARD = 2.0
ROW_BOUND = 1.0
TAKE_OVER = 25.0
"""Within so many seconds of a token's first use whoever lives has sent it again."""


@dataclass
class Disturbance:
    """Something that went wrong, from when and for how long."""

    kind: str
    at: float
    length: float


@dataclass
class InFlight:
    """A refresh request that has left and is not over for the one who sent it."""

    token: str
    process: Any
    at: float
    until: Any

    @property
    def living(self) -> bool:
        return self.process.up and not self.until.done()


class Rules:
    """Collects what is wrong; `check` raises it, outside of the code under test."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._wrong: list[str] = []
        self._disturbances: list[Disturbance] = []
        self._in_flight: list[InFlight] = []
        self._still_since = 0.0
        self._claims: dict[str, Any] = {}
        self.log: list[str] = []
        self.token: str | None = None
        """The refresh token that the row holds."""
        self._stored: set[str] = set()
        self._over: set[str] = set()

    @property
    def still_for(self) -> float:
        """Seconds since anything of a send or a generation changed."""
        return self._world.loop.now - self._still_since

    def check(self) -> None:
        problems = [*self._wrong, *map(repr, self._world.errors)]
        assert not problems, "\n".join([*problems, "", *self.log])

    def disturbed(self, kind: str, length: float = 0.0) -> None:
        self._disturbances.append(Disturbance(kind, self._world.loop.now, length))
        self.note(f"{kind} {length or ''}")

    def note(self, what: str) -> None:
        self.log.append(f"{self._world.loop.now - 1000:9.3f} {what}")

    def wrong(self, what: str) -> None:
        self.note(f"WRONG: {what}")
        self._wrong.append(what)

    # What a commit changed.

    def moved(self, process: Any, before: Any, after: Any) -> str:
        """Look at a change of the row, and name it: ``claimed``, ``saved`` or ``written``."""
        if after is None:
            return "written"
        if before is not None and vars(before) == vars(after):
            return "written"
        now = self._world.database_clock()
        if before is None:
            self._look_inside(after)
            return "saved"
        changed = (before.generation, before.attempt_id, before.sends, before.state) != (
            after.generation,
            after.attempt_id,
            after.sends,
            after.state,
        )
        if changed:
            self._still_since, still_since = self._world.loop.now, self._still_since
            self.note(
                f"p{process.number}: {before.state} g{before.generation} s{before.sends}"
                f" -> {after.state} g{after.generation} s{after.sends}"
            )
            self._check_move(before, after)
        claimed = after.attempt_id is not None and after.attempt_id != before.attempt_id
        if claimed and after.generation == before.generation:
            self._check_claim(before, after, now, still_since)
            process.claimed_at = self._world.loop.now
            return "claimed"
        if after.generation != before.generation:
            self._check_generation(process, before, after)
            return "saved"
        return "written"

    def _check_move(self, before: Any, after: Any) -> None:
        stays = before.state == after.state and before.generation == after.generation
        if not stays and after.state not in {
            move for (state, _), move in TRANSITIONS.items() if state == before.state
        }:
            self.wrong(f"no move of the table leads from {before.state} to {after.state}")
        if not 0 <= after.generation - before.generation <= 1:
            self.wrong(f"the generation went from {before.generation} to {after.generation}")
        if after.state == State.LIVE and after.sends:
            self.wrong("a live grant has an unanswered send")

    def _check_claim(self, before: Any, after: Any, now: float, still_since: float) -> None:
        lease = before.lease_until
        if lease is not None and now < lease <= now + ABSURD_LEASE:
            self.wrong(f"claimed while a lease holds for {lease - now:.1f} s")
        if after.state == State.ENDING or before.first_sent_at is None:
            return
        since = now - before.first_sent_at
        if before.state == State.UNCERTAIN:
            still = self._world.loop.now - still_since
            if still < SETTLE:
                self.wrong(f"sent past the grace after {still:.1f} s of stillness")
        elif not (-CLOCK_SLACK <= since <= WINDOW and before.sends < MAX_SENDS):
            self.wrong(f"repeated {since:.1f} s after the first of {before.sends} sends")

    def _check_generation(self, process: Any, before: Any, after: Any) -> None:
        old = self.token
        self._look_inside(after)
        server = self._world.server
        if after.state == State.DEAD:
            if before.state == State.REFRESHING:
                self._check_death(process, before, after)
            return
        known = server.refresh.get(self.token or "")
        if known is None:
            return
        if after.stored_by.startswith("login:"):
            if known.first_used is not None or known.parent is not None:
                self.wrong("a login stored a token that is not its own")
        elif self.token != old and known.parent != old:
            self.wrong(f"{self.token} was stored over {old}, of which it is no successor")

    # The word that ends a grant.

    def _check_death(self, process: Any, before: Any, after: Any) -> None:
        known = self._world.server.refresh[process.last_sent]
        why, reason = known.chain.ended, after.end_reason
        self.note(f"dead: {reason}; at the server: {why}")
        if why == "fanvue":
            if before.sends == 1 and reason != "revoked_at_fanvue":
                self.wrong(f"withdrawn at Fanvue, and the grant says {reason}")
        elif why != "reuse":
            self.wrong(f"the grant died although its chain was {why}")
        elif known.first_used is None or self._could_be_saved(known.first_used):
            self.wrong(f"the grant was lost: {self._disturbances}")

    def _could_be_saved(self, first_used: float) -> bool:
        """Whether no more than one thing went wrong, and somebody was there all the time to mend it."""
        start, end = first_used - 10.0, first_used + TAKE_OVER
        troubles = [one for one in self._disturbances if one.at <= end and one.at + one.length >= start]
        witnesses = [
            process
            for process in self._world.running()
            if process.began <= first_used and not any(one.kind.startswith("pause") for one in troubles)
        ]
        return len(troubles) <= 1 and bool(witnesses)

    # Requests.

    def sent(self, process: Any, token: str, *, until: Any) -> None:
        now = self._world.loop.now
        process.last_sent = token
        self.note(f"p{process.number}: sends {token}")
        self._in_flight = [one for one in self._in_flight if one.living]
        for other in self._in_flight:
            if other.token == token and not self._clock_jumped(since=other.at - GUARD):
                self.wrong(f"{token} is sent twice at once, {now - other.at:.1f} s apart")
        self._in_flight.append(InFlight(token, process, now, until))
        row = self._world.row()
        if token == self.token and row is not None and row.state in ALIVE:
            age = now - process.claimed_at
            if age > GUARD + 0.1:
                self.wrong(f"sent {age:.1f} s after the claim")

    def revoked(self, process: Any, token: str) -> None:
        self.note(f"p{process.number}: revokes {token}")
        row, server = self._world.row(), self._world.server
        if row is None or row.state not in ALIVE or self.token is None:
            return
        if server.refresh[token].chain is server.refresh[self.token].chain:
            self.wrong(f"{token} is revoked, whose chain the grant holds")

    def _clock_jumped(self, since: float) -> bool:
        return any(one.kind == "clock" and one.at >= since for one in self._disturbances)

    # Tokens that are handed out.

    def ended(self) -> None:
        """An end has answered: nobody serves what was there, unless a login has come since."""
        row = self._world.row()
        if row is None or row.state in ALIVE:
            return
        self._over |= self._stored

    def served(self, process: Any, token: str) -> None:
        now = self._world.loop.now
        self.note(f"p{process.number}: serves {token}")
        access = self._world.server.access[token]
        if token in self._over:
            self.wrong(f"{token} is served after its end has answered")
        died = access.died_at()
        if died is None or access.chain.ended == "fanvue":
            return
        if now - died > ROW_BOUND + 0.01:
            self.wrong(f"{token} is served {now - died:.1f} s after it died")

    def _look_inside(self, row: Any) -> None:
        values = GrantRow(**{name: getattr(row, name, None) for name in GrantRow._fields})
        records = self._world.records
        self.token = None if row.sealed_refresh is None else _opened(records.open_refresh(values))
        if row.sealed_access is not None:
            self._stored.add(_opened(records.open_access(values)))


def _opened(opening: Any) -> str:
    """Open a token; nothing of that suspends."""
    try:
        opening.send(None)
    except StopIteration as opened:
        return opened.value.reveal()
    raise AssertionError("opening a token had to wait")
