"""What the coverage-guided run calls with every input; imported by ``fuzz``, which instruments it."""

from __future__ import annotations

from collections.abc import Callable

from bench.rig.forger import NOW, SECRETS, Forger, genuine
from bench.rig.hostile_bodies import Hostile, seeds
from bench.rig.verdicts import judge

from fankeep.errors import HostileInputError
from fankeep.fanvue import event_type, parse_event, verify_webhook
from fankeep.inbox.identity import event_digest, fan_index
from fankeep.policy import KeepList, minimise
from fankeep.sealing import Mac
from fankeep.secret import Secret

__all__ = ["TARGETS"]

_KEY = Mac(Secret(b"k" * 32))
_SEEDS = 500


def _pair(data: bytes) -> None:
    """Cut the input into a header and a body and try them, the header as bytes and as text."""
    header, _, body = data.partition(b"\n")
    for form in (header, header.decode("latin-1")):
        end = judge(form, body)
        if end == "accepted" or end.startswith("foreign"):
            raise RuntimeError(f"a pair was answered with {end!r}")


def _body(data: bytes) -> None:
    """Sign the input and take it the way of a delivery up to the sealing."""
    verified = verify_webhook(data, genuine(data), SECRETS, now=NOW)
    try:
        event = parse_event(verified)
    except HostileInputError:
        return
    event_digest(_KEY, verified, event)
    fan_index(_KEY, event)
    minimise(event.data, KeepList(event_type(event.type).kept))


def _first_pairs() -> list[bytes]:
    forger = Forger(1)
    made = (forger.pair() for _ in range(_SEEDS))
    return [
        (header.encode("utf-8", "replace") if isinstance(header, str) else header or b"") + b"\n" + body
        for _, header, body in made
    ]


def _first_bodies() -> list[bytes]:
    hostile = Hostile(1)
    return seeds() + [hostile.body() for _ in range(_SEEDS)]


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "pairs": (_pair, _first_pairs),
    "bodies": (_body, _first_bodies),
}
"""By name: what is called, and what it is called with first."""
