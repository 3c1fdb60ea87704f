"""What failed beside others is run again alone, and counts when it fails there as well."""

import importlib.util
import json

import pytest


@pytest.fixture
def again(root, tmp_path, monkeypatch):
    """The script, with a folder of tests of its own."""
    spec = importlib.util.spec_from_file_location("again_under_test", root / "scripts" / "again.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "FAILED", tmp_path / "lastfailed")
    (tmp_path / "test_some.py").write_text(
        "from pathlib import Path\n"
        "def test_passes(): pass\n"
        "def test_fails(): assert 0\n"
        "def test_fails_in_the_third_turn():\n"
        "    turns = Path('turns'); turns.open('a').write('x')\n"
        "    assert turns.read_text() != 'xxx'\n"
    )
    return module


def failed(again, *names):
    again.FAILED.write_text(json.dumps({f"test_some.py::{name}": True for name in names}))


def test_what_passes_three_times_alone_is_taken(again):
    failed(again, "test_passes")
    assert again.main() == 0


@pytest.mark.parametrize("name", ["test_fails", "test_fails_in_the_third_turn"])
def test_what_fails_once_alone_is_not(again, name):
    failed(again, "test_passes", name)
    assert again.main() == 1


def test_more_than_three_are_not_run_again(again):
    failed(again, "test_passes", "b", "c", "d")
    assert again.main() == 1


def test_a_run_that_broke_off_without_a_word_is_not_taken(again):
    assert again.main() == 1
