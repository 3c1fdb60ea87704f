"""What is known of Fanvue: each fact is held by tests that exist, or says why not."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from fankeep.sandbox import SandboxSettings, Switches

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "tests" / "conformance.toml").read_text())
KEYS = {"section", "text", "certainty", "switch", "tests", "open"}
CERTAINTIES = {
    "documented",
    "official code",
    "specification",
    "seen live",
    "reported",
    "inferred",
    "conflicting",
}
SWITCHES = {field.name for field in fields(Switches)}


@pytest.mark.parametrize("number", FACTS)
def test_is_held_or_says_why_not(number):
    fact = FACTS[number]

    assert {"section", "text", "certainty"} <= set(fact) <= KEYS
    assert fact["text"].endswith(".")
    assert fact["certainty"] in CERTAINTIES
    assert fact.get("tests") or fact.get("open")


@pytest.mark.parametrize("number", [number for number, fact in FACTS.items() if "tests" in fact])
def test_names_tests_that_exist(number, known_tests):
    for test in FACTS[number]["tests"]:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert name in known_tests(file), test


def test_every_switch_is_about_a_fact_and_exists():
    named = {fact["switch"] for fact in FACTS.values() if "switch" in fact}
    assert named >= SWITCHES
    assert named <= SWITCHES | {field.name for field in fields(SandboxSettings)}


def test_what_is_conflicting_has_a_switch_or_a_word_about_it():
    for number, fact in FACTS.items():
        if fact["certainty"] == "conflicting":
            assert "switch" in fact or "open" in fact, number
