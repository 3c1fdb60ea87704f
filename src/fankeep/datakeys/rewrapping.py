"""Putting every data key under the primary key-encryption key, while others go on.

What is done is written in the rows themselves: whatever interrupts it, the next run goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fankeep.datakeys.pace import Pace
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import SealError
from fankeep.store import Database, Transaction, data_keys, key_encryption_keys
from fankeep.store.data_keys import DataKeyRow, Rewrapped
from fankeep.types import KeyId

__all__ = ["Rewrap", "rewrap_all"]

# A key service is asked so many times at once; keys at hand lose nothing by it.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Rewrap:
    """What a run has done.

    Attributes:
        primary: the key-encryption key that the data keys are under now.
        rewrapped: how many this run has put there.
        left: how many are under another one, counted at the end, while nothing could be put under it.
        damaged: ids of data keys that do not open, and so stayed as they were.
    """

    primary: KeyId
    rewrapped: int
    left: int
    damaged: tuple[KeyId, ...]


async def rewrap_all(
    database: Database, wrapping: KeyWrapping, *, pace: Pace, done: Callable[[int], None]
) -> Rewrap:
    """Wrap every data key under the primary key-encryption key.

    Args:
        database: the key database.
        wrapping: with every key-encryption key in use.
        pace: how fast.
        done: told how many keys were seen, after each portion.

    Raises:
        KeyUnavailable: a key-encryption key cannot be used now. What was done stays done.
        NotPrimary: another key was promoted meanwhile. What was done stays done.
    """
    primary = KeyId(await database.read(key_encryption_keys.require_primary))
    rewrapped, damaged, after = 0, list[KeyId](), ""
    while rows := await _next(database, primary, after, pace.portion):
        after = rows[-1].id
        results = await asyncio.gather(
            *(_rewrapped(wrapping, rows[start::_AT_ONCE], primary) for start in range(_AT_ONCE))
        )
        ready = [key for keys, _ in results for key in keys]
        damaged += [key_id for _, ids in results for key_id in ids]
        await _store(database, primary, ready)
        rewrapped += len(ready)
        done(len(rows))
        await pace.took(len(rows))
    return Rewrap(primary, rewrapped, await _left(database, primary), tuple(damaged))


async def _rewrapped(
    wrapping: KeyWrapping, rows: Sequence[DataKeyRow], primary: KeyId
) -> tuple[list[Rewrapped], list[KeyId]]:
    ready, damaged = list[Rewrapped](), list[KeyId]()
    for row in rows:
        try:
            ready.append(await wrapping.rewrap(row, primary))
        except SealError:
            damaged.append(KeyId(row.id))
    return ready, damaged


async def _next(database: Database, primary: KeyId, after: str, limit: int) -> list[DataKeyRow]:
    return await database.read(lambda tx: data_keys.not_under(tx, primary, after=after, limit=limit))


async def _store(database: Database, primary: KeyId, ready: Sequence[Rewrapped]) -> None:
    await database.write(lambda tx: data_keys.rewrap(tx, primary, ready))


async def _left(database: Database, primary: KeyId) -> int:
    """Count what is under another key, while we hold the primary one: nobody puts anything under another."""

    async def work(tx: Transaction) -> int:
        await key_encryption_keys.take_primary(tx, primary)
        return await data_keys.count_not_under(tx, primary)

    return await database.write(work)
