"""Browser sessions: an opaque id in a cookie, its hash and a MAC in the database."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from fankeep.datakeys import InstallationKeys
from fankeep.errors import RetryableError
from fankeep.oauth import LOGIN_LIFETIME
from fankeep.sealing import mac, mac_matches
from fankeep.secret import Secret
from fankeep.store import Database, Transaction
from fankeep.store import sessions as rows
from fankeep.store.sessions import SessionRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import UserId

__all__ = ["Session", "SessionLimits", "Sessions"]

log = get_logger("fankeep.sessions")

_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_STATES_KEPT: Final = 6 * LOGIN_LIFETIME
"""Seconds. After ``LOGIN_LIFETIME`` a state is refused for its age; the rest is for clocks that differ."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions last, in seconds.

    Attributes:
        idle: without being seen.
        absolute: in all, however busy.
        touch_every: how exactly "seen" is kept; each time costs a write.
    """

    idle: float = 7 * 86_400.0
    absolute: float = 30 * 86_400.0
    touch_every: float = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    """A living session.

    Attributes:
        user: the creator whose browser it is.
        hash: names the session inside the process; the id itself is known to the browser alone.
        left: seconds until it ends if it is not seen again.
    """

    user: UserId
    hash: bytes = field(repr=False)
    left: float


class Sessions:
    """Starts, finds and ends browser sessions.

    Security:
        The id has 256 random bits and is stored as its SHA-256, so that a reader of the database cannot use
        it. A row carries a MAC under a key that the database does not hold, so that a writer of the database
        cannot make a session or hand one to another user.
    """

    def __init__(
        self, database: Database, keys: InstallationKeys, *, limits: SessionLimits | None = None
    ) -> None:
        self._database = database
        self._key = keys.key("sessions")
        self._limits = limits or SessionLimits()

    @property
    def limits(self) -> SessionLimits:
        """How long sessions last; the cookie lives as long as the absolute limit."""
        return self._limits

    async def start(self, user: UserId, *, replaces: Secret[str] | None = None) -> Secret[str]:
        """Start a session and return its id, for the cookie.

        Args:
            user: who signed in; has to be known to the database.
            replaces: the id that the browser came with. It ends in the same transaction: an id that was
                known before the sign-in is worth nothing after it.
        """
        session_id = Secret(secrets.token_urlsafe(32))
        session_hash = _hash(session_id)

        async def work(tx: Transaction) -> None:
            if replaces is not None:
                await rows.remove(tx, _hash(replaces))
            now = _milliseconds(await rows.clock(tx))
            await rows.insert(
                tx, session_hash, user, created_at=now / 1000, mac=self._mac(session_hash, user, now, now)
            )

        await self._database.write(work)
        log.info("session_started", user=user)
        return session_id

    async def lookup(self, session_id: Secret[str]) -> Session | None:
        """Find a living session by the id from a cookie, and note that it was seen.

        Returns:
            None for an id that is unknown, over or malformed, and for a row whose MAC fails, which alarms.
        """
        if not _ID.fullmatch(session_id.reveal()):
            return None
        session_hash = _hash(session_id)
        limits = self._limits
        row = await self._database.read(
            lambda tx: rows.load(tx, session_hash, idle=limits.idle, absolute=limits.absolute)
        )
        if row is None:
            return None
        if not self._genuine(session_hash, row):
            alarm("mac_mismatch", table="sessions")
            return None
        if row.left <= 0:
            return None
        if row.unseen_for >= limits.touch_every:
            await self._touch(session_hash, row)
        return Session(row.user_id, session_hash, row.left)

    async def any_of(self, user: UserId) -> bool:
        """Whether the user has a living session in any browser."""
        limits = self._limits
        living = await self._database.read(
            lambda tx: rows.count(tx, user, idle=limits.idle, absolute=limits.absolute)
        )
        return living > 0

    async def end(self, session: Session) -> None:
        """End one session; from the commit on no process finds it."""
        await self._database.write(lambda tx: rows.remove(tx, session.hash))
        log.info("session_ended", user=session.user)

    async def end_all(self, user: UserId) -> int:
        """End every session of a user and return how many there were."""
        count = await self._database.write(lambda tx: rows.remove_all(tx, user))
        log.info("sessions_ended", user=user, count=count)
        return count

    async def end_unseen(self, user: UserId, *, unseen_for: float) -> int:
        """End the sessions of a user that were not seen for so many seconds; return how many there were."""
        return await self._database.write(lambda tx: rows.remove_unseen(tx, user, unseen_for=unseen_for))

    async def use_state(self, state: Secret[str]) -> bool:
        """Use up the state of a sign-in, in one unique insert.

        Returns:
            False when it was used before; of two callbacks at once, one gets True.
        """
        state_hash = hashlib.sha256(b"state:" + state.reveal().encode()).digest()
        return await self._database.write(lambda tx: rows.use_state(tx, state_hash))

    async def prune(self) -> int:
        """Delete what is over; return how many sessions were. Nothing depends on it being run on time."""
        limits = self._limits
        return await self._database.write(
            lambda tx: rows.prune(tx, idle=limits.idle, absolute=limits.absolute, states_kept=_STATES_KEPT)
        )

    async def _touch(self, session_hash: bytes, row: SessionRow) -> None:
        async def work(tx: Transaction) -> None:
            now = _milliseconds(await rows.clock(tx))
            seal = self._mac(session_hash, row.user_id, _milliseconds(row.created_at), now)
            await rows.touch(tx, session_hash, row, seen_at=now / 1000, mac=seal)

        try:
            await self._database.write(work)
        except RetryableError as error:  # the session is good all the same; it is noted next time
            log.warning("session_not_touched", error=error)

    def _genuine(self, session_hash: bytes, row: SessionRow) -> bool:
        try:
            created, seen = _milliseconds(row.created_at), _milliseconds(row.last_seen_at)
            return mac_matches(self._key, row.mac, session_hash, row.user_id, created, seen)
        except (OverflowError, ValueError):  # no time that we have stored
            return False

    def _mac(self, session_hash: bytes, user: UserId, created: int, seen: int) -> bytes:
        return mac(self._key, session_hash, user, created, seen)


def _hash(session_id: Secret[str]) -> bytes:
    return hashlib.sha256(b"session:" + session_id.reveal().encode()).digest()


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
