"""Where a SQLite database may lie: a private folder, and files that only the owner reads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fankeep.errors import ConfigurationError

__all__ = ["prepare"]

_SHARED_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ANY_SHARED = stat.S_IRWXG | stat.S_IRWXO


def prepare(path: Path, *, create: bool, setting: str) -> Path:
    """Check the folder and make the empty database file if there is none.

    Args:
        path: of the database file.
        create: make the folder (mode 0700) and the file (mode 0600) when they are missing.
        setting: the variable that names the database, to say where to look when there is none.

    Returns:
        The path with every symbolic link resolved, so that one file has one set of lock files.

    Raises:
        ConfigurationError: in one line, with what to do.

    Security:
        Whoever can write to the folder can replace the database or its lock files; whoever can read the file
        can copy it. Both are refused here rather than repaired, since the damage may be done.
    """
    path = Path(os.path.realpath(path))
    try:
        _check_folder(path.parent, create=create)
        if create:
            _create(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        if create:
            raise ConfigurationError(f"{path} cannot be made there: check {setting}") from None
        raise ConfigurationError(
            f"there is no database at {path}: run this where fankeep runs, or set {setting}"
        ) from None
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be opened for writing: {_why(problem)}") from None
    try:
        _check_file(path, os.fstat(descriptor))
    finally:
        os.close(descriptor)
    return path


def _check_folder(folder: Path, *, create: bool) -> None:
    """Refuse a folder that is not private; one that does not exist is the caller's ``FileNotFoundError``."""
    try:
        if create and not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
        mode = folder.stat().st_mode
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise ConfigurationError(f"the folder {folder} cannot be used: {_why(problem)}") from None
    if not stat.S_ISDIR(mode):
        raise ConfigurationError(f"{folder} is not a folder")
    if mode & _SHARED_WRITE:
        raise ConfigurationError(f"others can write to the folder {folder}: run chmod go-w on it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"the folder {folder} is not writable for this user, which SQLite needs")


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is not a file")
    if status.st_mode & _ANY_SHARED:
        raise ConfigurationError(f"others can read or write {path}: run chmod 600 on it")


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return


def _why(problem: OSError) -> str:
    return os.strerror(problem.errno) if problem.errno else type(problem).__name__
