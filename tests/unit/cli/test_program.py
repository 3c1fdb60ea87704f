"""The command line: cheap to start, one line for every error, an exit code that says who has to act."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from fankeep.cli import program
from fankeep.cli.lazy import LazyCommand, LazyGroup
from fankeep.cli.program import COMMANDS
from fankeep.errors import ConfigurationError, StorageUnavailable

FANKEEP = Path(sys.executable).with_name("fankeep")
# What is dear to import and of no use before a command runs.
HEAVY = {
    "pydantic",
    "pydantic_settings",
    "structlog",
    "rich",
    "starlette",
    "granian",
    "joserfc",
    "jinja2",
    "apsw",
}


def run(*arguments, **options):
    return subprocess.run(
        [FANKEEP, *arguments], capture_output=True, text=True, timeout=30, check=False, **options
    )


@pytest.fixture
def failing(monkeypatch):
    """A way to make a command raise something and to see what is left of it outside."""

    def run_failing(error, capsys):
        def command(**_):
            raise error

        table = LazyGroup("fankeep", table={}, text="", examples="")
        monkeypatch.setattr(table, "get_command", lambda *_: click.Command("fail", callback=command))
        monkeypatch.setattr(program, "command", table)
        return program.run(["fail"]), capsys.readouterr()

    return run_failing


def test_help_imports_nothing_heavy():
    show = """
import sys
from fankeep.cli.program import run
run(["--help"])
print(*sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.splitlines()[-1].split())
    assert "fankeep.cli.program" in loaded
    assert not loaded & HEAVY


def test_importing_fankeep_imports_nothing_but_itself():
    show = "import sys; before = set(sys.modules); import fankeep; print(*(set(sys.modules) - before))"

    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)

    assert {name for name in done.stdout.split() if name.startswith("fankeep")} == {"fankeep"}
    assert not set(done.stdout.split()) & HEAVY


def test_help_lists_every_command_that_is_there():
    done = run("--help")

    assert done.returncode == 0
    group = program.command
    for name in group.list_commands(click.Context(group)):
        assert f"  {name} " in done.stdout
        assert COMMANDS[name].summary.split(".")[0][:30] in done.stdout


def test_every_listed_command_has_help_with_an_example():
    group = program.command
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert "Example" in (command.epilog or ""), name
        for inner in getattr(command, "commands", {}).values():
            assert "Example" in (inner.epilog or ""), f"{name} {inner.name}"


def test_a_command_without_a_module_is_not_listed_and_not_found():
    table = {"ghost": LazyCommand("fankeep.cli.no_such_module", "Nothing.")}
    group = LazyGroup("fankeep", table=table, text="", examples="")

    assert group.list_commands(click.Context(group)) == []
    assert group.get_command(click.Context(group), "ghost") is None


def test_a_mistyped_command_names_the_near_one_and_exits_with_2():
    done = run("kyes")

    assert done.returncode == 2
    assert "Did you mean 'keys'?" in done.stderr


def test_version_is_the_packages():
    done = run("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("fankeep 0.")


def test_python_dash_m_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "fankeep", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == run("--version").stdout


def test_a_configuration_error_is_one_line_and_exits_with_2(failing, capsys):
    code, shown = failing(ConfigurationError("FANKEEP_X is missing:\nset it"), capsys)

    assert code == 2
    assert shown.err == "fankeep: FANKEEP_X is missing: set it\n"
    assert shown.out == ""


def test_any_other_error_of_ours_is_one_line_and_exits_with_1(failing, capsys):
    code, shown = failing(StorageUnavailable("the database is busy"), capsys)

    assert code == 1
    assert shown.err == "fankeep: the database is busy\n"


def test_an_unforeseen_error_says_where_and_not_what(failing, capsys):
    code, shown = failing(ValueError("token abc123"), capsys)

    assert code == 1
    assert shown.err.count("\n") == 1
    assert "ValueError at cli/program.py:" in shown.err
    assert "abc123" not in shown.err
    assert "Traceback" not in shown.err


def test_control_c_exits_with_130(failing, capsys):
    code, _ = failing(KeyboardInterrupt(), capsys)

    assert code == 130


def test_the_process_ends_with_all_output_and_without_taking_the_interpreter_down_under_foreign_threads():
    show = """
import atexit, sys, threading, time
from fankeep.cli import main
atexit.register(print, "taken down")
threading.Thread(target=lambda: (time.sleep(0.2), print("our own thread has finished"))).start()
sys.argv = ["fankeep", "kyes"]
main()
"""

    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Did you mean 'keys'?" in done.stderr
    assert done.stdout == "our own thread has finished\n"


def test_a_reader_that_leaves_early_is_no_error_message():
    shell = f"{FANKEEP} --help | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)

    assert "Traceback" not in done.stderr
