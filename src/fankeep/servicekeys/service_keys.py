"""Making, checking, listing and revoking service keys."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from fankeep.datakeys import InstallationKeys, Ledger
from fankeep.errors import ConfigurationError, RetryableError
from fankeep.sealing import mac, mac_matches
from fankeep.secret import Secret
from fankeep.servicekeys.permissions import Permissions
from fankeep.store import Database, Transaction
from fankeep.store import service_keys as rows
from fankeep.store.service_keys import ServiceKeyRow
from fankeep.telemetry import alarm, get_logger

__all__ = ["ListedKey", "ServiceKey", "ServiceKeys"]

_PREFIX: Final = "fankeep_sk_"
_FORM: Final = re.compile(rf"{_PREFIX}([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_ID: Final = re.compile(r"[0-9a-f]{12}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_TABLE: Final = "service_keys"
_USE_RESOLUTION: Final = 300.0
"""Seconds: how exactly the last use is kept; each time costs a write."""

log = get_logger("fankeep.servicekeys")


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key that was shown and found good.

    Attributes:
        id: the part of it that is not secret, for logs.
        name: what its maker called it.
    """

    id: str
    name: str
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A stored key, as an operator may see it.

    Attributes:
        operations: as stored.
        users: as stored: ``session``, ``all``, or uuids.
        left: seconds until it expires; not positive when it has.
        unused_for: seconds since it was last used, or None.
        genuine: whether its MAC fits. Without it the key is refused, and somebody has written to the table.
    """

    id: str
    name: str
    operations: tuple[str, ...]
    users: tuple[str, ...]
    access_tokens: bool
    events: bool
    left: float
    unused_for: float | None
    genuine: bool


class ServiceKeys:
    """The service keys of an installation.

    Security:
        The secret part of a key has 256 random bits and is stored as its SHA-256, so that a reader of the
        database cannot use it. A row carries a MAC under a key that the database does not hold, so that a
        writer of the database can neither make a key nor widen one. The id in front of the secret part finds
        the row; the hashes are compared in constant time. Every key begins with ``fankeep_sk_``, so that
        scanners find one that was left somewhere.
    """

    def __init__(self, database: Database, installation: InstallationKeys, ledger: Ledger) -> None:
        self._database = database
        self._key = installation.key("mac")
        self._ledger = ledger

    async def create(
        self, name: str, permissions: Permissions, *, lifetime: float
    ) -> tuple[ServiceKey, Secret[str]]:
        """Make a key. It cannot be shown again: only its hash is stored.

        Args:
            name: 1 to 64 letters, digits, spaces, dots, hyphens and underscores.
            permissions: what it allows.
            lifetime: seconds until it expires.

        Raises:
            ConfigurationError: the name does not fit.
        """
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                "a service key's name is 1 to 64 letters, digits, spaces, and any of ._-"
            )
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)

        async def work(tx: Transaction) -> None:
            now = _milliseconds(await rows.clock(tx)) / 1000
            row = ServiceKeyRow(
                id=key_id,
                hash=_hash(secret),
                name=name,
                operations=permissions.stored_operations,
                users=permissions.stored_users,
                access_tokens=int(permissions.access_tokens),
                events=int(permissions.events),
                created_at=now,
                expires_at=now + _milliseconds(lifetime) / 1000,
                mac=b"",
                left=lifetime,
                unused_for=None,
            )
            await rows.insert(tx, row._replace(mac=mac(self._key, *_parts(row))))

        await self._database.write(work)
        log.info("service_key_made", service_key=key_id)
        return ServiceKey(key_id, name, permissions), Secret(f"{_PREFIX}{key_id}_{secret}")

    async def authenticate(self, shown: Secret[str]) -> ServiceKey | None:
        """Find the key that was shown, and note its use.

        Returns:
            None for one that is unknown, malformed, wrong or expired, and for a row whose MAC fails, which
            alarms. The log tells which.
        """
        form = _FORM.fullmatch(shown.reveal())
        if form is None:
            log.warning("service_key_refused", reason="malformed")
            return None
        key_id, secret = form.groups()
        row = await self._database.read(lambda tx: rows.load(tx, key_id))
        reason = self._complaint(row, secret)
        if row is None or reason is not None:
            log.warning("service_key_refused", service_key=key_id, reason=reason)
            return None
        if row.unused_for is None or row.unused_for > _USE_RESOLUTION:
            await self._touch(row.id)
        allowed = Permissions.parse(
            row.operations, row.users, access_tokens=row.access_tokens == 1, events=row.events == 1
        )
        return ServiceKey(row.id, row.name, allowed)

    async def list(self) -> list[ListedKey]:
        """Return every key, the oldest first; nothing in it is secret."""
        return [
            ListedKey(
                id=row.id,
                name=row.name,
                operations=tuple(row.operations.split()),
                users=tuple(row.users.split()),
                access_tokens=row.access_tokens == 1,
                events=row.events == 1,
                left=row.left,
                unused_for=row.unused_for,
                genuine=self._genuine(row),
            )
            for row in await self._database.read(rows.load_all)
        ]

    async def revoke(self, key_id: str) -> bool:
        """Delete a key. From the commit on no process accepts it, nor does one that is restored later.

        Returns:
            False when there is none of this id.
        """
        if not _ID.fullmatch(key_id) or await self._database.read(lambda tx: rows.load(tx, key_id)) is None:
            return False
        await self._ledger.note("service_key", key_id)
        removed = await self._database.write(lambda tx: rows.remove(tx, key_id))
        log.info("service_key_revoked", service_key=key_id)
        return removed

    def _complaint(self, row: ServiceKeyRow | None, secret: str) -> str | None:
        """Say in one word what is wrong with a shown key."""
        if row is None:
            return "unknown"
        if not hmac.compare_digest(row.hash, _hash(secret)):
            return "wrong"
        if not self._genuine(row):
            alarm("mac_mismatch", table=_TABLE)
            return "not_genuine"
        return "expired" if row.left <= 0 else None

    def _genuine(self, row: ServiceKeyRow) -> bool:
        try:
            return mac_matches(self._key, row.mac, *_parts(row))
        except (OverflowError, ValueError):  # no time that we have stored
            return False

    async def _touch(self, key_id: str) -> None:
        try:
            await self._database.write(lambda tx: rows.touch(tx, key_id))
        except RetryableError as error:  # the key is good all the same; it is noted next time
            log.warning("service_key_not_touched", error=error)


def _parts(row: ServiceKeyRow) -> tuple[str | bytes | int, ...]:
    """Everything that the row grants and to whom."""
    created, expires = _milliseconds(row.created_at), _milliseconds(row.expires_at)
    # Only where it says something: keys from before there was such a column keep their MAC.
    events = ("events", row.events) if row.events else ()
    return (
        _TABLE, row.id, row.hash, row.name, row.operations, row.users, row.access_tokens, created, expires,
        *events,
    )  # fmt: skip


def _hash(secret: str) -> bytes:
    return hashlib.sha256(b"service-key:" + secret.encode()).digest()


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
