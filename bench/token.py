"""What it costs to be handed an access token: warm from memory, and cold from the database.

``warm_us`` is a call within the row bound, beside a look-up in a dict. ``cold_us`` is a call in a process
that holds nothing of the grant but has its data key, beside a bare SELECT of the same row through the same
seam (``select``), and that beside the bare driver (``driver``).

``python -m bench.token --help`` shows what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import apsw
import asyncpg
import uvloop
from bench.harness import print_machine, print_result
from bench.rig.engines import ENGINES, engine_of
from bench.rig.town import SCOPES, Place, open_place

from fankeep import kms
from fankeep.secret import Secret
from fankeep.store import grants
from fankeep.transport import Transport
from fankeep.types import UserId
from fankeep.vault import Timing, TokenEndpoint, TokenPair, Vault

NAME = "token"
AIM_WARM_US = 10.0
AIM_COLD = 1.5

_BARE = "SELECT sealed_access, generation, state, access_expires_at FROM grants WHERE user_id = "


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        users: with a grant each; one cold call goes to each of them a round.
        rounds: of everything, in turn.
        engine: of the data database.
    """

    users: int = 300
    rounds: int = 7
    engine: str = "sqlite"


_DEFAULT = Plan()
Way = Callable[[], Awaitable[list[float]]]


def main() -> None:
    """Print ``warm_us`` and ``cold_us`` for each engine."""
    for engine in ENGINES:
        measure(Plan(engine=engine))


def measure(plan: Plan) -> None:
    """Carry out a plan."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(plan))


async def _measure(plan: Plan) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        engine = await stack.enter_async_context(engine_of(plan.engine, folder))
        kms.create_key_file(folder / "kek.json")
        place = Place(
            database_url=engine.url,
            keys_url=f"sqlite:///{folder}/keys.db",
            keys=f"file:{folder}/kek.json",
            issuer="http://127.0.0.1:9",
            client_id="bench",
            client_secret=secrets.token_hex(32),
            redirect_uri="http://localhost/auth/callback",
        )
        database, datakeys = await stack.enter_async_context(open_place(place))
        transport = Transport(https_only=False, keep_alive=False)
        stack.push_async_callback(transport.close)
        endpoint = place.endpoint(transport, Timing(), TokenEndpoint)
        driver = await _driver(stack, engine.url)
        users = [UserId(str(uuid.uuid4())) for _ in range(plan.users)]
        vault = Vault(database, datakeys, endpoint)
        for user in users:
            await vault.store_login(user, _pair())
        held = dict.fromkeys(users, vault)

        async def warm() -> list[float]:
            await vault.access_token(users[0])
            return await _each(users, lambda _: vault.access_token(users[0]))

        async def look_up() -> list[float]:
            async def get(user: UserId) -> Vault:
                return held[user]

            return await _each(users, get)

        async def cold() -> list[float]:
            empty = Vault(database, datakeys, endpoint)
            return await _each(users, empty.access_token)

        async def select() -> list[float]:
            return await _each(users, lambda user: database.read(lambda tx: grants.by_user(tx, user)))

        async def bare() -> list[float]:
            return await _each(users, driver)

        figures = await _in_turn(
            plan.rounds, {"warm": warm, "dict": look_up, "cold": cold, "select": select, "driver": bare}
        )
        await vault.close()
    _print(plan, figures)


def _print(plan: Plan, figures: dict[str, list[float]]) -> None:
    for percentile, pick in (("p50", 49), ("p99", 98)):
        us = {name: statistics.quantiles(times, n=100)[pick] * 1e6 for name, times in figures.items()}
        extra = {"percentile": percentile, "engine": plan.engine}
        print_result(NAME, "warm_us", us["warm"], "us", beside={"dict": us["dict"]}, aim=AIM_WARM_US, **extra)
        print_result(
            NAME,
            "cold_us",
            us["cold"],
            "us",
            beside={"select": us["select"], "driver": us["driver"]},
            aim_times_select=AIM_COLD,
            **extra,
        )


async def _each(users: list[UserId], work: Callable[[UserId], Awaitable[object]]) -> list[float]:
    times = []
    for user in users:
        begin = time.perf_counter()
        await work(user)
        times.append(time.perf_counter() - begin)
    return times


async def _in_turn(rounds: int, ways: dict[str, Way]) -> dict[str, list[float]]:
    """Round by round, each in the opposite order of the last; the first round does not count."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for number in range(rounds + 1):
        for name in order:
            times = await ways[name]()
            figures[name] += times if number else []
        order.reverse()
    return figures


async def _driver(stack: AsyncExitStack, url: str) -> Callable[[UserId], Awaitable[object]]:
    """The same row with nothing of ours in between."""
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)
        stack.callback(connection.close)

        async def read(user: UserId) -> object:
            return connection.execute(_BARE + "?", (user,)).fetchall()

        return read
    pool = await asyncpg.connect(url)
    stack.push_async_callback(pool.close)
    prepared = await pool.prepare(_BARE + "$1")

    async def fetch(user: UserId) -> object:
        return await prepared.fetch(user)

    return fetch


def _pair() -> TokenPair:
    token = "ory_at_" + "x" * 80
    return TokenPair(Secret(token), Secret(token), access_left=3600.0, lifetime=3600.0, scopes=SCOPES)


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.token", description=__doc__)
    parser.add_argument("--users", type=int, default=_DEFAULT.users)
    parser.add_argument("--rounds", type=int, default=_DEFAULT.rounds)
    parser.add_argument("--engine", default=_DEFAULT.engine, choices=sorted(ENGINES))
    given = parser.parse_args()
    return Plan(given.users, given.rounds, given.engine)


if __name__ == "__main__":
    print_machine()
    measure(_arguments())
