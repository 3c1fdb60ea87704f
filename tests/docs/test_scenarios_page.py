"""The page about scenarios names everything that can stand in one, and its examples are scenarios."""

import re
from pathlib import Path

import pytest

from fankeep.sandbox import parse_scenario
from fankeep.sandbox.fault_reading import KEYS, FaultError, read_fault
from fankeep.sandbox.faults import RULES, FaultKind, Target

PAGE = Path("docs/reference/scenarios.md")


@pytest.fixture
def page(pages):
    return pages[PAGE]


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_a_row_that_names_its_details(page, kind):
    (row,) = re.findall(rf"^\| `{kind}` \|.*$", page, re.MULTILINE)
    for detail in RULES[kind].details - {"moment"}:
        assert f"`{detail}`" in row, detail


def test_every_key_and_every_target_is_named(page):
    for name in (*KEYS, *Target):
        assert f"`{name}`" in page, name


def test_every_kind_that_the_page_names_exists(page):
    tables = page.partition("## When")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE)) == set(FaultKind)


def test_every_row_about_when_is_a_key(page):
    tables = page.partition("## When")[2]
    rows = set(re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE))
    details = {detail for rule in RULES.values() for detail in rule.details}
    assert rows == set(KEYS) - details - {"kind", "target"}


def test_every_example_is_a_scenario(examples):
    texts = [code for path, language, code in examples if language == "toml" and "[[fault]]" in code]
    assert len(texts) >= 5
    for text in texts:
        assert parse_scenario(text)


def test_the_defaults_are_those_of_the_page(page):
    assert "`status` (400 to 599; 503 when not given)" in page
    assert read_fault({"kind": "status"}).status == 503
    assert "`copies` (2 when not given)" in page
    assert read_fault({"kind": "duplicated"}).copies == 2
    assert "`behind` (1 when not given)" in page
    assert read_fault({"kind": "reordered"}).behind == 1


def test_a_key_out_of_its_place_is_refused_as_the_page_says():
    with pytest.raises(FaultError, match="race strikes at token"):
        read_fault({"kind": "race", "target": "api"})
