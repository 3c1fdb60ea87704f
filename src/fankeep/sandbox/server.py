"""Runs a sandbox on a loopback listener, inside the caller's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.passing import time_passing
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.settings import SandboxSettings
from fankeep.sandbox.state import Keeper
from fankeep.sandbox.web import sandbox_app
from fankeep.transport import Transport
from fankeep.transport.listener import listening
from fankeep.transport.ports import available_port

__all__ = ["running_sandbox"]

_STOP_SECONDS = 3.0
_CONNECT_SECONDS = 2.0


@asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings, *, clock: SandboxClock | None = None, keeper: Keeper | None = None
) -> AsyncIterator[Sandbox]:
    """Run a sandbox until the block ends.

    Args:
        settings: what it is; port 0 picks a free one.
        clock: its time; by default the real one, which a test can advance.
        keeper: keeps the world in a file, and brings the one that it has read.

    Yields:
        The sandbox, already answering at its ``base_url``.

    Raises:
        ConfigurationError: the port is taken, or the state file cannot be written.
    """
    port = available_port(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    transport = Transport(
        https_only=False,
        user_agent="Fanvue-Sandbox",
        connect_timeout=min(_CONNECT_SECONDS, settings.delivery_timeout / 2),
    )
    sandbox = Sandbox(settings, base_url=f"http://{host}:{port}", transport=transport, clock=clock)
    try:
        if keeper is not None:
            keeper.restore(sandbox)
            sandbox.keep = partial(keeper.save, sandbox)
        async with (
            listening(sandbox_app(sandbox), host=settings.host, port=port, grace=_STOP_SECONDS),
            time_passing(sandbox),
        ):
            try:
                yield sandbox
            finally:
                await sandbox.close()
                sandbox.keep()
    finally:
        await transport.close()
