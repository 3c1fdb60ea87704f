"""Reading a file that nobody else may have read or written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError

__all__ = ["OWNER_ONLY", "PRIVATE_TO_GROUP", "read_private_file"]

OWNER_ONLY: Final = 0o077
"""Refuse every permission of group and others."""

PRIVATE_TO_GROUP: Final = 0o027
"""Let the group read, as container platforms mount secrets, and nothing more."""

_MAX_LENGTH: Final = 1 << 16
_MAX_LINKS: Final = 16


def read_private_file(path: Path, *, what: str, refuse: int = OWNER_ONLY) -> bytes:
    """Read a file after checking that it is as private as what it holds.

    Args:
        path: may lead over symbolic links, as mounted secrets do.
        what: what the file is, for the messages: "key file".
        refuse: the permission bits that the file must not have.

    Returns:
        The content, 1 byte to 64 KiB.

    Raises:
        ConfigurationError: the file is missing, empty, too large, not a file, owned by someone else, open to
            others, or lies where others can replace it. The message never holds the content, nor the path: a
            secret pasted in its place would be shown.

    Security:
        Permissions are those of the opened file, so that it cannot be exchanged between check and reading.
    """
    try:
        _refuse_replaceable(path, what, refuse)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"the {what} cannot be opened: {_why(problem)}") from None
    try:
        _refuse_exposed(os.fstat(descriptor), what, refuse)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(_MAX_LENGTH + 1)
    except OSError as problem:
        raise ConfigurationError(f"the {what} cannot be read: {_why(problem)}") from None
    finally:
        os.close(descriptor)
    if not content:
        raise ConfigurationError(f"the {what} is empty")
    if len(content) > _MAX_LENGTH:
        raise ConfigurationError(f"the {what} is longer than {_MAX_LENGTH} bytes")
    return content


def _refuse_exposed(status: os.stat_result, what: str, refuse: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"the {what} is not a regular file")
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigurationError(f"the {what} belongs to another user: chown it to the one fankeep runs as")
    if status.st_mode & refuse:
        mode = 0o666 & ~refuse
        raise ConfigurationError(
            f"others have access to the {what} (mode {stat.S_IMODE(status.st_mode):04o}): make it {mode:04o}"
            " or less, and replace what it holds if others may have read it"
        )


def _refuse_replaceable(path: Path, what: str, refuse: int) -> None:
    """Refuse a file, or a link on the way to it, that others can exchange.

    That is one in a folder to which everybody can write, or in a folder of its own to which the group can,
    when the group may not have the file.
    """
    for step in _steps(path.absolute(), what):
        for folder in step.parents:
            mode = folder.stat().st_mode
            # The sticky bit keeps others from exchanging a folder further up; the file's own folder has no
            # reason to be everybody's at all.
            protected = mode & stat.S_ISVTX and folder != step.parent
            if mode & stat.S_IWOTH and not protected:
                raise ConfigurationError(f"the {what} lies where everybody can write; put it elsewhere")
        if refuse & stat.S_IRGRP and step.parent.stat().st_mode & stat.S_IWGRP:
            raise ConfigurationError(
                f"the {what} lies in a folder to which its group can write: chmod g-w that folder"
            )


def _steps(path: Path, what: str) -> Iterator[Path]:
    for _ in range(_MAX_LINKS):
        yield path
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()
    raise ConfigurationError(f"the {what} is behind too many symbolic links")


def _why(problem: OSError | ValueError) -> str:
    if isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)
    return "this is not a path"
