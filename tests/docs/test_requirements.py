"""The hundred requirements: each is shown by something that exists, or says why not."""

import tomllib
from pathlib import Path

import pytest

from fankeep.keep.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = tomllib.loads((ROOT / "tests" / "requirements.toml").read_text())
KEYS = {"section", "text", "tests", "refusals", "open"}


def test_all_hundred_are_listed_in_order():
    assert list(ENTRIES) == [f"R{number}" for number in range(1, 101)]


@pytest.mark.parametrize("number", ENTRIES)
def test_is_shown_or_says_why_not(number):
    entry = ENTRIES[number]

    assert set(entry) <= KEYS
    assert entry["text"].endswith(".")
    assert entry.get("tests") or entry.get("refusals") or entry.get("open")


@pytest.mark.parametrize("number", [number for number, entry in ENTRIES.items() if "tests" in entry])
def test_names_tests_that_exist(number, known_tests):
    for test in ENTRIES[number]["tests"]:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert name in known_tests(file), test


@pytest.mark.parametrize("number", [number for number, entry in ENTRIES.items() if "refusals" in entry])
def test_names_refusals_that_exist(number):
    known = {f"{rule.field}: {rule.advice}" for rule in RULES}

    assert set(ENTRIES[number]["refusals"]) <= known
