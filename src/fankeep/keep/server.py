"""The gateway as a process: one event loop, one vault, a public listener and an internal one."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError, FankeepError
from fankeep.keep.keep import Keep
from fankeep.keep.settings import Settings
from fankeep.secret import Secret
from fankeep.secrets import parse_client_secrets
from fankeep.telemetry import configure, get_logger
from fankeep.telemetry.pipeline import Format
from fankeep.transport.listener import TlsFiles, listening
from fankeep.transport.scheduling import take_turns

__all__ = ["event_loop", "known_secrets", "run", "stop_signal"]

log = get_logger("fankeep.keep")

_YOUNG_OBJECTS: Final = 10_000
"""New objects between two short collections. A request makes hundreds, and nearly all go without help."""


def run(settings: Settings, *, log_format: Format) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: something that the operator has to change, in one line.
        FankeepError: the HTTP server ended by itself.
    """
    if settings.events == "pull" and settings.internal_port is None:
        raise ConfigurationError(
            "FANKEEP_EVENTS is pull and nobody could fetch them: set FANKEEP_INTERNAL_PORT"
        )
    configure(format=log_format, known_secrets=known_secrets(settings))
    take_turns()
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_serve(settings))


def known_secrets(settings: Settings) -> list[Secret[str]]:
    """List the secrets of the settings one by one, so that the logs look for each by its value."""
    client = [version.value for version in parse_client_secrets(settings.client_secret).candidates()]
    signing = [str(secret.value.reveal()) for secret in settings.webhook_secrets]
    forward = [] if settings.forward_secret is None else [settings.forward_secret]
    return [*client, *map(Secret, signing), *forward]


def event_loop() -> asyncio.AbstractEventLoop:
    """Make the fastest event loop that this system has."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not there on Windows

    return uvloop.new_event_loop()


async def _serve(settings: Settings) -> None:
    with stop_signal() as stopped:
        async with Keep(settings) as keep, _listeners(settings, keep) as serving:
            log.info("ready", host=settings.host, port=settings.port, env=settings.env)
            _spare_the_collector()
            waiting = asyncio.create_task(stopped.wait())
            done, _ = await asyncio.wait({*serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            keep.drain()
            if not done <= {waiting}:
                raise FankeepError("the HTTP server ended by itself")
            log.info("stopping")
    log.info("stopped")


@asynccontextmanager
async def _listeners(settings: Settings, keep: Keep) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Open the internal listener, if there is to be one, and then the public one; over one vault.

    In this order: once the public one answers, everything does.
    """
    serving: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        if settings.internal_port is not None:
            tls = _pair(settings.internal_tls_cert_file, settings.internal_tls_key_file)
            internal = listening(
                keep.internal, host=settings.internal_host, port=settings.internal_port, tls=tls
            )
            serving.append(await stack.enter_async_context(internal))
            log.info("internal_listener", host=settings.internal_host, port=settings.internal_port)
        tls = _pair(settings.tls_cert_file, settings.tls_key_file)
        public = listening(keep.gateway, host=settings.host, port=settings.port, tls=tls)
        serving.append(await stack.enter_async_context(public))
        yield serving


def _pair(certificate: Path | None, key: Path | None) -> TlsFiles | None:
    return None if certificate is None or key is None else TlsFiles(certificate, key)


def _spare_the_collector() -> None:
    """Let the garbage collector pass over what the start has made, which lives as long as the process.

    Going through it took tens of milliseconds each time, with every request waiting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


@contextmanager
def stop_signal() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM and SIGINT set, in place of what they do otherwise."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
