"""The repository itself, and the part of it that sets things up, copied to an empty folder."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def checkout(tmp_path):
    """A folder in which nothing is set up yet."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "tests" / "node", folder / "tests" / "node", ignore=shutil.ignore_patterns("node_modules")
    )
    return folder


@pytest.fixture
def programs(tmp_path):
    """A folder of small programs to be found before the machine's own."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def add(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return folder

    return add
