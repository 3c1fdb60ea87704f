"""A sandbox in a thread with an event loop of its own, so that tests of any style can use it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from fankeep.sandbox import AppRegistration, ControlClient, Sandbox, SandboxSettings, running_sandbox
from fankeep.testing.control import Control
from fankeep.transport import Transport

__all__ = ["CALLBACK_URL", "FanvueSandbox", "default_settings", "fanvue_sandbox_in_thread"]

CALLBACK_URL = "http://localhost:8000/auth/callback"
"""The redirect URI that is registered when the settings name none."""

_START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FanvueSandbox:
    """A running sandbox as a test sees it.

    Attributes:
        base_url: where it listens, without a trailing slash; ``issuer_url`` and ``api_url`` are the same.
        client_id: of the first app.
        client_secret: of the first app, as it was at the start; ``control.reset_secret`` makes a new one.
        webhook_secret: the first app's signing secret; a subscription made through the API has its own.
        redirect_uris: those registered for the first app at the start.
        control: makes things happen and tells what happened.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    control: Control = field(repr=False)

    @property
    def issuer_url(self) -> str:
        """In place of ``https://auth.fanvue.com``."""
        return self.base_url

    @property
    def api_url(self) -> str:
        """In place of ``https://api.fanvue.com``."""
        return self.base_url


def default_settings() -> SandboxSettings:
    """One app with every scope and one redirect URI, on a free port."""
    return SandboxSettings(port=0, apps=(AppRegistration(redirect_uris=(CALLBACK_URL,)),))


@contextmanager
def fanvue_sandbox_in_thread(settings: SandboxSettings | None = None) -> Iterator[FanvueSandbox]:
    """Run a sandbox in a thread until the block ends; the fixture without pytest.

    Args:
        settings: what it is; port 0 picks a free one.

    Yields:
        The sandbox, already answering.

    Raises:
        ConfigurationError: the settings do not fit, or the port is taken.
    """
    thread = _SandboxThread(settings or default_settings())
    sandbox = thread.start()
    app = sandbox.apps.first
    control = Control(
        thread.control,
        thread.loop,
        base_url=sandbox.base_url,
        client_id=app.client_id,
        client_secret=app.client_secret.reveal(),
    )
    try:
        yield FanvueSandbox(
            base_url=sandbox.base_url,
            client_id=app.client_id,
            client_secret=app.client_secret.reveal(),
            webhook_secret=app.signing_secret.reveal(),
            redirect_uris=app.redirect_uris,
            control=control,
        )
    finally:
        thread.stop()


class _SandboxThread:
    """The thread, from the start of its loop until its sandbox is closed."""

    loop: asyncio.AbstractEventLoop
    control: ControlClient

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._started: Future[Sandbox] = Future()
        self._enough = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fanvue-sandbox", daemon=True)

    def start(self) -> Sandbox:
        self._thread.start()
        return self._started.result(_START_SECONDS)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._enough.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        transport = Transport(https_only=False)
        try:
            async with running_sandbox(self._settings) as sandbox:
                self.control = ControlClient(sandbox.base_url, transport)
                self._started.set_result(sandbox)
                await self._enough.wait()
        finally:
            await transport.close()
