"""What the commands of an operator have in common: an opened installation, and no server."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from fankeep.keep.settings import Settings
    from fankeep.keep.stores import Stores

__all__ = ["on_stores", "operator", "plain", "span"]

T = TypeVar("T")

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def on_stores(settings: Settings, work: Callable[[Stores], Awaitable[T]]) -> T:
    """Open the databases and keys that the settings name, do the work, and close them.

    What is logged meanwhile goes to stderr, from warnings on.

    Raises:
        ConfigurationError: there is no installation, or it cannot be opened; in one line.
    """
    from fankeep.keep.server import event_loop, known_secrets
    from fankeep.keep.stores import open_stores
    from fankeep.telemetry import configure

    async def run() -> T:
        async with open_stores(settings, create=False) as stores:
            return await work(stores)

    configure(format="console", level="WARNING", known_secrets=known_secrets(settings))
    with asyncio.Runner(loop_factory=event_loop) as runner:
        return runner.run(run())


def operator() -> str:
    """Name who runs this command, for the trail: the account as the system knows it, not a variable."""
    account = os.getuid()
    try:
        return f"operator:{plain(pwd.getpwuid(account).pw_name)[:64]}"
    except KeyError:  # a container may run under an id that has no name
        return f"operator:{account}"


def plain(text: str) -> str:
    """Text that a terminal shows and does not obey; what a server sent may be in it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def span(seconds: float | None) -> str:
    """A length of time in its largest unit, for a table; nothing for None."""
    if seconds is None:
        return ""
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), _UNITS[-1])
    return f"{int(seconds / size)} {unit}"
