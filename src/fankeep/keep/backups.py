"""Back-ups of an installation's databases, and the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.errors import ConfigurationError
from fankeep.keep.settings import Settings
from fankeep.keep.stores import key_encryption, opened
from fankeep.privacy.restoring import Settled, settle_restored
from fankeep.store import Database, installation, open_data, open_keys
from fankeep.store.copying import Progress, copy, new_file, sqlite_path

__all__ = ["Part", "back_up", "restore_data", "restore_keys", "settle"]

Part = Literal["data", "keys"]


def back_up(settings: Settings, part: Part, target: Path, *, progress: Progress) -> None:
    """Copy one of the two databases into a new file, while others use it.

    Raises:
        ConfigurationError: there is a file of this name, or the database is not a SQLite file.
        StorageError: the database is damaged; there is no new file.
    """
    source = _file(settings, part, f"pg_dump --format=custom --no-owner --file={target.name}")
    with new_file(target) as empty:
        copy(source, empty, part, mark=True, progress=progress)


async def restore_keys(settings: Settings, source: Path, *, progress: Progress) -> None:
    """Put a back-up of the keys where the settings say, after proving that it opens.

    Raises:
        ConfigurationError: something is there already, or a key-encryption key is missing or wrong.
        StorageError: the back-up is damaged.
    """
    with new_file(_file(settings, "keys", f"pg_restore --no-owner {source.name}")) as empty:
        copy(source, empty, "keys", mark=False, progress=progress)
        async with _keys_of(settings, f"sqlite:///{empty}"):
            pass


async def restore_data(settings: Settings, source: Path, *, progress: Progress) -> Settled:
    """Put a back-up of the data where the settings say, made safe with today's keys and ledger.

    Raises:
        ConfigurationError: something is there already, the keys are missing, or are another installation's.
        StorageError: the back-up is damaged.
    """
    with new_file(_file(settings, "data", f"pg_restore --no-owner {source.name}")) as empty:
        copy(source, empty, "data", mark=False, progress=progress)
        return await _settled(settings, f"sqlite:///{empty}")


async def settle(settings: Settings) -> Settled:
    """Make a database safe that was restored with other tools.

    Raises:
        ConfigurationError: the databases cannot be opened, or do not go together.
    """
    return await _settled(settings, settings.database_url.reveal())


async def _settled(settings: Settings, url: str) -> Settled:
    async with AsyncExitStack() as stack:
        data = await opened(stack, open_data(url, create=False))
        datakeys = await stack.enter_async_context(
            _keys_of(settings, settings.keys_database_url.reveal(), beside=data)
        )
        return await settle_restored(data, datakeys)


@asynccontextmanager
async def _keys_of(
    settings: Settings, url: str, *, beside: Database | None = None
) -> AsyncIterator[DataKeys]:
    """Open a key database and prove that every key in it opens, and that it goes with the data beside it."""
    async with AsyncExitStack() as stack:
        keys = await opened(stack, open_keys(url, create=False))
        known = await (beside or keys).read(installation.load)
        if known is None:
            raise ConfigurationError("the back-up is of an installation that was never used")
        yield await open_data_keys(keys, key_encryption(settings), installation_id=known, create=False)


def _file(settings: Settings, part: Part, otherwise: str) -> Path:
    url = settings.database_url if part == "data" else settings.keys_database_url
    path = sqlite_path(url.reveal())
    if path is None:
        then = ", then `fankeep restore settle`" if part == "data" and "restore" in otherwise else ""
        raise ConfigurationError(f"the {part} lie in PostgreSQL: use `{otherwise} --dbname=...`{then}")
    return path
