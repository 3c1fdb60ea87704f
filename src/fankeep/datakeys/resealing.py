"""Sealing stored values again that are under data keys which somebody else may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fankeep.datakeys.data_keys import DataKeys
from fankeep.datakeys.errors import NoKey
from fankeep.datakeys.pace import Pace
from fankeep.errors import SealError
from fankeep.sealing import parse_sealed
from fankeep.store import Database, Transaction, sealed_values
from fankeep.store.sealed_values import COLUMNS, SealedColumn, SealedValue

__all__ = ["Reseal", "reseal_all"]


@dataclass(frozen=True, slots=True)
class Reseal:
    """What a run has done.

    Attributes:
        resealed: how many values this run has sealed again.
        left: how many are under one of the old keys, counted at the end.
        damaged: table, column and row of values that do not open, and so stayed as they were.
    """

    resealed: int
    left: int
    damaged: tuple[str, ...]


async def reseal_all(
    database: Database, datakeys: DataKeys, old: frozenset[str], *, pace: Pace, done: Callable[[int], None]
) -> Reseal:
    """Seal every value again that is under one of these data keys, while others go on.

    A value that changes meanwhile is left to whoever changed it: no process may seal under an old key any
    more when this begins.

    Args:
        database: the data database.
        datakeys: opens and seals.
        old: ids of the data keys.
        pace: how fast.
        done: told how many values were seen, after each portion.

    Raises:
        KeyUnavailable: a key-encryption key cannot be used now. What was done stays done.
    """
    resealed, damaged = 0, list[str]()
    for column in COLUMNS:
        after = column.first
        while values := await _next(database, column, after, pace.portion):
            after = values[-1].at
            fresh = list[tuple[SealedValue, bytes]]()
            for value in values:
                try:
                    if _key_of(value) in old:
                        fresh.append((value, await _resealed(datakeys, column, value)))
                except NoKey:  # erased meanwhile: nothing of it opens any more
                    continue
                except SealError:
                    damaged.append(f"{column.table}.{column.column} {value.at}")
            resealed += await _replace(database, column, fresh)
            done(len(values))
            await pace.took(len(values))
    return Reseal(resealed, await _left(database, old, pace.portion), tuple(damaged))


async def _resealed(datakeys: DataKeys, column: SealedColumn, value: SealedValue) -> bytes:
    context = datakeys.context(
        user=value.user,
        table=column.table,
        record=value.record.hex() if isinstance(value.record, bytes) else value.record,
        field=value.field,
        generation=value.generation,
    )
    return await datakeys.reseal(context, value.sealed)


async def _left(database: Database, old: frozenset[str], portion: int) -> int:
    left = 0
    for column in COLUMNS:
        after = column.first
        while values := await _next(database, column, after, portion):
            after = values[-1].at
            left += sum(_is_under(value, old) for value in values)
    return left


async def _next(database: Database, column: SealedColumn, after: str | int, limit: int) -> list[SealedValue]:
    return await database.read(lambda tx: sealed_values.page(tx, column, after=after, limit=limit))


async def _replace(database: Database, column: SealedColumn, fresh: list[tuple[SealedValue, bytes]]) -> int:
    async def work(tx: Transaction) -> int:
        return sum([await sealed_values.replace(tx, column, value, sealed) for value, sealed in fresh])

    return await database.write(work) if fresh else 0


def _is_under(value: SealedValue, old: frozenset[str]) -> bool:
    try:
        return _key_of(value) in old
    except SealError:  # no sealed value at all; it was reported as damaged
        return False


def _key_of(value: SealedValue) -> str:
    return parse_sealed(value.sealed).key_id
