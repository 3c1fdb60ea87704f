"""The state file itself: private, replaced as a whole, and refused when it is damaged or somebody else's."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fankeep.errors import ConfigurationError
from fankeep.sandbox.json import JsonObject, decode_json, encode_json, object_of

__all__ = ["StateFile"]

_MARK = b"fankeep-sandbox-state 1 "
_LARGEST = 1 << 28


@dataclass(frozen=True, slots=True)
class StateFile:
    """One file: a line that names its format and the SHA-256 of the rest, and the rest, which is JSON.

    Security:
        It holds the sandbox's secrets in clear, as the sandbox itself does, and is readable by its owner
        only. The digest finds damage, not malice.
    """

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other sandboxes off this file until the block ends; a file beside it holds the lock.

        Raises:
            ConfigurationError: another sandbox runs on it, or there is no place for the lock.
        """
        try:
            descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self.refused(error.strerror or "not writable") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ConfigurationError(
                f"another sandbox runs on the state file {self.path}: stop that one, or name another file"
            ) from None
        try:
            yield
        finally:
            os.close(descriptor)

    def read(self) -> JsonObject | None:
        """Read the state; None when there is no file yet.

        Raises:
            ConfigurationError: the file cannot be read, is damaged, or is no state file.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.refused(error.strerror or "not readable") from None
        head, _, body = data.partition(b"\n")
        if not head.startswith(_MARK):
            raise self.refused("it is something else")
        if head.removeprefix(_MARK) != _digest(body):
            raise self.refused("it is damaged")
        try:
            return object_of(decode_json(body))
        except ValueError:
            raise self.refused("it is damaged") from None

    def write(self, state: JsonObject) -> None:
        """Put a state in place of the one before; whatever interrupts this leaves one of the two.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        body = encode_json(state)
        try:
            self._replace(b"%s%s\n%s" % (_MARK, _digest(body), body))
        except OSError as error:
            raise self.refused(error.strerror or "not writable") from None

    def _replace(self, data: bytes) -> None:
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def refused(self, why: str) -> ConfigurationError:
        """Why this file is of no use, as an error that says what to do."""
        return ConfigurationError(
            f"cannot use the state file {self.path} ({why}): name another one, or move it out of the way"
        )


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
