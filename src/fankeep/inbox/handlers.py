"""Handlers and the types of events that they are for.

A type stands for its twins too: Fanvue tells some facts by a legacy name, by a new one, or by both, and a
handler for either name gets whichever comes. It sees the name that came.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, TypeVar, overload

from fankeep.fanvue import event_type
from fankeep.fanvue.detail_types import read_detail
from fankeep.fanvue.details import Detail
from fankeep.fanvue.event_patterns import compiled, unmatched
from fankeep.policy import Json
from fankeep.store import Transaction
from fankeep.types import UserId

__all__ = [
    "Effect",
    "Handler",
    "HandlerTimedOut",
    "Handlers",
    "PlainHandler",
    "ReceivedEvent",
    "Registration",
    "TwoPhaseHandler",
]

P = TypeVar("P")
D = TypeVar("D", bound=Detail)

_TypeOf: TypeAlias = type[D]  # inside of an event, `type` is the name of its kind

_PATTERN: Final = re.compile(r"[a-z0-9_*]+(?:\.[a-z0-9_*]+)*")


class HandlerTimedOut(Exception):
    """A handler, or all of an event's together, took longer than allowed; does not leave this room."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """What a handler gets.

    Attributes:
        id: 32 hex digits, the same whenever this event is handed over; what a plain handler makes its
            own work repeatable by.
        type: the name that came, for example ``creator.message.received``, or ``message.received`` of a
            creator for whom Fanvue uses the old names; handlers for patterns have to expect new ones.
        family: ``creator``, ``checkout``, ``app_payment``, ``legacy``, or ``unknown``.
        creator: whose account it is about; None if the event did not say.
        occurred_at: seconds since 1970 by the sender's clock; None if the event did not say.
        received_at: seconds since 1970 by the database's clock.
        data: the fields that were kept, by the names that came; ``detail`` has them under one name. Any of
            them can be missing: the sender leaves fields out, and an event of a creator who never connected,
            or was erased, is stored without any. Hidden from ``repr``.
        attempt: 1 for the first try.
        replayed: an operator asked for it again.

    Security:
        What stands in ``data`` was written by Fanvue or by a fan. It says what happened and never who may
        do what: look up the creator in your own records.
    """

    id: str
    type: str
    family: str
    creator: UserId | None
    occurred_at: float | None
    received_at: float
    data: Mapping[str, Json] = field(repr=False)
    attempt: int
    replayed: bool

    @property
    def detail(self) -> Detail | None:
        """What it says, as a value of ``fankeep.Message``, ``fankeep.Payment`` and so on; for ``match``.

        One fact has one type, whichever name it came by. None for a type that is not in the catalogue.
        """
        return read_detail(self.type, self.data)

    def as_(self, kind: _TypeOf[D]) -> D:
        """Return what it says as a value of this type.

        Raises:
            TypeError: it is of another one: the handler is registered for too much.
        """
        detail = self.detail
        if not isinstance(detail, kind):
            raise TypeError(f"an event of type {self.type} is no {kind.__name__}")
        return detail


PlainHandler: TypeAlias = Callable[[ReceivedEvent], Awaitable[None]]
"""Runs at least once for every event: again when it raised, took too long, or its process died."""


class TwoPhaseHandler(Protocol[P]):
    """A handler whose effect happens exactly once, since it commits together with the event's mark.

    ``prepare`` may take its time and talk to other services, and may run more than once. ``apply`` gets its
    result and a transaction of fankeep's own database, in which it can await nothing but statements.
    """

    async def prepare(self, event: ReceivedEvent) -> P:
        """Get everything that the effect needs."""
        ...

    async def apply(self, tx: Transaction, prepared: P) -> None:
        """Write the effect."""
        ...


Effect: TypeAlias = Callable[[Transaction], Awaitable[None]]

Handler: TypeAlias = Callable[[ReceivedEvent], Awaitable[Effect | None]]
"""Both kinds in one form: what to do now, and what is left for the transaction."""


class Handlers:
    """Which handlers an event goes to: all whose pattern matches its type, in the order of registration.

    Attributes:
        doubts: a sentence for each pattern that no known event matches. Fanvue may have such an event, or the
            name is misspelt and the handler waits for ever.
    """

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self._registered: list[tuple[re.Pattern[str], Handler]] = []
        self._by_names: dict[tuple[str, ...], tuple[Handler, ...]] = {}

    def on(self, pattern: str, *, timeout: float | None = None) -> Registration:
        """Register what follows for a type of event, and for its twins.

            @handlers.on("creator.message.received")
            async def greet(event: ReceivedEvent) -> None: ...

            handlers.on("checkout_link.payment.*")(CountPayments())

        Args:
            pattern: a type, or with ``*`` for any characters, dots included.
            timeout: seconds that this handler has for one event, if it is to have less than all of an event's
                handlers have together.

        Raises:
            ValueError: the pattern has characters that no type has, or the time-out is none.
        """
        if not _PATTERN.fullmatch(pattern):
            raise ValueError("a pattern is a type of event, with * for any characters")
        if timeout is not None and not timeout > 0:
            raise ValueError("a time-out is a number of seconds above 0")
        if doubt := unmatched(pattern):
            self.doubts.append(doubt)
        return Registration(self, compiled(pattern), timeout)

    def matching(self, *names: str) -> tuple[Handler, ...]:
        """Return the handlers for an event that goes by these names; each once, whichever of them match."""
        if names not in self._by_names:
            self._by_names[names] = tuple(
                handler
                for pattern, handler in self._registered
                if any(pattern.fullmatch(name) for name in names)
            )
        return self._by_names[names]

    def wants(self, type_name: str) -> bool:
        """Whether there may be a handler for an event of this type; what it says can narrow that down."""
        return bool(self.matching(type_name, *event_type(type_name).twins))

    def add(self, pattern: re.Pattern[str], handler: Handler) -> None:
        """Append one handler; ``on`` is the way to call this."""
        self._registered.append((pattern, handler))
        self._by_names.clear()


class Registration:
    """What ``on`` returns: takes a function, as a decorator, or a two-phase handler."""

    def __init__(self, handlers: Handlers, pattern: re.Pattern[str], timeout: float | None) -> None:
        self._handlers = handlers
        self._pattern = pattern
        self._timeout = timeout

    @overload
    def __call__(self, handler: TwoPhaseHandler[P]) -> TwoPhaseHandler[P]: ...

    @overload
    def __call__(self, handler: PlainHandler) -> PlainHandler: ...

    def __call__(self, handler: TwoPhaseHandler[P] | PlainHandler) -> TwoPhaseHandler[P] | PlainHandler:
        """Register the handler and return it."""
        run = _plain(handler) if callable(handler) else _two_phase(handler)
        self._handlers.add(self._pattern, run if self._timeout is None else _limited(run, self._timeout))
        return handler


def _limited(handler: Handler, seconds: float) -> Handler:
    async def run(event: ReceivedEvent) -> Effect | None:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await handler(event)
        except TimeoutError:
            if limit.expired():
                raise HandlerTimedOut from None
            raise  # the handler's own

    return run


def _plain(handler: PlainHandler) -> Handler:
    async def run(event: ReceivedEvent) -> None:
        await handler(event)

    return run


def _two_phase(handler: TwoPhaseHandler[P]) -> Handler:
    async def run(event: ReceivedEvent) -> Effect:
        prepared = await handler.prepare(event)
        return lambda tx: handler.apply(tx, prepared)

    return run
