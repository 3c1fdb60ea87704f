"""Grants of a restored back-up: none is believed until it was refreshed once."""

from __future__ import annotations

from fankeep.datakeys import DataKeys
from fankeep.store import Transaction, grant_lists, grants
from fankeep.store.grants import GrantRow
from fankeep.telemetry import alarm
from fankeep.vault.records import GrantRecords
from fankeep.vault.states import ALIVE, Event

__all__ = ["RESTORED", "doubt_grants"]

RESTORED = "restored"
"""`stored_by` of a generation that came from a back-up."""


async def doubt_grants(tx: Transaction, datakeys: DataKeys) -> int:
    """Make every living grant uncertain, in the transaction that settles a restored back-up.

    A row that is not authentic stays as it is: it is refused wherever it is read.

    Returns:
        How many there are.
    """
    records = GrantRecords(datakeys)
    doubted = 0
    for row in await grant_lists.everything(tx):
        if row.state not in ALIVE:
            continue
        if records.authentic(row):
            await _doubt(tx, row, records)
            doubted += 1
        else:
            alarm("mac_mismatch", table="grants", grant=row.id)
    return doubted


async def _doubt(tx: Transaction, row: GrantRow, records: GrantRecords) -> None:
    await grants.doubt(tx, row, mac=records.mac(row, Event.RESTORED), stored_by=RESTORED)
