"""Which creators there are."""

from __future__ import annotations

from collections.abc import Collection

from fankeep.store import Database, Transaction, users
from fankeep.types import UserId

__all__ = ["Directory"]


class Directory:
    """The creators who have connected at some time and were not erased."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str, limit: int, *, only: Collection[UserId] | None = None) -> list[UserId]:
        """Return the next creators in the order of their ids.

        Args:
            after: the last id of the page before; empty for the first page.
            limit: how many at most.
            only: leave out who is not among these.
        """
        if only is None:
            return await self._database.read(lambda tx: users.page(tx, after, limit))
        wanted = sorted(user for user in only if user > after)

        async def known(tx: Transaction) -> list[UserId]:
            rows = [await users.load(tx, user) for user in wanted]
            return [row.id for row in rows if row is not None and not row.erased][:limit]

        return await self._database.read(known)
