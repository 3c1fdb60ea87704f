"""What a verifier says to hostile pairs: refused, accepted, or an exception that is not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from bench.rig import naive
from bench.rig.forger import NOW, SECRETS, Forger, Header

from fankeep.errors import VerificationError
from fankeep.fanvue import REASONS, verify_webhook

__all__ = ["Verdicts", "forge", "judge"]

_CONTROL_EVERY = 500
_CHUNK = 10_000
_ACCEPTED = "accepted"
_FOREIGN = "foreign"


@dataclass(slots=True)
class Verdicts:
    """Counts.

    Attributes:
        ends: by kind of pair and by verdict: a reason, ``accepted``, or ``foreign`` and the exception.
        naive: the same of the naive verifier, without kinds.
        controls: genuine pairs that were tried in between.
        controls_refused: those of them that were not accepted.
    """

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    naive: Counter[str] = field(default_factory=Counter)
    controls: int = 0
    controls_refused: int = 0

    @property
    def pairs(self) -> int:
        """How many were tried."""
        return self.ends.total()

    @property
    def accepted(self) -> int:
        """How many got through."""
        return sum(number for (_, end), number in self.ends.items() if end == _ACCEPTED)

    @property
    def foreign(self) -> dict[str, int]:
        """Exceptions that are not ours, by kind and name."""
        return {
            f"{kind} {end}": number for (kind, end), number in self.ends.items() if end.startswith(_FOREIGN)
        }

    @property
    def foreign_of_naive(self) -> dict[str, int]:
        """The same of the naive verifier, by name."""
        return {end: number for end, number in self.naive.items() if end.startswith(_FOREIGN)}

    def reasons(self) -> dict[str, int]:
        """How many were refused for which reason."""
        sums: Counter[str] = Counter()
        for (_, end), number in self.ends.items():
            sums[end] += number
        return dict(sums.most_common())

    def add(self, other: Verdicts) -> None:
        """Add those of another part."""
        self.ends += other.ends
        self.naive += other.naive
        self.controls += other.controls
        self.controls_refused += other.controls_refused


def judge(header: Header, body: bytes) -> str:
    """Try one pair."""
    try:
        verify_webhook(body, header, SECRETS, now=NOW)
    except VerificationError as error:
        return error.reason if error.reason in REASONS else f"{_FOREIGN} reason {error.reason}"
    except BaseException as problem:  # noqa: BLE001 - what else can escape is what is asked
        return f"{_FOREIGN} {type(problem).__name__}"
    return _ACCEPTED


def forge(count: int, *, seed: int, processes: int) -> Iterable[Verdicts]:
    """Try so many forged pairs; give the verdicts in parts, as they are done.

    Args:
        count: how many.
        seed: the same one makes the same pairs.
        processes: over which the work is spread.
    """
    parts = [(seed * 1_000_000 + start, min(_CHUNK, count - start)) for start in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_part, parts)


def _part(part: tuple[int, int]) -> Verdicts:
    seed, count = part
    forger, found = Forger(seed), Verdicts()
    for number in range(count):
        kind, header, body = forger.pair()
        found.ends[kind, judge(header, body)] += 1
        if number % _CONTROL_EVERY == 0:
            found.naive[_naively(header, body)] += 1
            header, body = forger.control()
            found.controls += 1
            found.controls_refused += judge(header, body) != _ACCEPTED
    return found


def _naively(header: Header, body: bytes) -> str:
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    try:
        naive.verify(body, text or "", str(SECRETS[0].value.reveal()), now=NOW)
    except ValueError:
        return "refused"
    except Exception as problem:  # noqa: BLE001 - as above
        return f"{_FOREIGN} {type(problem).__name__}"
    return _ACCEPTED
