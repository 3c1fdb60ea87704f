"""Opening both databases and the keys: what every process needs, whether it serves or runs one command."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fankeep import kms
from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.errors import ConfigurationError
from fankeep.keep.settings import Settings
from fankeep.store import Database, installation, open_data, open_keys
from fankeep.telemetry import get_logger

__all__ = ["Stores", "key_encryption", "open_stores", "opened"]

_KEY_FILE = "file:"

log = get_logger("fankeep.keep")


@dataclass(frozen=True, slots=True)
class Stores:
    """The open databases of an installation, and the keys that open what is in them."""

    data: Database
    keys: Database
    datakeys: DataKeys
    kms: kms.KeyEncryption


@asynccontextmanager
async def open_stores(settings: Settings, *, create: bool) -> AsyncIterator[Stores]:
    """Open the databases and prove the keys; close the databases at the end.

    Args:
        settings: where they are.
        create: whether an installation may be made. Commands that look at one do not make it.

    Raises:
        ConfigurationError: something that the operator has to change, in one line.
    """
    async with AsyncExitStack() as stack:
        data = await opened(stack, open_data(settings.database_url.reveal(), create=create))
        known = await data.read(installation.load)
        # A data file that is in use already goes with the key store that it was made with. A new key store
        # beside it would mean a wrong address, and everything stored would be silently unreadable.
        create = create and known is None
        keys = await opened(stack, open_keys(settings.keys_database_url.reveal(), create=create))
        keks = key_encryption(settings)
        datakeys = await _data_keys(keys, keks, known, create=create)
        if known is None:
            await data.write(lambda tx: installation.create(tx, datakeys.installation.id))
        yield Stores(data, keys, datakeys, keks)


async def _data_keys(keys: Database, keks: kms.KeyEncryption, known: str | None, *, create: bool) -> DataKeys:
    """Open the data keys of this installation, or make it."""
    installation_id = known or await keys.read(installation.load) or secrets.token_hex(16)
    try:
        return await open_data_keys(keys, keks, installation_id=installation_id, create=create)
    except ConfigurationError:
        standing = await keys.read(installation.load)
        if not create or standing is None or standing == installation_id:
            raise
        # Of several replicas that began at once, another one was first.
        return await open_data_keys(keys, keks, installation_id=standing, create=False)


async def opened(stack: AsyncExitStack, opening: Awaitable[Database]) -> Database:
    """Wait for a database, and have it closed with the stack."""
    database = await opening
    stack.push_async_callback(database.close)
    return database


def key_encryption(settings: Settings) -> kms.KeyEncryption:
    """Open the key-encryption keys; only development may make them on the spot."""
    if settings.development and settings.keys.startswith(_KEY_FILE):
        path = Path(settings.keys.removeprefix(_KEY_FILE))
        if path.is_absolute() and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kms.create_key_file(path)
            log.warning("key_file_made", path=str(path))
    return kms.from_setting(settings.keys)
