"""fankeep without an event loop: in a script, in threads, after a fork."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fankeep import ConfigurationError, FankeepError, SyncKeep
from fankeep.errors import NotConnected

STRANGER = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
def keep(installation):
    with SyncKeep(installation.settings()) as opened:
        yield opened


def test_a_script_gets_a_token_and_calls_the_api(installation):
    creator = installation.connect()
    with SyncKeep(installation.settings()) as keep:
        assert keep.access_token(creator).reveal()
        assert keep.call(creator, "getCurrentUser").data["uuid"] == creator
        pages = list(keep.pages(creator, "listChats", query={"size": 5}))
    assert len(pages) > 1
    assert all(page.data["data"] for page in pages)


def test_errors_come_through_as_they_are(keep):
    with pytest.raises(NotConnected):
        keep.access_token(STRANGER)
    with pytest.raises(ValueError, match="uuid"):
        keep.call("nobody", "getCurrentUser")
    with pytest.raises(ConfigurationError):
        keep.call(STRANGER, "noSuchOperation")


def test_threads_that_need_a_new_token_at_once_cause_one_refresh(installation):
    creator = installation.connect(lifetime=0.0)
    with SyncKeep(installation.settings()) as keep, ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: keep.access_token(creator).reveal(), range(40)))
    assert len(set(tokens)) == 1
    assert len(installation.fanvue.control.journal(kind="token", grant_type="refresh_token")) == 1


def test_what_is_not_open_says_so_and_can_be_opened_again(installation):
    creator = installation.connect()
    keep = SyncKeep(installation.settings())
    for _ in range(2):
        with pytest.raises(FankeepError, match="not open"):
            keep.access_token(creator)
        keep.open()
        keep.open()
        assert keep.access_token(creator)
        keep.close()
        keep.close()


def test_closing_leaves_no_thread_behind(installation):
    before = threading.active_count()
    with SyncKeep(installation.settings()):
        assert threading.active_count() > before
    assert "fankeep-loop" not in [thread.name for thread in threading.enumerate()]


def test_an_opening_that_fails_leaves_no_thread_behind_either(installation):
    installation.connect()
    (installation.folder / "kek.json").unlink()
    with pytest.raises(ConfigurationError):
        SyncKeep(installation.settings()).open()
    assert "fankeep-loop" not in [thread.name for thread in threading.enumerate()]


def test_it_works_inside_a_running_event_loop_s_threads(installation):
    creator = installation.connect()

    async def main():
        with SyncKeep(installation.settings()) as keep:
            return await asyncio.to_thread(keep.access_token, creator)

    assert asyncio.run(main())


FORKED_TOO_LATE = """
import os, sys
from fankeep import FankeepError, SyncKeep

keep = SyncKeep()
with keep:
    first = keep.access_token(sys.argv[1]).reveal()
    if not (child := os.fork()):
        for use in (lambda: keep.access_token(sys.argv[1]), keep.open, SyncKeep().open):
            try:
                use()
            except FankeepError as error:
                print(error)
        keep.close()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert keep.access_token(sys.argv[1]).reveal() == first
"""


def test_a_process_that_is_forked_from_an_opened_one_is_told_so(installation):
    refusals = installation.python(FORKED_TOO_LATE, installation.connect())
    assert len(refusals) == 3
    assert all("after the fork, and never before" in refusal for refusal in refusals)


WORKERS = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from fankeep import SyncKeep

keep = SyncKeep()  # only reads the settings

def token(creator):
    return os.getpid(), keep.access_token(creator).reveal()

fork = multiprocessing.get_context("fork")
with ProcessPoolExecutor(3, mp_context=fork, initializer=keep.open) as pool:
    for process, value in pool.map(token, [sys.argv[1]] * 12):
        print(value)
"""


def test_worker_processes_that_open_it_after_their_fork_share_one_refresh(installation):
    tokens = installation.python(WORKERS, installation.connect(lifetime=0.0))
    assert (len(tokens), len(set(tokens))) == (12, 1)
    assert len(installation.fanvue.control.journal(kind="token", grant_type="refresh_token")) == 1


def test_events_are_not_taken(installation):
    creator = installation.connect()
    with SyncKeep(installation.settings()) as keep:
        assert keep.access_token(creator)
        names = [task.get_name() for task in asyncio.all_tasks(keep._thread._loop)]
    assert "dispatcher" not in names
