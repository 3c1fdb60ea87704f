"""The keys that belong to the installation and not to a user, and the proof that the key file is ours."""

from __future__ import annotations

from typing import Final, NamedTuple

from fankeep.datakeys.open_key import OpenKey
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import ConfigurationError
from fankeep.kms import KeyEncryption
from fankeep.sealing import SealingKey, derive_key
from fankeep.secret import Secret
from fankeep.store import Database, Transaction, data_keys, installation, key_encryption_keys
from fankeep.store.data_keys import DataKeyRow
from fankeep.types import KeyId

__all__ = ["INSTALLATION", "InstallationKeys", "open_root"]

INSTALLATION: Final = "installation"
"""The owner of the root key, in place of a user's id."""


class InstallationKeys:
    """Keys for what has no user: MACs over rows, keyed digests, login cookies.

    All come from one random root, which is wrapped as a data key is. It is neither renewed nor destroyed:
    digests that are compared across years hang on it.

    Attributes:
        id: the installation's random id, part of the associated data of every sealed value.
    """

    def __init__(self, installation_id: str, root: OpenKey) -> None:
        self.id: Final = installation_id
        self._root = root
        self._keys: dict[str, Secret[bytes]] = {}

    def key(self, purpose: str) -> Secret[bytes]:
        """Return the 32-byte key of one purpose, for ``sealing.mac``.

        Raises:
            ValueError: the purpose is not 1 to 64 lower-case letters, digits, underscores and hyphens.
        """
        derived = self._keys.get(purpose)
        if derived is None:
            derived = self._keys[purpose] = derive_key(self._root.secret, purpose=purpose)
        return derived

    def sealing_key(self, purpose: str) -> SealingKey:
        """Return the sealing key of one purpose, for ``sealing.seal`` and ``sealing.open_sealed``.

        Raises:
            ValueError: as ``key``.
        """
        return self._root.sealing_key(purpose)


class _Snapshot(NamedTuple):
    installation_id: str | None
    root: DataKeyRow | None
    primary: str | None
    one_per_kek: list[DataKeyRow]


async def open_root(
    database: Database, wrapping: KeyWrapping, kms: KeyEncryption, installation_id: str, *, create: bool
) -> OpenKey:
    """Prove that the key file is this installation's and every key opens; make the root in a new file.

    Nothing is written to a file that is not new, and nothing at all before the proof.

    Raises:
        ConfigurationError: the file is another installation's, is damaged, or is new when it must not be; or
            a key-encryption key in use is missing or wrong.
        KeyUnavailable: a key service did not answer or refused.
    """
    found = await database.read(_snapshot)
    _refuse_foreign(found, installation_id)
    for row in found.one_per_kek:
        await wrapping.prove(row)
    if found.installation_id is None:
        _refuse_lost(create=create)
        kek_id = _only_key(kms)
        await wrapping.prove_usable(kek_id)
        root = await wrapping.new(INSTALLATION, kek_id)
        found = await _establish(database, root, installation_id)
        _refuse_foreign(found, installation_id)
        for row in found.one_per_kek:  # of two processes that began at once, the other one's key may stand
            await wrapping.prove(row)
    if found.root is None or found.primary is None:
        raise ConfigurationError(
            "the key database has lost the installation's key: restore it from a back-up"
        )
    wrapping.require(KeyId(found.primary))
    return await wrapping.open(found.root)


def _only_key(kms: KeyEncryption) -> KeyId:
    """Choose the first primary key; which of several it should be, nobody has said yet."""
    if len(kms.ids) == 1:
        return kms.ids[0]
    raise ConfigurationError(
        "FANKEEP_KEYS gives several key-encryption keys and the key database is new: begin with one of them,"
        " then add others and choose with `fankeep keys promote`"
    )


def _refuse_foreign(found: _Snapshot, installation_id: str) -> None:
    if found.installation_id is None and found.one_per_kek:
        raise ConfigurationError("the key database holds keys of nobody: restore it from a back-up")
    if found.installation_id not in {None, installation_id}:
        raise ConfigurationError(
            "the key database holds the keys of another installation: let FANKEEP_KEYS_DATABASE_URL and"
            " FANKEEP_DATABASE_URL name a pair that was made together, or restore both from one back-up"
        )


def _refuse_lost(*, create: bool) -> None:
    if not create:
        raise ConfigurationError(
            "the key database is empty and the data database is not: let FANKEEP_KEYS_DATABASE_URL name the"
            " one that was used before, or restore it from a back-up; without it nothing can be opened"
        )


async def _snapshot(tx: Transaction) -> _Snapshot:
    return _Snapshot(
        await installation.load(tx),
        await data_keys.load_active(tx, INSTALLATION),
        await key_encryption_keys.primary(tx),
        await data_keys.one_per_kek(tx),
    )


async def _establish(database: Database, root: DataKeyRow, installation_id: str) -> _Snapshot:
    """Write the installation's id and root in one transaction; of several processes the first one's stay."""

    async def work(tx: Transaction) -> _Snapshot:
        if await installation.load(tx) is None and (
            await installation.create(tx, installation_id) == installation_id
        ):
            await key_encryption_keys.promote(tx, root.kek_id)
            await data_keys.add(tx, root)
        return await _snapshot(tx)

    return await database.write(work)
