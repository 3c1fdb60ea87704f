"""fankeep inside a Python app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from fankeep.client import FanvueClient
from fankeep.errors import ConfigurationError, FankeepError
from fankeep.fanvue.identifiers import as_uuid
from fankeep.inbox import Handlers, Registration
from fankeep.keep.apps import Faces, LifespanApp, faces
from fankeep.keep.services import Services, open_services
from fankeep.keep.settings import Settings
from fankeep.privacy.fans import FanErased, FanEvent
from fankeep.secret import Secret
from fankeep.telemetry import get_logger
from fankeep.transport.listener import AsgiApp
from fankeep.types import UserId

__all__ = ["Keep"]

log = get_logger("fankeep.keep")


class Keep:
    """The secure backend of one app: sign-in, tokens, webhooks.

        keep = Keep()

        @keep.on("creator.message.received")
        async def greet(event): ...

        app = keep.asgi()

    As an ASGI app of its own it starts and stops with the server. Inside another app, mount `asgi()` and
    let it live as long as that app: ``Starlette(routes=[Mount("/", keep.asgi())], lifespan=keep.lifespan)``,
    or ``async with keep`` in a lifespan that does more.
    """

    def __init__(self, settings: Settings | None = None, *, events: bool = True) -> None:
        """Read the settings; nothing is opened yet.

        Args:
            settings: how to run; read from the ``FANKEEP_*`` environment when not given.
            events: whether this object takes its share of the events and hands them to its handlers. Say
                False in a job that has none, or it takes events that nobody then handles. With its routes
                mounted it takes deliveries all the same, and stores as handled what it has no handler for.

        Raises:
            ConfigurationError: a setting is missing, unknown or does not fit.
        """
        self.settings = settings or Settings()
        self._events = events
        self._handlers = Handlers()
        self._services: Services | None = None
        self._faces: Faces | None = None
        self._stack = AsyncExitStack()

    def on(self, event_type: str, *, timeout: float | None = None) -> Registration:
        """Register a handler for a type of event, or for several with ``*``; see `Handlers.on`.

        A pattern that no known event matches is taken, and told in the log when this object starts.

        Args:
            event_type: a type, or a pattern.
            timeout: seconds that this handler has, if it is to have less than ``FANKEEP_EVENT_TIMEOUT``.

        Raises:
            ConfigurationError: events are fetched, so that no handler would ever get one.
            ValueError: no type has such a name, or the time-out is longer than ``FANKEEP_EVENT_TIMEOUT``.
        """
        if self.settings.events == "pull":
            raise ConfigurationError("FANKEEP_EVENTS is pull, so no handler gets an event: make it push")
        if timeout is not None and timeout > self.settings.event_timeout:
            raise ValueError("a handler cannot have more time than FANKEEP_EVENT_TIMEOUT: raise that")
        return self._handlers.on(event_type, timeout=timeout)

    async def access_token(self, user_id: str) -> Secret[str]:
        """Return an access token of this creator that is good for a call now.

        Args:
            user_id: the creator's Fanvue uuid.

        Raises:
            NotConnected: the creator is not connected.
            ReconnectRequired: the connection has ended; the creator has to connect again.
            RetryableError: there is no token at the moment.

        Security:
            Put it in an ``Authorization`` header of a call to Fanvue and nowhere else. `client` does that.
        """
        return (await self._open.vault.access_token(_user(user_id))).token

    def client(self, user_id: str) -> FanvueClient:
        """Return the Fanvue API as this creator sees it."""
        return FanvueClient(self._open.api, _user(user_id))

    def fan_events(self, user_id: str, fan_id: str) -> AsyncIterator[FanEvent]:
        """Open every stored event about one fan of this creator, in the order in which they came.

        Raises:
            ConfigurationError: the creator was never connected.
            RetryableError: the database or the key service did not answer.
        """
        return self._open.fans.events(_user(user_id), _user(fan_id), actor="app")

    async def erase_fan(self, user_id: str, fan_id: str) -> FanErased:
        """Take what is personal out of every stored event about one fan of this creator.

        What comes later is stored again.

        Returns:
            A receipt, which names the fan by a keyed digest alone.

        Raises:
            ConfigurationError: the creator was never connected.
            RetryableError: it is not done; do it again.
        """
        return await self._open.fans.erase(_user(user_id), _user(fan_id), actor="app")

    def asgi(self) -> AsgiApp:
        """Return the gateway as an ASGI app."""
        return LifespanApp(self)

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Open this object with another app and close it with it; the lifespan of Starlette and FastAPI.

        Args:
            app: the other app, which is not looked at.

        Raises:
            ConfigurationError: as `start`.
        """
        del app
        async with self:
            yield

    @property
    def gateway(self) -> AsgiApp:
        """The gateway's public routes, while this object is open."""
        return self._open_faces.public

    @property
    def internal(self) -> AsgiApp:
        """The internal routes, while this object is open.

        Security:
            For a listener that the Internet does not reach; see `internal_app`.
        """
        return self._open_faces.internal

    async def start(self) -> None:
        """Open databases and keys and go on with what was left open.

        Raises:
            ConfigurationError: something that the operator has to change, in one line.
        """
        if self._services is not None:
            return
        for doubt in self._handlers.doubts:
            log.warning("handler_matches_nothing", hint=doubt)
        opening = open_services(self.settings, self._handlers, events=self._events)
        services = await self._stack.enter_async_context(opening)
        self._faces = faces(self.settings, services)
        self._services = services

    def drain(self) -> None:
        """Answer callers who wait for events: a server that is about to stop need not wait for them."""
        if self._services is not None and self._services.puller is not None:
            self._services.puller.close()

    async def stop(self) -> None:
        """Finish what is under way and close everything; may be called twice."""
        self._services = self._faces = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _open(self) -> Services:
        if self._services is None:
            raise FankeepError(_NOT_OPEN)
        return self._services

    @property
    def _open_faces(self) -> Faces:
        if self._faces is None:
            raise FankeepError(_NOT_OPEN)
        return self._faces


_NOT_OPEN = "this Keep is not open: enter it with `async with keep`, or serve keep.asgi()"


def _user(user_id: str) -> UserId:
    """Take a uuid in any spelling; anything else is a mistake of the caller."""
    user = as_uuid(user_id)
    if user is None:
        raise ValueError("a user id is a Fanvue uuid")
    return UserId(user)
