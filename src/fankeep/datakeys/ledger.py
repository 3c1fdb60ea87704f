"""Who was erased and what was revoked, so that a restored back-up of the data does not bring it back.

It lies with the keys, which have back-ups of their own, and holds keyed hashes: it says of an id that one
knows whether it is in it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from fankeep.datakeys.installation import InstallationKeys
from fankeep.sealing import mac
from fankeep.store import Database, ledger

__all__ = ["Ledger"]

Kind = Literal["user", "service_key", "subscription", "fan"]


class Ledger:
    """Entries are added and never removed.

    Args:
        database: the key database.
        installation: the keys of the installation.
    """

    def __init__(self, database: Database, installation: InstallationKeys) -> None:
        self._database = database
        self._key: Final = installation.key("ledger")

    async def note(self, kind: Kind, record: str) -> None:
        """Write down that something is gone for good.

        Raises:
            StorageUnavailable: it is not written down.
        """
        entry = mac(self._key, kind, record)
        await self._database.write(lambda tx: ledger.add(tx, entry))

    async def gone(self, kind: Kind, records: Iterable[str], *, since: float = 0.0) -> list[str]:
        """Return those of the records that were written down.

        Args:
            kind: what they are.
            records: their ids.
            since: only what was written down after this moment counts, in seconds since 1970.
        """
        entries = frozenset(await self._database.read(lambda tx: ledger.load(tx, since)))
        return [record for record in records if mac(self._key, kind, record) in entries]
