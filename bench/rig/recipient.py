"""One process of the benchmark of deliveries: a gateway with its listener, or a worker that handles events.

Both are fankeep as a library, since ``fankeep serve`` alone has no handlers. Reads one line of JSON with its
job, says on stdout when it is ready, and ends in order when its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.rig import left_out
from bench.rig.postbag import PLAIN, TWO_PHASE

from fankeep import Keep, ReceivedEvent, Settings
from fankeep.inbox import DatabaseLog
from fankeep.keep.server import event_loop
from fankeep.store import Command, Transaction
from fankeep.store.events import ClaimedEvent
from fankeep.telemetry import configure
from fankeep.transport.listener import listening

_WORK_SECONDS = 0.02

_ADD = Command("INSERT INTO effects (message, event_id) VALUES (:message, :event_id)")


class _Effects:
    """Two-phase: one row for every time that the effect happens, in fankeep's own database."""

    async def prepare(self, event: ReceivedEvent) -> tuple[str, str]:
        await asyncio.sleep(random.uniform(0, _WORK_SECONDS))
        return str(event.data["uuid"]), event.id

    async def apply(self, tx: Transaction, prepared: tuple[str, str]) -> None:
        message, event_id = prepared
        await tx.run(_ADD, message=message, event_id=event_id)


class _Lines:
    """Plain: one line in a file for every time that it runs, on the disk before it returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def __call__(self, event: ReceivedEvent) -> None:
        os.write(self._file, f"{event.data['uuid']} {event.id}\n".encode())
        await asyncio.sleep(random.uniform(0, _WORK_SECONDS))


def _shorten_claims(seconds: float) -> None:
    """Let claims end soon, so that what a killed process held comes again within the benchmark."""
    claim = DatabaseLog.claim

    async def shortened(self: DatabaseLog, *, limit: int, lease: float) -> list[ClaimedEvent]:
        return await claim(self, limit=limit, lease=min(lease, seconds))

    setattr(DatabaseLog, "claim", shortened)  # noqa: B010 - mypy holds methods for constants


async def _work(job: dict[str, Any]) -> None:
    keep = Keep(Settings(**job["settings"]), events=job["role"] == "worker")
    keep.on(TWO_PHASE)(_Effects())
    keep.on(PLAIN)(_Lines(Path(job["lines"])))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(keep)
        if job["role"] == "gateway":
            await stack.enter_async_context(listening(keep.gateway, host="127.0.0.1", port=job["port"]))
        print(json.dumps({"ready": True}), flush=True)
        await _input_ended()


async def _input_ended() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


def main() -> None:
    """Do the job that stands on standard input."""
    job = json.loads(sys.stdin.readline())
    configure(format="json", level="WARNING", stream=sys.stderr)
    _shorten_claims(job["lease"])
    left_out.leave_out(job["left_out"])
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_work(job))


if __name__ == "__main__":
    main()
