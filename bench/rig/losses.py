"""Whether a lost grant is the doing of the harness: its process was killed between sending and storing.

Every process logs each refresh that it sends and each answer that it has stored. A loss is explained when the
process whose send the server rotated was killed after that send, without having stored the answer, and while
it can still have been at it. Anything else is a loss that the vault has to answer for.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.rig.crew import Stop

__all__ = ["Loss", "Sent", "explained", "refreshes_sent"]

_CLOCK = 0.05  # seconds between a line's own time and the journal's


@dataclass(frozen=True, slots=True)
class Loss:
    """A grant that gives no token any more.

    Attributes:
        grant: its id.
        generation: the one that was stored last, before the mark of its death.
        rotated_at: when the server rotated its token for the last time.
    """

    grant: str
    generation: int
    rotated_at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A line of a process's log: a refresh that it sent, or one whose answer it has stored."""

    process: int
    grant: str
    generation: int
    at: float
    stored: bool


def refreshes_sent(logs: Path) -> list[Sent]:
    """Read the logs of all processes, each of them through all its lives; in the order of time."""
    found: list[Sent] = []
    for path in logs.glob("worker-*.log"):
        found += _lines(int(path.stem.rpartition("-")[2]), path.read_text(errors="replace").splitlines())
    return sorted(found, key=lambda line: line.at)


def explained(loss: Loss, lines: Sequence[Sent], stops: Sequence[Stop], *, within: float) -> bool:
    """Whether the process that had the server rotate was killed before it stored the answer.

    Args:
        loss: the grant.
        lines: of all processes.
        stops: what was done to them, in the order of time.
        within: seconds after which a send has come to its end, whatever came of it.
    """
    own = [line for line in lines if line.grant == loss.grant and line.generation == loss.generation]
    if any(line.stored for line in lines if line.grant == loss.grant and line.generation > loss.generation):
        return False
    sends = [line for line in own if not line.stored and line.at <= loss.rotated_at + _CLOCK]
    if not sends:
        return False
    last = sends[-1]
    following = (stop for stop in stops if stop.process == last.process and stop.at >= last.at)
    first = next(following, None)
    return first is not None and first.how == signal.SIGKILL and first.at - last.at <= within


def _lines(process: int, lines: Iterable[str]) -> Iterator[Sent]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a line of the worker itself, or one that its death cut off
        if isinstance(entry, dict) and entry.get("event") in ("refresh_sent", "refresh_stored"):
            yield Sent(
                process,
                str(entry["grant"]),
                int(entry["generation"]),
                datetime.fromisoformat(entry["timestamp"]).timestamp(),
                stored=entry["event"] == "refresh_stored",
            )
