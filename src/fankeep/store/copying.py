"""Copies of SQLite files: whole, of one moment, made while others write."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import apsw

from fankeep.errors import ConfigurationError, StorageError
from fankeep.store.migrations import SchemaSet, load_schema
from fankeep.store.sqlite import connect
from fankeep.store.sqlite_errors import mapped

__all__ = ["Progress", "copy", "new_file", "sqlite_path"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the pages that are copied and with how many there are."""

_SCHEME: Final = "sqlite:///"
_PAGES: Final = 256
_BESIDE: Final = ("-journal", "-wal", "-shm", "-turn", "-lock")


def sqlite_path(url: str) -> Path | None:
    """Return the file that a database address names; None when it is no SQLite address."""
    return Path(url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else None


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a file to write to, which takes its name only when the block has succeeded.

    Args:
        path: the name; nothing may have it.

    Yields:
        An empty file beside it, readable by its owner only.

    Raises:
        ConfigurationError: there is something of this name, or the folder cannot be written to.
    """
    _refuse_existing(path)
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as problem:
        raise ConfigurationError(f"cannot write to {path.parent}: {problem.strerror}") from None
    try:
        yield part
        _to_disk(part)
        _give_name(part, path)
        _to_disk(path.parent)
    finally:
        for leftover in (part, *(part.with_name(part.name + suffix) for suffix in _BESIDE)):
            leftover.unlink(missing_ok=True)


def copy(source: Path, target: Path, name: SchemaSet, *, mark: bool, progress: Progress) -> None:
    """Copy a database of ours, as it is at this moment, into an empty file.

    Args:
        source: may be in use by others, who go on reading and writing.
        target: the empty file; afterwards a database in one file, without a write-ahead log.
        name: which of the two it has to be.
        mark: write into a copy of the data when it was begun, so that a restore knows what came after.
        progress: is told how far it is.

    Raises:
        ConfigurationError: the source is not there, or is another kind of file.
        StorageError: it is damaged.
    """
    with mapped, closing(_opened(source, name)) as original, closing(connect(target)) as made:
        # The snapshot is held until the end: otherwise each commit of somebody else starts it anew.
        original.execute("BEGIN")
        (begun,) = original.execute("SELECT (julianday('now')-2440587.5)*86400.0").fetchall()[0]
        original.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # it begins with the first read
        with made.backup("main", original, "main") as pages:
            while not pages.done:
                pages.step(_PAGES)
                progress(pages.page_count - pages.remaining, pages.page_count)
        made.pragma("journal_mode", "delete")
        if mark and name == "data":
            made.execute("UPDATE installation SET backed_up_at = ?", (begun,))
        if made.pragma("quick_check") != "ok":
            raise StorageError(f"{source} is damaged: its copy would not open")


def _opened(source: Path, name: SchemaSet) -> apsw.Connection:
    if not source.is_file():
        raise ConfigurationError(f"{source} does not exist")
    try:
        connection = connect(source, read_only=True)
        known = connection.pragma("application_id")
    except apsw.NotADBError:
        raise ConfigurationError(f"{source} is not a SQLite file") from None
    if known != load_schema(name, "sqlite").application_id:
        connection.close()
        raise ConfigurationError(f"{source} is not a {name} file of fankeep")
    return connection


def _refuse_existing(path: Path) -> None:
    for there in (path, *(path.with_name(path.name + suffix) for suffix in ("-journal", "-wal"))):
        if os.path.lexists(there):
            raise ConfigurationError(f"{there} exists: nothing is overwritten; move it away or name another")


def _give_name(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename it never replaces
    except FileExistsError:
        raise ConfigurationError(f"{path} exists by now: nothing was overwritten") from None


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
