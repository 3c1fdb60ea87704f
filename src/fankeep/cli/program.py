"""The command ``fankeep``: the table of its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from fankeep.cli.lazy import LazyCommand, LazyGroup
from fankeep.errors import ConfigurationError, FankeepError

__all__ = ["COMMANDS", "command", "main", "run"]

_PACKAGE: Final = Path(__file__).parents[1]

EXIT_FAILED: Final = 1
EXIT_CONFIGURATION: Final = 2
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it

COMMANDS: Final = {
    "dev": LazyCommand("fankeep.cli.dev", "Run sandbox, gateway and example app on this machine."),
    "demo": LazyCommand(
        "fankeep.cli.demo", "Connect, send events and attack, as a script; print each result."
    ),
    "serve": LazyCommand("fankeep.cli.serve", "Run the gateway."),
    "sandbox": LazyCommand("fankeep.cli.sandbox", "Run a local Fanvue."),
    "trigger": LazyCommand("fankeep.cli.trigger", "Make the local Fanvue send an event."),
    "grants": LazyCommand("fankeep.cli.grants", "List, show, disconnect and reap creators' connections."),
    "webhooks": LazyCommand(
        "fankeep.cli.webhooks", "List, add, remove and try out the app's webhook endpoints."
    ),
    "events": LazyCommand("fankeep.cli.events", "List, show, follow and replay stored events."),
    "trail": LazyCommand("fankeep.cli.trail", "Show what operators and programs have done."),
    "fans": LazyCommand("fankeep.cli.fans", "Export and erase what is stored about one fan."),
    "keys": LazyCommand("fankeep.cli.keys", "Make, rotate and retire key-encryption keys."),
    "secret": LazyCommand("fankeep.cli.secret", "See how old the secrets are, and which are due."),
    "service-keys": LazyCommand(
        "fankeep.cli.service_keys", "Make, list and revoke keys for programs that use the internal listener."
    ),
    "backup": LazyCommand("fankeep.cli.backup", "Copy the databases while fankeep runs."),
    "restore": LazyCommand("fankeep.cli.restore", "Put back-ups where the settings say, made safe to use."),
}

command = LazyGroup(
    "fankeep",
    table=COMMANDS,
    text="The secure backend of an app built on Fanvue: sign-in, tokens, webhooks.",
    examples="""\b
Examples:
  fankeep demo                                see it work, and attacks fail
  fankeep dev                                 click through it in a browser
  fankeep keys add --file /etc/fankeep/keys.json
  fankeep serve                               settings come from FANKEEP_* variables""",
)
click.version_option(package_name="fankeep", message="%(prog)s %(version)s")(command)


def main() -> NoReturn:
    """Run the command of this process and end the process."""
    code = run(sys.argv[1:])
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or its reader has gone
            stream.flush()
    # Without taking the interpreter down: threads of the HTTP library may still be letting go of Python's
    # objects, and one that does so during the take-down aborts the process.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Returns:
        The exit code: 0 done, 1 failed, 2 something that the caller has to change (arguments, settings,
        files), 130 interrupted.

    Security:
        An error ends as one line on stderr. A traceback never does: its messages may hold values.
    """
    try:
        code = command.main(list(arguments), prog_name="fankeep", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FankeepError as error:
        _say(str(error))
        return EXIT_CONFIGURATION if isinstance(error, ConfigurationError) else EXIT_FAILED
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, and closing stdout must not say it either.
        sys.stdout = sys.stderr
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  (the last resort)
        _say(f"stopped by a mistake in fankeep, {_place(error)}; please report it")
        return EXIT_FAILED
    return code if isinstance(code, int) else 0


def _say(message: str) -> None:
    print("fankeep: " + " ".join(message.split()), file=sys.stderr)


def _place(error: Exception) -> str:
    """Name the kind of an error and the innermost line of ours that it passed, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    last = ours[-1]  # run() itself is one
    return f"{type(error).__name__} at {Path(last.filename).relative_to(_PACKAGE)}:{last.lineno}"
