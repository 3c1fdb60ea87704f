"""Key-encryption keys in a file of this machine.

A change writes a second file and puts it in the place of the first: whatever interrupts it, there is one
whole file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.kms.local_key import LocalKey, format_keys, new_key, parse_keys
from fankeep.kms.private_file import read_private_file
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["add_to_key_file", "create_key_file", "load_key_file", "remove_from_key_file"]

_WHAT: Final = "key file"


def load_key_file(path: Path) -> list[LocalKey]:
    """Read and check a key file.

    Raises:
        ConfigurationError: the file is missing, damaged or open to others, or a key in it is not 32 random
            bytes. The message says which and never holds a key.

    Security:
        The file is the one thing that opens everything. Keep it away from the databases and their back-ups,
        and have a copy in a safe place: without it nothing can be opened again.
    """
    return [LocalKey(key_id, key, source="file") for key_id, key in _read(path).items()]


def create_key_file(path: Path) -> KeyId:
    """Make a key file with one new random key, readable by its owner alone (mode 0600).

    Returns:
        The id of the new key, which has the day in it.

    Raises:
        ConfigurationError: there is something at this path already, or it cannot be written.
    """
    key_id, key = new_key()
    with _complaints():
        try:
            _write_new(path, {key_id: key})
        except FileExistsError:
            raise ConfigurationError(
                f"there is a {_WHAT} at this path already; it is never overwritten"
            ) from None
    return key_id


def add_to_key_file(path: Path) -> KeyId:
    """Add a new random key to a key file, or make the file when there is none; return the key's id.

    Raises:
        ConfigurationError: the file does not fit, as in :func:`load_key_file`, or cannot be written.
    """
    if not os.path.lexists(path):
        return create_key_file(path)
    with _replacing(path) as keys:
        key_id, keys[key_id] = new_key()
    return key_id


def remove_from_key_file(path: Path, key_id: KeyId) -> None:
    """Take one of several keys out of a key file.

    Raises:
        ConfigurationError: the file does not fit, or cannot be written; it does not hold the key, or no
            other one.
    """
    with _replacing(path) as keys:
        if keys.pop(key_id, None) is None:
            raise ConfigurationError(f"the {_WHAT} does not hold the key {key_id}")
        if not keys:
            raise ConfigurationError(f"the {_WHAT} holds no other key: delete the file yourself")


@contextmanager
def _replacing(path: Path) -> Iterator[dict[KeyId, Secret[bytes]]]:
    """Give a file's keys to change, and put a file with the changed ones in its place."""
    target = path.resolve()
    keys = _read(path)
    yield keys
    new = target.with_name(target.name + ".new")
    with _complaints():
        try:
            _write_new(new, keys)
        except FileExistsError:
            raise ConfigurationError(
                f"another command is changing the {_WHAT}; if none is, one was interrupted: remove the file"
                f" {new.name} beside it"
            ) from None
        new.replace(target)
        _sync(target.parent)


def _read(path: Path) -> dict[KeyId, Secret[bytes]]:
    return parse_keys(read_private_file(path, what=_WHAT), what=_WHAT)


def _write_new(path: Path, keys: Mapping[KeyId, Secret[bytes]]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(format_keys(keys))
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink()
        raise
    # Values are sealed under the key from now on, so its name has to survive a power cut as well.
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        raise ConfigurationError(f"the {_WHAT} cannot be written: {why}") from None
