"""The gateway with a stopwatch at every step of a delivery.

``python -m bench.rig.steps FILE`` serves like ``fankeep serve`` and writes the sums to the file at its end.
The stopwatches stand here and not in the product: they are put round its functions from outside. They count
the processor time of their thread, so that other work of the machine does not count; only queueing and
committing go by the clock on the wall.
"""

from __future__ import annotations

import json
import pkgutil
import sys
import time
import types
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from fankeep.inbox.group_commit import GroupCommit
from fankeep.inbox.log import DatabaseLog
from fankeep.keep.server import run
from fankeep.keep.settings import Settings
from fankeep.store.events import NewEvent
from fankeep.telemetry import get_logger
from fankeep.types import UserId

P = ParamSpec("P")
R = TypeVar("R")

_spent: Final = Counter[str]()
_clock: Final = time.perf_counter_ns
_busy: Final = time.thread_time_ns

_CALLS: Final = {
    "verify": "fankeep.gateway.webhooks:WebhookReceiver._verified",
    "parse": "fankeep.inbox.accept:parse_event",
    "digest": "fankeep.inbox.accept:event_digest",
}
_COROUTINES: Final = {
    "read_body": "fankeep.gateway.messages:IncomingBody.read",
    "minimise_seal": "fankeep.inbox.accept:Inbox._row",
    "answer": "fankeep.gateway.app:_Answer.__call__",
    "receiver": "fankeep.gateway.webhooks:WebhookReceiver.__call__",
    "gateway": "fankeep.gateway.app:_Gateway._answer",
}
_LINES: Final = 2_000


def _timed(name: str, function: Callable[P, R]) -> Callable[P, R]:
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        begin = _busy()
        try:
            return function(*args, **kwargs)
        finally:
            _spent[name] += _busy() - begin

    return call


def _timed_async(name: str, function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    @types.coroutine
    def call(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, R]:
        steps = function(*args, **kwargs).__await__()
        resume: Callable[[], Any] = partial(next, steps)
        while True:
            begin = _busy()
            try:
                waits_for = resume()
            except StopIteration as finished:
                result: R = finished.value
                return result
            finally:
                _spent[name] += _busy() - begin
            try:
                yield waits_for
                resume = partial(next, steps)
            except BaseException as problem:  # noqa: BLE001 - on its way into the step
                resume = partial(steps.throw, problem)

    return call


def _watch_queue() -> None:
    """From putting a row on its way to the start of its transaction, and the transaction itself."""
    arrived: dict[bytes, int] = {}
    put, store = GroupCommit.add, DatabaseLog.add

    def add(self: GroupCommit, row: NewEvent) -> Any:
        arrived.setdefault(row.digest, _clock())
        return put(self, row)

    async def commit(
        self: DatabaseLog, new: Sequence[NewEvent], *, modern: Sequence[UserId]
    ) -> frozenset[bytes]:
        begin = _clock()
        for row in new:
            _spent["queue_wait"] += begin - arrived.pop(row.digest)
        _spent["rows"] += len(new)
        _spent["groups"] += 1
        try:
            return await store(self, new, modern=modern)
        finally:
            _spent["commit_per_row"] += _clock() - begin

    setattr(GroupCommit, "add", add)  # noqa: B010 - mypy holds methods for constants
    setattr(DatabaseLog, "add", commit)  # noqa: B010


def _watch(timed: Callable[[str, Callable[..., Any]], Any], places: Mapping[str, str]) -> None:
    for step, place in places.items():
        module, _, path = place.partition(":")
        owner, _, attribute = path.rpartition(".")
        found = pkgutil.resolve_name(f"{module}:{owner}")
        setattr(found, attribute, timed(step, getattr(found, attribute)))


def _time_log_lines() -> None:
    """What a line in the log costs; stored deliveries do not get one each."""
    log = get_logger("fankeep.bench")
    for number in range(_LINES):
        begin = _busy()
        log.info("request", route="webhook", method="POST", status=200, seconds=0.001, number=number)
        _spent["log_lines"] += _busy() - begin
    _spent["log_lines"] //= _LINES


def main(result: Path) -> None:
    """Serve, with stopwatches."""
    _watch(_timed, _CALLS)
    _watch(_timed_async, _COROUTINES)
    _watch_queue()
    run(Settings(), log_format="json")
    _time_log_lines()
    result.write_text(json.dumps(_spent))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
