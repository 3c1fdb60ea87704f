"""When a row counts as still."""

from __future__ import annotations

from types import SimpleNamespace

from fankeep.vault.observation import Observation


def row(attempt="a", sends=1):
    return SimpleNamespace(generation=1, attempt_id=attempt, sends=sends)


def watched(*looks, span=60.0, gap=10.0):
    observation = Observation(span, gap)
    for at, seen in looks:
        observation.see(seen, at)
    return observation


def test_a_row_is_still_when_it_was_seen_unchanged_for_the_whole_span() -> None:
    observation = watched(*((float(at), row()) for at in range(61)))
    assert observation.settled(row(), 60.0)
    assert not observation.settled(row(sends=2), 60.0)


def test_a_change_starts_the_time_anew() -> None:
    looks = [(float(at), row("a" if at < 30 else "b")) for at in range(61)]
    assert not watched(*looks).settled(row("b"), 60.0)


def test_an_observer_that_slept_starts_anew() -> None:
    observation = watched((0.0, row()), (1.0, row()))
    assert not observation.settled(row(), 70.0)
    observation.see(row(), 70.0)
    assert not observation.settled(row(), 71.0)


def test_a_database_that_could_not_be_reached_starts_the_time_anew() -> None:
    observation = watched(*((float(at), row()) for at in range(61)))
    observation.interrupt()
    assert not observation.settled(row(), 60.0)
