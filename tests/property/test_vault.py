"""The rules of a refresh as a state machine: whatever happens in whatever order, no grant is lost needlessly.

``pytest tests/property/test_vault.py --hypothesis-profile=long`` looks for as long as it takes.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fankeep.errors import FankeepError
from fankeep.vault.states import ALIVE, State


def _part(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_part("vault_server")
_part("vault_rules")
world = _part("vault_world")

YOUNG = world.TIMING.young
HEALED = 300.0
"""Seconds after which a world without trouble has brought every grant to rest."""

POINTS = ("read", "was read", "write", "claimed", "saved", "written", "send", "answered")
numbers = st.integers(0, 2)
PLANS = (
    (),
    *((name,) for name in sorted(world.faults())),
    ("answer is lost", "rate limit"),
    ("answer is lost", "app refused"),
    ("answer is lost", "answer is lost"),
    ("never arrives", "never arrives", "never arrives", "answer is lost"),
)
"""What goes wrong with the requests of one refresh, one after the other."""

rarely = st.sampled_from([False, False, True])


class VaultMachine(RuleBasedStateMachine):
    """One creator, up to three processes, one server."""

    def __init__(self) -> None:
        super().__init__()
        self.world = world.World()

    @initialize(processes=st.integers(1, 3))
    def begin(self, processes: int) -> None:
        for number in range(processes):
            self.world.start(number)
        self._with(0, lambda process: self._login(process, refresh=True))
        self.world.advance(0.5)

    # What creators and callers do.

    @rule(number=numbers)
    def call(self, number: int) -> None:
        self._with(number, self._call)

    @rule(number=numbers)
    def report_401(self, number: int) -> None:
        self._with(number, self._report)

    @rule(number=numbers, plan=st.sampled_from(PLANS), again=st.sampled_from([None, 10.0, 120.0]))
    def refresh(self, number: int, plan: tuple[str, ...], again: float | None = None) -> None:
        """Have a token refreshed that is not young any more; go on at once or later."""
        row = self.world.row()
        if row is None or row.state not in ALIVE:
            self.login(number, refresh=True)
            self.world.advance(1.0)
            row = self.world.row()
        if row is not None and (age := self.world.database_clock() - row.stored_at) < YOUNG:
            self.world.advance(min(YOUNG, YOUNG - age) + 1.0)
        for name in plan:
            self.go_wrong(name)
        self._with(number, self._report)
        self.world.advance(0.2)
        if again is not None:
            self.world.advance(again)
            self._with(number, self._report)
            self._with(number, self._call)
            self.world.advance(0.2)

    @rule(number=numbers, refresh=st.booleans())
    def login(self, number: int, refresh: bool) -> None:
        self._with(number, lambda process: self._login(process, refresh=refresh))

    @rule(number=numbers, other=numbers, refresh=st.booleans())
    def login_meets_refresh(self, number: int, other: int, refresh: bool) -> None:
        """A login while a refresh is under way."""
        self.refresh(number, ("answer is slow",))
        self.login(other, refresh)
        self.world.advance(0.2)

    @rule(number=numbers, really=rarely)
    def disconnect(self, number: int, really: bool) -> None:
        if really:
            self._with(number, self._end)

    @rule(really=rarely)
    def withdraw(self, really: bool) -> None:
        if really:
            self.world.rules.note("withdrawn at Fanvue")
            self.world.server.withdraw()

    # Time, and what goes wrong.

    @rule(seconds=st.sampled_from([0.06, 0.2, 0.5, 1.5, 4.0, 8.0, 14.0, 31.0, 70.0, 110.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(name=st.sampled_from(sorted(world.faults())))
    def go_wrong(self, name: str) -> None:
        self.world.faults.append((name, world.faults()[name]))

    @precondition(lambda self: self.world.running())
    @rule(data=st.data(), point=st.sampled_from(POINTS), pause=st.sampled_from([None, None, 3.0, 12.0, 45.0]))
    def stop_at(self, data: Any, point: str, pause: float | None) -> None:
        process = data.draw(st.sampled_from(self.world.running()), label="process")
        process.traps[point] = pause

    @precondition(lambda self: self.world.running())
    @rule(data=st.data(), pause=st.sampled_from([None, 12.0]))
    def stop(self, data: Any, pause: float | None) -> None:
        data.draw(st.sampled_from(self.world.running()), label="process").stop(pause)

    @rule(number=numbers)
    def start(self, number: int) -> None:
        process = self.world.processes[number]
        if process is None or not process.alive:
            self.world.start(number)

    @rule(seconds=st.sampled_from([-3600.0, -20.0, 10.0, 3600.0]), really=rarely)
    def set_the_clock(self, seconds: float, really: bool) -> None:
        if not really:
            return
        self.world.clock_offset += seconds
        self.world.rules.disturbed("clock")

    @rule(seconds=st.sampled_from([1.0, 20.0]))
    def lose_the_database(self, seconds: float) -> None:
        self.world.database_back_at = self.world.loop.now + seconds
        self.world.rules.disturbed("database", seconds)

    @rule(really=rarely)
    def forget_a_commit(self, really: bool) -> None:
        if not really:
            return
        self.world.forget_commits = 1
        self.world.rules.disturbed("commit", 1e9)

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.rules.check()

    def teardown(self) -> None:
        try:
            self._heal()
        finally:
            self.world.close()

    def _heal(self) -> None:
        """With nothing more going wrong, a grant comes to rest, and a living one gives a token."""
        self.world.rules.note("healing")
        self.world.faults.clear()
        self.world.database_back_at = self.world.forget_commits = 0
        for process in self.world.running():
            process.traps.clear()
        self.start(0)
        deadline = self.world.loop.now + HEALED
        while (row := self.world.row()) is not None and not _at_rest(row):
            if self.world.loop.now > deadline:
                self.world.rules.wrong(f"the grant does not come to rest: {vars(row)}")
                break
            self.world.advance(10.0)
        self._with(0, self._call)
        self.world.advance(11.0)

    def _with(self, number: int, act: Any) -> None:
        running = self.world.running()
        if running:
            self.world.do(act(running[number % len(running)]))

    async def _call(self, process: Any) -> None:
        try:
            access = await process.vault.access_token(world.USER)
        except FankeepError as error:
            self.world.rules.note(f"p{process.number}: refused: {error.code}")
            return
        self.world.rules.served(process, access.token.reveal())

    async def _report(self, process: Any) -> None:
        """Report a 401 of the stored generation; it is passed on only if that is young or being refreshed."""
        row, clock = self.world.row(), self.world.clock_offset
        if row is None:
            return
        age = self.world.database_clock() - row.stored_at
        at_rest = (
            row.state == State.LIVE and self.world.rules.still_for > 1.0 and row.sealed_refresh is not None
        )
        try:
            await process.vault.refused(world.USER, row.generation)
        except FankeepError as error:
            self.world.rules.note(f"p{process.number}: 401 of g{row.generation}: {error.code}")
            return
        passed_on = self.world.row().generation == row.generation
        if passed_on and at_rest and age > YOUNG + 0.5 and clock == self.world.clock_offset:
            self.world.rules.wrong(f"the 401 of a token of {age:.0f} s is passed on")

    async def _login(self, process: Any, *, refresh: bool) -> None:
        pair = self.world.login_pair(refresh=refresh)
        self.world.rules.note(f"p{process.number}: login {pair.refresh and pair.refresh.reveal()}")
        try:
            await process.vault.store_login(world.USER, pair)
        except FankeepError as error:
            self.world.rules.note(f"p{process.number}: login failed: {error.code}")

    async def _end(self, process: Any) -> None:
        self.world.rules.note(f"p{process.number}: end")
        try:
            await process.vault.end(world.USER, "disconnected")
        except FankeepError as error:
            self.world.rules.note(f"p{process.number}: end failed: {error.code}")
            return
        self.world.rules.ended()


def _at_rest(row: Any) -> bool:
    """Whether nothing is under way; a blocked grant waits for its operator."""
    return row.state in (State.LIVE, State.DEAD) or (row.state == State.BLOCKED and not row.sends)


_LONG = settings.get_current_profile_name() == "long"

TestVault = VaultMachine.TestCase
TestVault.settings = settings(
    max_examples=5_000 if _LONG else 60,
    stateful_step_count=60 if _LONG else 30,
    derandomize=not _LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
