import subprocess
import sys

import pytest

PROGRAM = """
import os, threading
from fankeep.transport.scheduling import take_turns

take_turns()
thread = threading.Thread(target=lambda: print(os.sched_getscheduler(0) == os.SCHED_BATCH))
thread.start()
thread.join()
"""

REFUSED = """
import os
from fankeep.transport.scheduling import take_turns

def refuse(*_):
    raise PermissionError

os.sched_setscheduler = refuse
take_turns()
print(os.sched_getscheduler(0) == os.SCHED_OTHER)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this way of scheduling")
@pytest.mark.parametrize("program", [PROGRAM, REFUSED], ids=["taken by new threads", "or left as it was"])
def test_threads_do_not_push_each_other_aside_where_the_system_lets_us_ask_for_it(program):
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
