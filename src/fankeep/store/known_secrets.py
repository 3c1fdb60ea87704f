"""The statements of when each secret was seen first, under keyed digests of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from fankeep.store.database import Transaction
from fankeep.store.statement import Command, Rows, Statement

__all__ = ["first_seen", "note"]


class _Seen(NamedTuple):
    digest: bytes
    first_seen_at: float


_DIGESTS: Final = Rows(digest="blob")
_NOTE = Command(
    """
    INSERT INTO known_secrets (digest, first_seen_at)
    SELECT row.digest, {now} FROM {rows} AS row WHERE true ORDER BY row.digest
    ON CONFLICT (digest) DO NOTHING
    """,
    rows=_DIGESTS,
)
_FIRST_SEEN = Statement(
    """
    SELECT digest, first_seen_at FROM known_secrets
    WHERE digest IN (SELECT row.digest FROM {rows} AS row)
    """,
    _Seen,
    rows=_DIGESTS,
)


async def note(tx: Transaction, digests: Sequence[bytes]) -> None:
    """Note those that were not seen before as seen now."""
    await tx.run(_NOTE, rows=[(digest,) for digest in digests])


async def first_seen(tx: Transaction, digests: Sequence[bytes]) -> dict[bytes, float]:
    """Return when each was seen first, in seconds since 1970 by the database's clock."""
    rows = await tx.all(_FIRST_SEEN, rows=[(digest,) for digest in digests])
    return {row.digest: row.first_seen_at for row in rows}
