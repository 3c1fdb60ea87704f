"""Listening for HTTP: one embedded server for one address, inside the event loop of this process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from fankeep.errors import ConfigurationError
from fankeep.transport.ports import available_port, resolve

__all__ = ["AsgiApp", "Message", "Receive", "Send", "TlsFiles", "listening"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_HEADER_MILLISECONDS = 10_000
_HEADER_BYTES = 65_536
_CONNECTIONS = 1024
_START_SECONDS = 10.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate chain and its private key, PEM."""

    certificate: Path
    key: Path


class _Embedded(Protocol):
    """The part of granian's server that is used here; it has no types of its own."""

    async def serve(self) -> None: ...

    def stop(self) -> None: ...


@asynccontextmanager
async def listening(
    app: AsgiApp, *, host: str, port: int, tls: TlsFiles | None = None, grace: float = 10.0
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve one ASGI app on one address until the block ends, with HTTP/1.1 and bounded headers and idling.

    The app's lifespan is not driven: what the app needs is opened around this block, where its errors are
    seen. At the end requests under way are finished, for ``grace`` seconds at most.

    Args:
        app: what to serve.
        host: a name or address of this machine.
        port: must be free.
        tls: to end TLS here.
        grace: seconds.

    Yields:
        A task that is done only if the server ends by itself. Connections are accepted already.

    Raises:
        ConfigurationError: the port is in use, the address is not ours, or the TLS files do not fit.
    """
    address = resolve(host, port)
    available_port(host, port)
    if tls is not None:
        _require_pair(tls)
    server = _server(app, address, port, tls)
    serving = asyncio.create_task(server.serve(), name="listener")
    try:
        await _wait_until_open(address, port, serving)
        yield serving
    finally:
        if not serving.done():
            server.stop()
            await asyncio.wait({serving}, timeout=grace)
        serving.cancel()


def _server(app: AsgiApp, address: str, port: int, tls: TlsFiles | None) -> _Embedded:
    return Server(
        app,
        address=address,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_HEADER_BYTES),
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        websockets=False,
        log_access=False,
        log_enabled=False,
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )


async def _wait_until_open(address: str, port: int, serving: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while not serving.done():
            try:
                _, writer = await asyncio.open_connection(address, port)
            except OSError:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            writer.close()
            return
    raise ConfigurationError("the HTTP server did not start")


def _require_pair(tls: TlsFiles) -> None:
    """A broken file would end the server in the middle of its start."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            "the TLS certificate and key cannot be used together: check both files"
        ) from None
