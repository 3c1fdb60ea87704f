"""Time limits for many short waits, with one timer for all of them."""

from __future__ import annotations

import asyncio
from contextvars import Context
from types import TracebackType

__all__ = ["Patience"]


class Patience:
    """Gives out time limits like `asyncio.timeout`. Used from one event loop.

    A timer for every wait, set and taken away again, costs more than all else that reading a short body does.
    Here the one timer stands at the end of the wait that it was set for; whoever has left by then is not
    there any more, and it moves on to the earliest of those that are.
    """

    def __init__(self) -> None:
        self._waits: set[_Wait] = set()
        self._timer: asyncio.TimerHandle | None = None

    def timeout(self, seconds: float) -> _Wait:
        """An asynchronous context manager: ``TimeoutError`` when the block takes longer."""
        return _Wait(self, seconds)

    def enter(self, wait: _Wait, loop: asyncio.AbstractEventLoop) -> None:
        """Watch a wait."""
        self._waits.add(wait)
        if self._timer is None or self._timer.when() > wait.until:
            self._set(loop, wait.until)

    def leave(self, wait: _Wait) -> None:
        """Watch it no longer."""
        self._waits.discard(wait)

    def _set(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # In a context of its own: whoever waits first must not lend the others what belongs to its request.
        self._timer = loop.call_at(when, self._look, loop, context=Context())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for wait in [wait for wait in self._waits if wait.until <= now]:
            self._waits.discard(wait)
            wait.give_up()
        if self._waits:
            self._set(loop, min(wait.until for wait in self._waits))


class _Wait:
    """One time limit; `Patience.timeout` makes it."""

    __slots__ = ("_cancelling", "_late", "_patience", "_seconds", "_task", "until")

    def __init__(self, patience: Patience, seconds: float) -> None:
        self._patience = patience
        self._seconds = seconds
        self._late = False
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.until = 0.0

    def give_up(self) -> None:
        """End the block."""
        self._late = True
        if self._task is not None:
            self._task.cancel()

    async def __aenter__(self) -> None:
        self._task = task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit belongs into a task")
        self._cancelling = task.cancelling()
        loop = task.get_loop()
        self.until = loop.time() + self._seconds
        self._patience.enter(self, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.leave(self)
        # Whoever cancels the task for another reason at the same moment is heard, as with asyncio.timeout.
        if (
            self._late
            and self._task is not None
            and self._task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error
