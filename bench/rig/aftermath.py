"""What is left of the grants, and what the server saw."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bench.rig.losses import Loss
from bench.rig.town import Town

from fankeep.errors import FankeepError, RetryableError
from fankeep.sandbox.json import Json, object_of
from fankeep.store import grants
from fankeep.types import UserId
from fankeep.vault import State

__all__ = ["Aftermath", "look_at"]

_PATIENCE = 200.0
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The result of a run.

    Attributes:
        lost: grants that give no token any more.
        reasons: why, with how many.
        asked: grants that were asked for.
        reuse_detections: chains that the server has ended because a spent token came again too late.
        overlaps: requests for a token while another one for the same was under way.
        late_sends: sends of a spent token after its grace.
        losses: the lost grants, for the question whose doing each of them is.
    """

    lost: int
    reasons: dict[str, int]
    asked: int
    reuse_detections: int
    overlaps: int
    late_sends: int
    requests: int
    repeats: int
    seconds: float
    losses: Sequence[Loss] = field(repr=False)


async def look_at(town: Town, *, grace: float, moved: int, gone: Collection[UserId]) -> Aftermath:
    """Ask for a token of every grant, and read the server's journal.

    Args:
        town: the town, with no process left in it.
        grace: of the server, in seconds.
        moved: so many of the first users disconnected or were erased; their chains end as they should.
        gone: those who were erased.
    """
    slots = asyncio.Semaphore(_AT_ONCE)
    asked = [(number, user) for number, user in enumerate(town.users) if user not in gone]
    reasons = await asyncio.gather(*(_reason(town, user, slots) for _, user in asked))
    lost = {
        number + 1: reason for (number, _), reason in zip(asked, reasons, strict=True) if reason is not None
    }
    sent = await _sent(town)
    # Those who moved get further chains, which end in turn; what ends a chain may send its last token late.
    steady = {chain: requests for chain, requests in sent.items() if moved < chain <= len(town.users)}
    chains = [object_of(chain) for chain in _list(await town.control.show("grants"))]
    return Aftermath(
        lost=len(lost),
        reasons=dict(Counter(lost.values())),
        asked=len(asked),
        reuse_detections=sum(
            chain["ended"] == "reuse" and moved < _number(chain["chain"]) <= len(town.users)
            for chain in chains
        ),
        overlaps=sum(map(_overlaps, steady.values())),
        late_sends=sum(_late_sends(requests, grace) for requests in steady.values()),
        requests=sum(map(len, sent.values())),
        repeats=sum(_number(request["use"]) > 1 for requests in sent.values() for request in requests),
        seconds=_span(sent),
        losses=[await _loss(town, chain, sent.get(chain, [])) for chain in lost],
    )


async def _reason(town: Town, user: UserId, slots: asyncio.Semaphore) -> str | None:
    """Why a grant gives no token, or None when it does. Its tokens have expired, so one means a refresh."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            async with slots:
                await town.vault.access_token(user)
        except RetryableError as error:
            if time.monotonic() > deadline:
                return error.code
            await asyncio.sleep(1.0)
        except FankeepError as error:
            return str(getattr(error, "reason", error.code))
        else:
            return None


async def _sent(town: Town) -> Mapping[int, list[dict[str, Json]]]:
    """What came to the token endpoint, by chain, in its order."""
    journal = await town.control.show("journal", kind="token", grant_type="refresh_token")
    found: dict[int, list[dict[str, Json]]] = defaultdict(list)
    for entry in map(object_of, _list(journal)):
        if "use" in entry:
            found[int(_number(entry["chain"]))].append(entry)
    return found


def _by_token(requests: Sequence[dict[str, Json]]) -> Collection[list[dict[str, Json]]]:
    found: dict[float, list[dict[str, Json]]] = defaultdict(list)
    for request in requests:
        found[_number(request["token"])].append(request)
    return found.values()


def _overlaps(requests: Sequence[dict[str, Json]]) -> int:
    return sum(
        _number(later["at"]) < _number(earlier["answered_at"] or earlier["at"])
        for same in _by_token(requests)
        for earlier, later in pairwise(same)
    )


def _late_sends(requests: Sequence[dict[str, Json]], grace: float) -> int:
    return sum(
        _number(request["at"]) > _number(same[0]["at"]) + grace
        for same in _by_token(requests)
        for request in same[1:]
    )


async def _loss(town: Town, chain: int, requests: Sequence[dict[str, Json]]) -> Loss:
    user = town.users[chain - 1]
    row = await town.database.read(lambda tx: grants.by_user(tx, user))
    if row is None:
        raise RuntimeError("a lost grant has no row")
    # The mark of its death moves the generation on by one.
    stored = row.generation - 1 if row.state == State.DEAD else row.generation
    return Loss(row.id, stored, _last_rotation(requests))


def _last_rotation(requests: Sequence[dict[str, Json]]) -> float:
    return max((_number(request["at"]) for request in requests if request["outcome"] == "ok"), default=0.0)


def _span(sent: Mapping[int, list[dict[str, Json]]]) -> float:
    times = [_number(request["at"]) for requests in sent.values() for request in requests]
    return max(times, default=0.0) - min(times, default=0.0)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
