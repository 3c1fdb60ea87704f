"""How long ``fankeep --help`` and a start of the gateway take, and how much memory it then holds.

Beside ``python -c pass``, which is the least that any Python program can take.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.harness import in_turn, medians, note, print_result

from fankeep.transport.ports import free_port

NAME = "start"
ROUNDS = 15
STARTS = 5
PATIENCE = 20.0
_FANKEEP = str(Path(sys.executable).with_name("fankeep"))
_NOTHING = (sys.executable, "-c", "pass")


def main() -> None:
    """Print ``help_s``, ``ready_s`` and ``rss_mib``."""
    helps = medians(
        in_turn(ROUNDS, {"fankeep": lambda: _run_s(_FANKEEP, "--help"), "python": lambda: _run_s(*_NOTHING)})
    )
    print_result(NAME, "help_s", helps["fankeep"], "s", beside={"python": helps["python"]})

    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        sizes: list[float] = []
        starts = medians(
            in_turn(
                STARTS, {"fankeep": lambda: _ready_s(environment, sizes), "python": lambda: _run_s(*_NOTHING)}
            )
        )
    print_result(NAME, "ready_s", starts["fankeep"], "s", beside={"python": starts["python"]})
    print_result(NAME, "rss_mib", max(sizes), "MiB", beside={"python": _bare_rss_mib()})


def _run_s(*command: str) -> float:
    """Run a program that ends by itself; return the seconds it took."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _ready_s(environment: dict[str, str], sizes: list[float]) -> float:
    """Start the gateway, wait until it says that it is ready, note its size, stop it."""
    begin = time.perf_counter()
    with _gateway(environment) as process:
        _wait_until_ready(process, f"{environment['FANKEEP_PUBLIC_URL']}/readyz")
        took = time.perf_counter() - begin
        sizes.append(_rss_mib(Path(f"/proc/{process.pid}/status").read_text()))
    return took


@contextlib.contextmanager
def _gateway(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    log = tempfile.TemporaryFile()  # noqa: SIM115  (outlives this block by design: closed in the finally)
    process = subprocess.Popen([_FANKEEP, "serve"], env=environment, stdout=log, stderr=log)
    try:
        yield process
    except BaseException:
        log.seek(0)
        note(log.read().decode(errors="replace")[-2000:])
        raise
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"bench start: the gateway ended with {process.returncode} before it was ready")
        if _answers(address):
            return
        time.sleep(0.002)
    raise SystemExit(f"bench start: the gateway was not ready within {PATIENCE:.0f} s")


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=1).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def _environment(folder: Path) -> dict[str, str]:
    """Development settings with made-up secrets, everything in one temporary folder."""
    keys = folder / "keys.json"
    subprocess.run([_FANKEEP, "keys", "add", "--file", keys], check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    return inherited | {
        "FANKEEP_ENV": "development",
        "FANKEEP_PUBLIC_URL": f"http://localhost:{port}",
        "FANKEEP_PORT": str(port),
        "FANKEEP_CLIENT_ID": "bench",
        "FANKEEP_CLIENT_SECRET": secrets.token_hex(32),
        "FANKEEP_WEBHOOK_SECRETS": f"bench=whsec_{secrets.token_hex(32)}",
        "FANKEEP_DATABASE_URL": f"sqlite:///{folder}/bench.db",
        "FANKEEP_KEYS": str(keys),
    }


def _bare_rss_mib() -> float:
    show = "print(open('/proc/self/status').read())"
    return _rss_mib(
        subprocess.run([sys.executable, "-c", show], check=True, capture_output=True, text=True).stdout
    )


def _rss_mib(status: str) -> float:
    """Read the resident size out of the text of ``/proc/<pid>/status``."""
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
