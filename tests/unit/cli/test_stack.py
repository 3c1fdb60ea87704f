import signal
import sys
import threading

import pytest

from fankeep.cli.stack import Stack, Stop
from fankeep.transport.ports import free_port

FOR_EVER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def stop():
    return Stop()


@pytest.fixture
def stack(tmp_path, stop):
    ports = {"gateway_port": free_port(), "sandbox_port": free_port()}
    with Stack(tmp_path / "data", logs=tmp_path / "logs", stop=stop, **ports) as made:
        yield made


@pytest.mark.parametrize(
    "wait",
    [
        lambda stack, _: stack.wait_for_any_end(),
        lambda stack, process: stack.wait_for_port(process, free_port()),
    ],
    ids=["for any end", "until ready"],
)
def test_whoever_asks_for_the_end_ends_a_wait_and_the_processes_after_it(stack, stop, wait):
    process = stack.start("sleeper", FOR_EVER, {})
    threading.Timer(0.1, stop, (signal.SIGINT, None)).start()

    with pytest.raises(KeyboardInterrupt), stack:
        wait(stack, process)

    assert process.popen.returncode == -signal.SIGTERM


def test_the_handler_itself_raises_nothing(stop):
    stop(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        stop.check()
