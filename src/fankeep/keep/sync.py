"""fankeep in code without an event loop: scripts, thread pools, task queues."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from functools import cache
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from fankeep.client import ApiAnswer, Query
from fankeep.errors import FankeepError
from fankeep.keep.keep import Keep
from fankeep.keep.server import event_loop
from fankeep.keep.settings import Settings
from fankeep.secret import Secret

__all__ = ["SyncKeep"]

T = TypeVar("T")

_NO_PARAMS: Final[Mapping[str, str]] = {}
_NO_QUERY: Final[Query] = ()

_forked: Final = Event()
"""Set in a process that was forked from one in which fankeep was opened before."""


class SyncKeep:
    """A `Keep` whose methods wait, for workers.

        with SyncKeep() as keep:
            answer = keep.call(creator, "getCurrentUser")

    It shares the connections of creators with every other process of the installation, takes no events, and
    may be used from any number of threads. Its work is done by one thread with an event loop of its own.

    A forked process has neither that thread nor those of the HTTP library. So each process opens its own, and
    only after the fork: where one was opened before, everything refuses to work.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Read the settings; nothing is opened yet.

        Args:
            settings: how to run; read from the ``FANKEEP_*`` environment when not given.

        Raises:
            ConfigurationError: a setting is missing, unknown or does not fit.
        """
        self._keep = Keep(settings, events=False)
        self._thread: _LoopThread | None = None

    def open(self) -> None:
        """Open databases and keys in this process; ``with`` does it too.

        Raises:
            ConfigurationError: something that the operator has to change, in one line.
            FankeepError: this process was forked from one that had opened fankeep.
        """
        _refuse_forked()
        if self._thread is not None:
            return
        thread = _LoopThread()
        try:
            thread.run(self._keep.start())
        except BaseException:
            thread.stop()
            raise
        self._thread = thread

    def close(self) -> None:
        """Finish what is under way and close everything. In a process that was forked later, do nothing."""
        thread, self._thread = self._thread, None
        if thread is None or _forked.is_set():
            return
        try:
            thread.run(self._keep.stop())
        finally:
            thread.stop()

    def access_token(self, user_id: str) -> Secret[str]:
        """Return an access token of this creator that is good for a call now; see `Keep.access_token`."""
        return self._open.run(self._keep.access_token(user_id))

    def call(
        self,
        user_id: str,
        operation_id: str,
        *,
        params: Mapping[str, str] = _NO_PARAMS,
        query: Query = _NO_QUERY,
        body: object = None,
    ) -> ApiAnswer:
        """Call one operation of the API as this creator and read its answer; see `FanvueClient.call`."""
        thread = self._open
        client = self._keep.client(user_id)
        return thread.run(client.call(operation_id, params=params, query=query, body=body))

    def pages(
        self,
        user_id: str,
        operation_id: str,
        *,
        params: Mapping[str, str] = _NO_PARAMS,
        query: Query = _NO_QUERY,
    ) -> Iterator[ApiAnswer]:
        """Call a list operation until it has no more pages; see `FanvueClient.pages`."""
        thread = self._open
        pages = self._keep.client(user_id).pages(operation_id, params=params, query=query)
        while (page := thread.run(_next(pages))) is not None:
            yield page

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _open(self) -> _LoopThread:
        if self._thread is None:
            raise FankeepError("this SyncKeep is not open: enter it with `with keep`, or call keep.open()")
        return self._thread


class _LoopThread:
    """One thread with one event loop."""

    def __init__(self) -> None:
        _watch_forks()
        self._stopped = asyncio.Event()
        running: Future[asyncio.AbstractEventLoop] = Future()
        # Whoever forgets to close must still be able to end the program.
        self._thread = Thread(target=self._serve, args=(running,), name="fankeep-loop", daemon=True)
        self._thread.start()
        self._loop = running.result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for what comes of it. Whoever is interrupted cancels it."""
        try:
            _refuse_forked()
        except FankeepError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _serve(self, running: Future[asyncio.AbstractEventLoop]) -> None:
        async def until_stopped() -> None:
            running.set_result(asyncio.get_running_loop())
            await self._stopped.wait()

        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(until_stopped())


@cache
def _watch_forks() -> None:
    os.register_at_fork(after_in_child=_forked.set)


def _refuse_forked() -> None:
    if _forked.is_set():
        raise FankeepError(
            "this process was forked from one that had opened fankeep already: open it in each process after"
            " the fork, and never before"
        )


async def _next(pages: AsyncIterator[ApiAnswer]) -> ApiAnswer | None:
    return await anext(pages, None)
