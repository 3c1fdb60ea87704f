import fcntl
import threading
import time

import pytest

from fankeep.store.turnstile import Turnstile


@pytest.fixture
def pair(tmp_path):
    """Two holders as two processes would be: `flock` belongs to the open file, not to the process."""
    pair = Turnstile(tmp_path / "data.db"), Turnstile(tmp_path / "data.db")
    yield pair
    for turns in pair:
        turns.close()


def test_only_one_is_inside(pair):
    mine, theirs = pair
    entered = threading.Event()

    def enter():
        with theirs:
            entered.set()

    other = threading.Thread(target=enter)
    with mine:
        other.start()
        assert not entered.wait(0.05)
    assert entered.wait(30)
    other.join()


def wait_until_held(path):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        time.sleep(0.001)
    pytest.fail("nobody came")


def test_whoever_releases_and_comes_back_at_once_lets_the_waiting_one_go_first(pair, tmp_path):
    mine, theirs = pair
    order = []

    def wait_for_it():
        with theirs:
            order.append("theirs")

    other = threading.Thread(target=wait_for_it)
    with mine:
        other.start()
        wait_until_held(tmp_path / "data.db-turn")  # whoever waits for the lock holds the turn
    for _ in range(3):
        with mine:
            order.append("mine")
    other.join()
    assert order[0] == "theirs"


def test_an_exception_inside_releases(pair):
    mine, theirs = pair
    with pytest.raises(LookupError), mine:
        raise LookupError
    with theirs:
        pass
