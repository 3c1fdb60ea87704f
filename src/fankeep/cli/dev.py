"""``fankeep dev``: everything that an app needs, on this machine."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

import click

if TYPE_CHECKING:
    from fankeep.cli.stack import Stack, Stop

__all__ = ["command"]

_SANDBOX_PORT: Final = 4010
_PORT: Final = click.IntRange(1, 65_535)
_HOOK: Final = "/hooks/fankeep"
_FORWARD_SECRET: Final = "FANKEEP_FORWARD_SECRET"  # noqa: S105 - the name of a variable
_OPERATIONS: Final = "FANKEEP_OPERATIONS"
_SETTINGS_FILE: Final = "env"
_LAST_WORDS_SECONDS: Final = 1.0
_GREY: Final = "bright_black"


@dataclass(frozen=True, slots=True)
class _App:
    """The developer's app.

    Attributes:
        file: what to start; None when the developer starts it.
        port: where a started one listens.
        upstream: its origin, when it is behind the gateway.
        forward: where it takes events.
    """

    file: Path | None
    port: int
    upstream: str | None
    forward: str | None


@click.command(
    epilog=f"""\b
Examples:
  fankeep dev                                       the local Fanvue and the gateway
  fankeep dev --run examples/dashboard/app.py       and an app behind the gateway
  fankeep dev --upstream http://localhost:3000 --forward http://localhost:3000{_HOOK}

The app that --run starts finds PORT, FANKEEP_PUBLIC_URL, FANKEEP_UPSTREAM_URL and {_FORWARD_SECRET}
in its environment, and takes events at {_HOOK} unless --forward says otherwise. Any other app
verifies events with your {_FORWARD_SECRET}, or else with the secret that this command writes to the
file forward-secret of the folder. {_OPERATIONS} says what the app may call; what the example needs when
it is not set.

The file {_SETTINGS_FILE} of the folder has the settings by which other commands find this installation,
as lines for a shell. There are secrets in it.

Ctrl-C ends everything; the exit code is then 0."""
)
@click.option(
    "--run", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A Python app to start."
)
@click.option("--upstream", help="The origin of an app that runs already.")
@click.option("--forward", help="Where that app takes events.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Of the gateway, on localhost.")
@click.option(
    "--sandbox-port", type=_PORT, default=_SANDBOX_PORT, show_default=True,
    help="Of the local Fanvue, on 127.0.0.1.",
)  # fmt: skip
@click.option(
    "--app-port", type=_PORT, default=8081, show_default=True,
    help="Of the app that --run starts, on 127.0.0.1.",
)  # fmt: skip
@click.option(
    "--folder",
    default=Path(".fankeep/dev"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="For databases, keys and the local Fanvue's world.",
)
@click.option("--fresh", is_flag=True, help="Empty the folder first; otherwise go on with what is in it.")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one line of JSON.")
def command(run: Path | None, *, upstream: str | None, forward: str | None, port: int, sandbox_port: int,
            app_port: int, folder: Path, fresh: bool, as_json: bool) -> None:  # fmt: skip
    """Run a local Fanvue, the gateway and, if you like, an app.

    Everything listens on this machine only, and no process outlives this command. The next start goes on
    with the same world: who was connected still is. The addresses go to stdout, log lines to stderr.
    """
    if run is not None:
        if upstream is not None:
            raise click.UsageError(
                "--run starts the app and --upstream names one that runs: give one of them"
            )
        upstream = f"http://127.0.0.1:{app_port}"
        forward = forward or upstream + _HOOK
    app = _App(run, app_port, upstream, forward)
    from fankeep.cli.stack import Stop

    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)  # shells switch it off for background jobs
    try:
        _run(app, stop, port=port, sandbox_port=sandbox_port, folder=folder, fresh=fresh, as_json=as_json)
    except KeyboardInterrupt:
        return


def _run(
    app: _App, stop: Stop, *, port: int, sandbox_port: int, folder: Path, fresh: bool, as_json: bool
) -> NoReturn:
    from fankeep.cli.stack import Stack
    from fankeep.errors import FankeepError
    from fankeep.transport.ports import available_port

    if app.file is not None:
        available_port("127.0.0.1", app.port)
    logs = _Logs()
    try:
        with Stack(
            folder,
            gateway_port=port,
            sandbox_port=sandbox_port,
            logs=logs.open,
            fresh=fresh,
            keep_credentials=True,
            forward_secret=os.environ.get(_FORWARD_SECRET),
            stop=stop,
        ) as stack:
            _start(stack, app)
            click.echo(_as_json(stack, app) if as_json else _summary(stack, app, sandbox_port, folder))
            sys.stdout.flush()
            logs.show()
            ended = stack.wait_for_any_end()
            code = ended.popen.returncode
    finally:
        logs.close()
    raise FankeepError(f"the {ended.name} ended with exit code {code}, so everything else was stopped")


def _start(stack: Stack, app: _App) -> None:
    settings = {_OPERATIONS: os.environ[_OPERATIONS]} if os.environ.get(_OPERATIONS) else {}
    if app.upstream is not None:
        settings["FANKEEP_UPSTREAM_URL"] = app.upstream
    if app.forward is not None:
        settings["FANKEEP_FORWARD_URL"] = app.forward
        settings[_FORWARD_SECRET] = stack.credentials.forward_secret
        _write_private(stack.folder / "forward-secret", stack.credentials.forward_secret)
    stack.start_sandbox("--state", str(stack.folder / "sandbox.state"))
    _write_private(stack.folder / _SETTINGS_FILE, _exports(stack.environment(**settings)))
    stack.start_gateway("--log-format", "console", **settings)
    if app.file is not None and app.upstream is not None:
        # Last, since the stack ends its processes in the reverse order: streams to browsers end with the app.
        process = stack.start(
            "app", [sys.executable, str(app.file)], _app_environment(stack, app.port, app.upstream)
        )
        stack.wait_for_port(process, app.port)


def _app_environment(stack: Stack, port: int, upstream: str) -> dict[str, str]:
    """What the app needs; of the gateway's own secrets it gets none."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    return clean | {
        "PORT": str(port),
        "FANKEEP_PUBLIC_URL": stack.gateway_url,
        "FANKEEP_UPSTREAM_URL": upstream,
        _FORWARD_SECRET: stack.credentials.forward_secret,
    }


def _exports(environment: dict[str, str]) -> str:
    """The gateway's settings as lines for a shell, so that other commands work on the same installation."""
    settings = sorted((name, value) for name, value in environment.items() if name.startswith("FANKEEP_"))
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # one that is there may be readable by others, or lead elsewhere
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class _Logs:
    """What the processes print, each line under the name of its process; held back until it may be shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[str] | None = []
        self._relays: list[threading.Thread] = []

    def open(self, name: str) -> BinaryIO:
        """Make a pipe for one process."""
        reading, writing = os.pipe()
        relay = threading.Thread(target=self._relay, args=(name, reading), daemon=True)
        self._relays.append(relay)
        relay.start()
        return os.fdopen(writing, "wb")

    def show(self) -> None:
        """Show what was held back, and everything from now on at once."""
        with self._lock:
            for line in self._held or ():
                click.echo(line, err=True)
            self._held = None

    def close(self) -> None:
        """Show the last words of processes that have ended."""
        for relay in self._relays:
            relay.join(_LAST_WORDS_SECONDS)
        self.show()

    def _relay(self, name: str, reading: int) -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._take(click.style(f"{name:<7} │ ", fg=_GREY) + line.rstrip("\n"))

    def _take(self, line: str) -> None:
        with self._lock:
            if self._held is not None:
                self._held.append(line)
                return
        click.echo(line, err=True)


def _summary(stack: Stack, app: _App, sandbox_port: int, folder: Path) -> str:
    start = f"{stack.gateway_url}/" if app.upstream else f"{stack.gateway_url}/auth/login"
    trigger = f"{_program()} trigger creator.message.received"
    if sandbox_port != _SANDBOX_PORT:
        trigger += f" --sandbox {stack.sandbox_url}"
    rows = [
        ("open" if app.upstream else "connect", start, "in a browser"),
        ("make things happen", f"{stack.sandbox_url}/panel", "the local Fanvue's control panel"),
        ("or from a terminal", trigger, ""),
        ("look inside", f". {_sourced(folder / _SETTINGS_FILE)} && {_program()} events list", ""),
    ]
    if app.forward is not None:
        rows.append(("events go to", app.forward, ""))
        if app.file is None and not os.environ.get(_FORWARD_SECRET):
            rows.append(("signed with", f"{folder / 'forward-secret'}", ""))
    width = max(len(label) for label, _, _ in rows)
    lines = [
        f"  {label:<{width}}   {click.style(value, bold=True)}"
        + (click.style(f"   {note}", fg=_GREY) if note else "")
        for label, value, note in rows
    ]
    return "\n".join(["", *lines, "", "  Ctrl-C ends it all.", ""])


def _as_json(stack: Stack, app: _App) -> str:
    return json.dumps(
        {
            "gateway": stack.gateway_url,
            "sandbox": stack.sandbox_url,
            "control_panel": f"{stack.sandbox_url}/panel",
            "upstream": app.upstream,
            "forward": app.forward,
            "folder": str(stack.folder),
            "settings": str(stack.folder / _SETTINGS_FILE),
        }
    )


def _sourced(file: Path) -> str:
    """The file as `.` takes it: without a slash it would be looked for in PATH."""
    return shlex.quote(str(file) if "/" in str(file) else f"./{file}")


def _program() -> str:
    """How to call this program from here."""
    if shutil.which("fankeep"):
        return "fankeep"
    program = Path(sys.executable).parent / "fankeep"
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)
