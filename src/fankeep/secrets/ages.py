"""How old the secrets are, and an alarm before one has been in use for too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from fankeep.sealing import mac
from fankeep.secret import Secret
from fankeep.secrets.register import NOBODY, Record
from fankeep.store import Database, Transaction, known_secrets, sessions
from fankeep.telemetry import alarm

__all__ = ["Age", "Kind", "NamedSecret", "SecretAges", "State"]

Kind: TypeAlias = Literal["client", "webhook", "forward"]
State: TypeAlias = Literal["good", "due", "overdue"]

_WARNED_DAYS: Final = 30
_AGAIN: Final = 86_400.0
"""Seconds between two alarms about one secret."""


class NamedSecret(NamedTuple):
    """A secret of the settings."""

    kind: Kind
    name: str
    value: Secret[str]


@dataclass(frozen=True, slots=True)
class Age:
    """How one secret stands.

    Attributes:
        since: the day since when it is in use.
        rotate_by: the day by which it has to be replaced.
        state: ``due`` in the thirty days before that day.
    """

    kind: Kind
    name: str
    owner: str | None
    since: date
    rotate_by: date
    state: State


class SecretAges:
    """Remembers when each secret was seen first, by a keyed digest of its value.

    Args:
        database: the data database.
        key: of the installation, for the digests.
        secrets: of the settings.
        register: what the operator wrote down about them, by name.
    """

    def __init__(
        self,
        database: Database,
        key: Secret[bytes],
        secrets: Sequence[NamedSecret],
        register: Mapping[str, Record],
    ) -> None:
        self._database = database
        self._secrets = {mac(key, secret.kind, secret.value.reveal()): secret for secret in secrets}
        self._register = register
        self._alarmed: dict[bytes, float] = {}

    async def all(self) -> list[Age]:
        """Say how each secret stands; one that is new to this installation is in use from now on.

        Raises:
            StorageError: the database did not answer.
        """
        seen, now = await self._database.write(self._note)
        return [self._age(secret, seen[digest], now) for digest, secret in self._secrets.items()]

    async def check(self) -> None:
        """Raise an alarm for each secret that has to be replaced within thirty days, once a day.

        Raises:
            StorageError: the database did not answer.
        """
        seen, now = await self._database.write(self._note)
        for digest, secret in self._secrets.items():
            age = self._age(secret, seen[digest], now)
            if age.state != "good" and now - self._alarmed.get(digest, 0.0) >= _AGAIN:
                self._alarmed[digest] = now
                alarm("secret_rotation_due", kind=age.kind, secret=age.name, rotate_by=str(age.rotate_by))

    async def _note(self, tx: Transaction) -> tuple[dict[bytes, float], float]:
        await known_secrets.note(tx, list(self._secrets))
        return await known_secrets.first_seen(tx, list(self._secrets)), await sessions.clock(tx)

    def _age(self, secret: NamedSecret, first_seen: float, now: float) -> Age:
        record = self._register.get(secret.name, NOBODY)
        due = record.due(first_seen)
        left = (due - datetime.fromtimestamp(now, UTC).date()).days
        state: State = "overdue" if left < 0 else "due" if left <= _WARNED_DAYS else "good"
        return Age(secret.kind, secret.name, record.owner, record.since(first_seen), due, state)
