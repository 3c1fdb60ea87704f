"""Sandbox, gateway and app as processes on this machine, for ``fankeep dev`` and ``fankeep demo``."""

from __future__ import annotations

import ctypes
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO, Self, TypeAlias
from urllib.parse import urlsplit

from fankeep.cli.credentials import Credentials, kept_credentials
from fankeep.errors import ConfigurationError, FankeepError
from fankeep.transport.ports import available_port

__all__ = ["Process", "Stack", "Stop"]

_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
_MARK = ".made-by-fankeep"  # in our folders: what is not marked is not ours to empty

Output: TypeAlias = Callable[[str], BinaryIO]
"""Opens the place for what a process prints, by the name of the process."""


@dataclass
class Process:
    """A running process of the stack."""

    name: str
    popen: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it the hard way, as a crash or the kernel would."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> None:
        """Ask it to end, and insist when it does not."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


class Stop:
    """Remembers that somebody asked for the end: a signal's handler.

    It raises nothing where the signal strikes. In the middle of a look at a process that would leave a lock
    of ``subprocess`` held, and nobody could wait for the process any more.
    """

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take note."""
        del number, frame
        self._asked = True

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if it was asked for."""
        if self._asked:
            raise KeyboardInterrupt


class Stack:
    """Starts the processes of a local set-up and ends them with itself.

    The gateway answers on ``localhost`` and the sandbox on ``127.0.0.1``: browsers share cookies between the
    ports of one host name, and these two must not.
    """

    def __init__(
        self,
        folder: Path,
        *,
        gateway_port: int,
        sandbox_port: int,
        logs: Path | Output | None = None,
        fresh: bool = True,
        keep_credentials: bool = False,
        forward_secret: str | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Prepare a private folder; nothing is started yet.

        Args:
            folder: for databases and keys; one of an earlier run is emptied, or gone on with.
            gateway_port: on localhost.
            sandbox_port: on 127.0.0.1.
            logs: a folder for what the processes print, or what opens a place for it; None lets them print
                to this terminal.
            fresh: empty the folder.
            keep_credentials: write the made-up credentials into the folder, for the next run to use.
            forward_secret: signs what the gateway forwards; made up when not given.
            stop: ends every wait for a process with `KeyboardInterrupt`.

        Raises:
            ConfigurationError: the folder cannot be made or holds something else, or a port is taken.
        """
        self.folder = folder.absolute()
        self.gateway_url = f"http://localhost:{gateway_port}"
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self._gateway_port = gateway_port
        self._sandbox_port = sandbox_port
        self._logs = logs
        self._stop = stop or Stop()
        self._processes: list[Process] = []
        for port in (gateway_port, sandbox_port):
            available_port("127.0.0.1", port)
        _make_private(self.folder, empty=fresh)
        kept = kept_credentials(self.folder / "credentials.json") if keep_credentials else Credentials()
        self.credentials = replace(kept, forward_secret=forward_secret) if forward_secret else kept

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.stop()

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings that gateway and sandbox share, as their environment."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        return clean | {
            "FANKEEP_ENV": "development",
            "FANKEEP_PUBLIC_URL": self.gateway_url,
            "FANKEEP_HOST": "localhost",
            "FANKEEP_PORT": str(self._gateway_port),
            "FANKEEP_ISSUER_URL": self.sandbox_url,
            "FANKEEP_API_URL": self.sandbox_url,
            "FANKEEP_CLIENT_ID": self.credentials.client_id,
            "FANKEEP_CLIENT_SECRET": self.credentials.client_secret,
            "FANKEEP_WEBHOOK_SECRETS": f"sandbox={self.credentials.webhook_secret}",
            "FANKEEP_OPERATIONS": OPERATIONS,
            "FANKEEP_DATABASE_URL": f"sqlite:///{self.folder}/fankeep.db",
            "FANKEEP_KEYS_DATABASE_URL": f"sqlite:///{self.folder}/fankeep-keys.db",
            "FANKEEP_KEYS": f"file:{self.folder}/key-encryption-keys.json",
            **more,
        }

    def start_sandbox(self, *arguments: str) -> Process:
        """Start the sandbox and wait until it answers."""
        process = self.start(
            "sandbox",
            [*_FANKEEP, "sandbox", "--port", str(self._sandbox_port), *arguments],
            self.environment(),
        )
        self.wait_for(process, f"{self.sandbox_url}/.well-known/openid-configuration")
        return process

    def start_gateway(self, *arguments: str, **settings: str) -> Process:
        """Start the gateway, with further settings, and wait until it is ready."""
        process = self.start("gateway", [*_FANKEEP, "serve", *arguments], self.environment(**settings))
        self.wait_for(process, f"{self.gateway_url}/readyz")
        return process

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Start a process that ends with this one, whatever ends it.

        It does not hear a Ctrl-C in this terminal: this process ends the others, in its own order.
        """
        output = self._output(name)
        try:
            popen = subprocess.Popen(  # noqa: S603 - our own command
                command,
                env=environment,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - calls the kernel and nothing else
            )
        finally:
            if output is not None:
                output.close()
        process = Process(name, popen)
        self._processes.append(process)
        return process

    def wait_for(self, process: Process, url: str) -> None:
        """Wait until an address answers 200.

        Raises:
            FankeepError: the process ended, or took too long.
        """
        self._wait(process, lambda: _answers(url))

    def wait_for_port(self, process: Process, port: int) -> None:
        """Wait until a loopback port accepts connections.

        Raises:
            FankeepError: the process ended, or took too long.
        """
        self._wait(process, lambda: _is_open(port))

    def _wait(self, process: Process, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not is_ready():
            self._stop.check()
            if process.popen.poll() is not None:
                raise FankeepError(f"the {process.name} ended while it was starting")
            if time.monotonic() > deadline:
                raise FankeepError(f"the {process.name} did not get ready")
            time.sleep(0.02)

    def _output(self, name: str) -> BinaryIO | None:
        if isinstance(self._logs, Path):
            self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            return (self._logs / f"{name}.log").open("ab")
        return None if self._logs is None else self._logs(name)

    def wait_for_any_end(self) -> Process:
        """Wait until one of the processes ends, and return it."""
        while True:
            self._stop.check()
            for process in self._processes:
                if process.popen.poll() is not None:
                    return process
            time.sleep(0.2)


# -P: a developer's app may have files of its own that are called like a module which we import.
_FANKEEP = [sys.executable, "-P", "-m", "fankeep"]

OPERATIONS = "getCurrentUser listChats listMessages sendMessage"
"""What the example app does, and so what the gateway lets through."""


def _make_private(folder: Path, *, empty: bool) -> None:
    try:
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / _MARK).exists():
                raise ConfigurationError(
                    f"the folder {folder} holds something else: choose another one with --folder"
                )
            if empty:
                shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / _MARK).touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the folder {folder} ({error.strerror}): choose another one with --folder"
        ) from None


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
