"""Who else runs on this database, and with which keys and secrets.

A key may only be made the one that wraps when every living replica holds it; otherwise some of them could not
open what the others seal. A replica writes down what it holds when it starts, and again every few seconds.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from fankeep.errors import FankeepError
from fankeep.store import Database, Transaction, instances
from fankeep.store.instances import InstanceRow
from fankeep.telemetry import get_logger
from fankeep.types import KeyId

__all__ = ["LIVING_SECONDS", "Instance", "Instances", "Loaded"]

LIVING_SECONDS: Final = 60.0
"""A replica that was not seen for so long no longer counts. Six signs of life may be missed, so that a busy
database or a short halt hides nobody."""

_SIGN_OF_LIFE: Final = 10.0

log = get_logger("fankeep.instances")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a replica holds in memory; names only.

    Attributes:
        key_ids: of the key-encryption keys.
        client_secrets: names of the versions of the client secret.
    """

    key_ids: frozenset[KeyId]
    client_secrets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Instance:
    """A living replica.

    Attributes:
        place: host and process id, for people.
        age: seconds since it started, by the database's clock.
        unseen_for: seconds since its last sign of life.
    """

    id: str
    place: str
    loaded: Loaded
    age: float
    unseen_for: float


class Instances:
    """The replicas on one database. A command only asks; a replica also starts its own entry.

    Args:
        database: the data database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = secrets.token_hex(16)
        self._heartbeat: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()

    async def start(self, loaded: Callable[[], Loaded]) -> None:
        """Enter this process among the living, and show signs of life until `close`.

        Args:
            loaded: tells what is held now; asked each time, so that what was loaded later is seen as well.

        Raises:
            StorageUnavailable: the database did not answer; nothing was entered.
        """
        if self._heartbeat is not None:
            raise TypeError("this instance was started before")
        await self._show(loaded())
        self._heartbeat = asyncio.create_task(self._beat(loaded), name="instance")

    async def close(self) -> None:
        """Leave the living; a process that dies without it is forgotten by itself. May be called twice."""
        if self._heartbeat is None:
            return
        heartbeat, self._heartbeat = self._heartbeat, None
        self._leaving.set()
        await heartbeat  # to its end: a sign of life under way would bring the entry back
        try:
            await self._database.write(lambda tx: instances.remove(tx, self._id))
        except FankeepError as error:
            log.warning("instance_not_removed", error=error)

    async def living(self) -> list[Instance]:
        """List the replicas that live, the oldest first."""
        rows = await self._database.read(lambda tx: instances.living(tx, bound=LIVING_SECONDS))
        return [_instance(row) for row in rows]

    async def lacking(self, key_id: KeyId) -> list[Instance]:
        """List the living replicas that do not hold this key-encryption key; none means: it may be used."""
        return [instance for instance in await self.living() if key_id not in instance.loaded.key_ids]

    async def _beat(self, loaded: Callable[[], Loaded]) -> None:
        while not await self._left():
            try:
                await self._show(loaded())
            except FankeepError as error:
                log.warning("sign_of_life_failed", error=error)

    async def _left(self) -> bool:
        """Wait until the next sign of life is due, or this process leaves."""
        try:
            async with asyncio.timeout(_SIGN_OF_LIFE):
                return await self._leaving.wait()
        except TimeoutError:
            return False

    async def _show(self, loaded: Loaded) -> None:
        async def work(tx: Transaction) -> None:
            await instances.prune(tx, bound=LIVING_SECONDS)
            await instances.seen(
                tx,
                self._id,
                place=f"{socket.gethostname()}/{os.getpid()}",
                key_ids=_words(loaded.key_ids),
                client_secrets=_words(loaded.client_secrets),
            )

        await self._database.write(work)


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def _instance(row: InstanceRow) -> Instance:
    loaded = Loaded(
        frozenset(KeyId(key_id) for key_id in row.key_ids.split()), frozenset(row.client_secrets.split())
    )
    return Instance(row.id, row.place, loaded, row.age, row.unseen_for)
