"""Key-encryption keys coming into use and going out of it, while replicas go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fankeep.datakeys.data_keys import DataKeys
from fankeep.datakeys.errors import KeyGone
from fankeep.datakeys.installation import INSTALLATION
from fankeep.datakeys.keyring import FRESH_SECONDS
from fankeep.datakeys.pace import Pace
from fankeep.datakeys.resealing import Reseal, reseal_all
from fankeep.datakeys.rewrapping import Rewrap, rewrap_all
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import ConfigurationError
from fankeep.kms import KeyEncryption
from fankeep.store import Database, data_keys, key_encryption_keys, sealed_values
from fankeep.store.data_keys import DataKeyRow
from fankeep.types import KeyId

__all__ = ["Compromise", "KekStatus", "Progress", "Replicas", "Rotation"]

_OUT_OF_USE: Final = ("retired", "compromised")


@dataclass(frozen=True, slots=True)
class KekStatus:
    """A key-encryption key that is known or at hand.

    Attributes:
        state: as in the key database, or ``new`` for one that never was primary.
        source: the scheme of ``FANKEEP_KEYS`` that it came by, or None when it is not at hand here.
        data_keys: how many data keys it wraps.
        age: seconds since it came into its state, or None for a new one.
        lacking: the living replicas that do not have it.
    """

    id: KeyId
    state: str
    source: str | None
    data_keys: int
    age: float | None
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compromise:
    """What was done about a key that somebody else may have.

    Attributes:
        renewed: how many data keys were replaced by new ones.
        reseal: of the values that were under the replaced ones; None when the rewrapping was not complete.
    """

    rewrap: Rewrap
    renewed: int
    reseal: Reseal | None


class Replicas(Protocol):
    """The living processes of this installation, by a name for people."""

    async def living(self) -> Sequence[str]:
        """List them all."""
        ...

    async def lacking(self, key_id: KeyId) -> Sequence[str]:
        """List those that do not have this key-encryption key."""
        ...


class Progress(Protocol):
    """Is told how far long work is."""

    def step(self, name: str, total: int) -> Callable[[int], None]:
        """Begin a step of so many parts; what is returned is told how many are done, again and again."""
        ...


class Rotation:
    """What an operator does with key-encryption keys.

    Args:
        keys: the key database.
        data: the data database.
        kms: the keys that are at hand.
        datakeys: the open keys of the installation.
        replicas: who else runs.
        settle: seconds after which every replica seals under a renewed data key.
    """

    def __init__(
        self,
        *,
        keys: Database,
        data: Database,
        kms: KeyEncryption,
        datakeys: DataKeys,
        replicas: Replicas,
        settle: float = FRESH_SECONDS + 1.0,
    ) -> None:
        self._keys = keys
        self._data = data
        self._kms = kms
        self._datakeys = datakeys
        self._wrapping = KeyWrapping(kms, datakeys.installation.id)
        self._replicas = replicas
        self._settle = settle

    async def status(self) -> list[KekStatus]:
        """List every key-encryption key that is known or at hand, the oldest first."""
        known = await self._keys.read(key_encryption_keys.all_known)
        listed = [
            KekStatus(KeyId(row.id), row.state, self._kms.source(KeyId(row.id)), row.data_keys, row.age, ())
            for row in known
        ]
        new = [key_id for key_id in self._kms.ids if key_id not in {row.id for row in known}]
        listed += [KekStatus(key_id, "new", self._kms.source(key_id), 0, None, ()) for key_id in new]
        return [await self._with_lacking(key) for key in listed]

    async def promote(self, kek_id: KeyId) -> Sequence[str]:
        """Let a key wrap new data keys from now on; the one that did so far goes on to unwrap.

        Returns:
            Replicas that started meanwhile without the key: they need it, and a restart.

        Raises:
            ConfigurationError: the key is not at hand, out of use, or a living replica lacks it.
            KeyUnavailable: it cannot be used now.
        """
        await self._refuse_unusable(kek_id)
        await self._keys.write(lambda tx: key_encryption_keys.promote(tx, kek_id))
        return await self._replicas.lacking(kek_id)

    async def rewrap(self, progress: Progress, *, per_second: float | None = None) -> Rewrap:
        """Put every data key under the primary key; may be interrupted and run again.

        Raises:
            KeyUnavailable: a key cannot be used now.
            NotPrimary: another key was promoted meanwhile.
        """
        primary = await self._keys.read(key_encryption_keys.require_primary)
        total = await self._keys.read(lambda tx: data_keys.count_not_under(tx, primary))
        done = progress.step("wrap data keys anew", total)
        return await rewrap_all(self._keys, self._wrapping, pace=Pace(per_second), done=done)

    async def retire(self, kek_id: KeyId) -> None:
        """Take a key out of use that nothing needs any more.

        Raises:
            ConfigurationError: it is primary, or wraps data keys, or was never in use.
        """
        found = {key.id: key for key in await self.status()}.get(kek_id)
        if found is None or found.state == "new":
            raise ConfigurationError(f"the key {kek_id} was never in use: take it out of FANKEEP_KEYS")
        if found.state == "primary":
            raise ConfigurationError(
                f"the key {kek_id} is the primary one: make another one primary first, with"
                " `fankeep keys promote`"
            )
        if found.data_keys:
            raise ConfigurationError(
                f"the key {kek_id} still wraps {found.data_keys} data keys: run `fankeep keys rewrap` first"
            )
        if found.state not in _OUT_OF_USE:
            await self._keys.write(lambda tx: key_encryption_keys.finish(tx, kek_id, "retired"))

    async def compromise(
        self, kek_id: KeyId, *, to: KeyId | None, progress: Progress, per_second: float | None = None
    ) -> Compromise:
        """Replace everything that whoever has this key may have as well.

        Whoever has it and a copy of the key database has the data keys that were in it. So another key
        becomes primary, all data keys go under it, each user gets a new data key, and what was sealed under
        the old ones is sealed again. May be interrupted and run again.

        Args:
            kek_id: the key that somebody else may have.
            to: the key that takes its place when it is primary; not needed when only one can.
            progress: is told how far it is.
            per_second: at most so many keys and values.

        Raises:
            ConfigurationError: the key was never in use, or nothing can take its place.
            KeyUnavailable: a key cannot be used now.
        """
        await self._mark(kek_id, to)
        rewrap = await self.rewrap(progress, per_second=per_second)
        if rewrap.left:
            return Compromise(rewrap, 0, None)
        renewed = await self._renew_all(kek_id, progress, Pace(per_second))
        if await self._replicas.living():
            await self._wait(progress)
        old = await self._keys.read(lambda tx: data_keys.old_ids(tx, kek_id, owners_except=INSTALLATION))
        done = progress.step("seal values again", await self._data.read(sealed_values.count))
        reseal = await reseal_all(
            self._data, self._datakeys, frozenset(old), pace=Pace(per_second), done=done
        )
        return Compromise(rewrap, renewed, reseal)

    async def _mark(self, kek_id: KeyId, to: KeyId | None) -> None:
        """Make sure that the key is not primary and that everybody can see why."""
        state = await self._keys.read(lambda tx: key_encryption_keys.state_of(tx, kek_id))
        if state is None:
            raise ConfigurationError(f"the key {kek_id} was never in use: take it out of FANKEEP_KEYS")
        if state == "primary":
            successor = to or await self._only_successor(kek_id)
            if successor == kek_id:
                raise ConfigurationError("a key cannot take its own place: name another one with --to")
            await self._refuse_unusable(successor)
            await self._keys.write(
                lambda tx: key_encryption_keys.promote(tx, successor, former="compromised")
            )
        elif state != "compromised":
            await self._keys.write(lambda tx: key_encryption_keys.finish(tx, kek_id, "compromised"))

    async def _only_successor(self, kek_id: KeyId) -> KeyId:
        usable = [
            key.id
            for key in await self.status()
            if key.source is not None and key.id != kek_id and key.state not in _OUT_OF_USE
        ]
        if len(usable) == 1:
            return usable[0]
        if usable:
            raise ConfigurationError(f"name the key that takes its place with --to: {', '.join(usable)}")
        raise ConfigurationError(
            "no other key is at hand to take its place: make one with `fankeep keys add`, put it into"
            " FANKEEP_KEYS and restart every replica"
        )

    async def _refuse_unusable(self, kek_id: KeyId) -> None:
        if not self._kms.has(kek_id):
            raise ConfigurationError(f"the key {kek_id} is not in FANKEEP_KEYS")
        if await self._keys.read(lambda tx: key_encryption_keys.state_of(tx, kek_id)) in _OUT_OF_USE:
            raise ConfigurationError(f"the key {kek_id} was taken out of use for good: make a new one")
        lacking = await self._replicas.lacking(kek_id)
        if lacking:
            raise ConfigurationError(
                f"{len(lacking)} living replicas lack the key {kek_id} ({', '.join(lacking)}): put it into"
                " their FANKEEP_KEYS and restart them"
            )
        await self._wrapping.prove_usable(kek_id)

    async def _renew_all(self, kek_id: KeyId, progress: Progress, pace: Pace) -> int:
        count = await self._keys.read(
            lambda tx: data_keys.count_old_active(tx, kek_id, owners_except=INSTALLATION)
        )
        done = progress.step("renew data keys", count)
        renewed, after = 0, ""
        while rows := await self._next_old(kek_id, after, pace.portion):
            after = rows[-1].id
            for row in rows:
                try:
                    await self._datakeys.renew(row)
                except KeyGone:  # erased meanwhile
                    continue
                renewed += 1
            done(len(rows))
            await pace.took(len(rows))
        return renewed

    async def _next_old(self, kek_id: KeyId, after: str, limit: int) -> list[DataKeyRow]:
        return await self._keys.read(
            lambda tx: data_keys.old_active(tx, kek_id, owners_except=INSTALLATION, after=after, limit=limit)
        )

    async def _wait(self, progress: Progress) -> None:
        """Wait until no replica seals under a data key that it read before the renewal."""
        done = progress.step("wait for the replicas", round(self._settle))
        for _ in range(round(self._settle)):
            await asyncio.sleep(1.0)
            done(1)

    async def _with_lacking(self, key: KekStatus) -> KekStatus:
        lacking = tuple(await self._replicas.lacking(key.id))
        return KekStatus(key.id, key.state, key.source, key.data_keys, key.age, lacking)
