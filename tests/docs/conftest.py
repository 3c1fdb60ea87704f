"""The documents as the tests see them."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    """The text of every page, by its path."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return {path.relative_to(ROOT): path.read_text() for path in sorted(found)}


@pytest.fixture(scope="session")
def examples(pages):
    """Every fenced block: page, language, code."""
    return [
        (path, match["language"], match["code"])
        for path, text in pages.items()
        for match in _FENCE.finditer(text)
    ]


@cache
def _known_tests(file):
    body = ast.parse((ROOT / file).read_text()).body
    found = _functions(body)
    for node in body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{name}" for name in _functions(node.body)}
    return found


def _functions(body):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in body if isinstance(node, kinds) and node.name.startswith("test_")}


@pytest.fixture(scope="session")
def known_tests():
    """The ids of a file's tests, read from its source."""
    return _known_tests
