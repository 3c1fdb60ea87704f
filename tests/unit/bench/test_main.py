"""`make bench`: a figure that is not what it has to be makes the command fail; the others run."""

from types import SimpleNamespace

import pytest
from bench import __main__ as command


@pytest.fixture
def ran(monkeypatch):
    """Two benchmarks, of which the first has a bad figure; the names of those that ran."""
    names = []

    def bad():
        names.append("bad")
        raise SystemExit("bench bad: a figure is not what it has to be")

    modules = {
        "bench.bad": SimpleNamespace(main=bad),
        "bench.good": SimpleNamespace(main=lambda: names.append("good")),
    }
    monkeypatch.setattr(command, "import_module", modules.__getitem__)
    monkeypatch.setattr(command, "names", lambda: ["bad", "good"])
    return names


def test_a_bad_figure_is_told_by_the_exit_code_and_the_others_run_all_the_same(ran, capsys):
    assert command.main([]) == 1
    assert ran == ["bad", "good"]
    assert "bench bad: a figure is not what it has to be" in capsys.readouterr().err


def test_without_one_the_command_succeeds(ran):
    assert command.main(["good"]) == 0
