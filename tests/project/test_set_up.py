"""Setting up on a machine where something is missing: one clear line, and exit code 2."""

import os
import re
import subprocess
import sys

NEW_ENOUGH = 'case "$*" in *version_info*) exit 0;; esac; exit 1'
TOO_OLD = "exit 1"


def run(*command, folder, path=None, **environment):
    search = os.environ["PATH"] if path is None else path
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": search, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_python_that_is_new_enough_it_says_which_one_is_needed(checkout, programs):
    old = programs("python3", TOO_OLD) / "python3"

    done = run("make", "demo", folder=checkout, PYTHON=str(old))

    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_pip_it_says_what_to_install(checkout, programs):
    python = programs("python3", NEW_ENOUGH) / "python3"

    done = run("make", "test", folder=checkout, PYTHON=str(python))

    assert done.returncode == 2
    assert f"{python} has no pip: install it" in done.stderr
    assert done.stderr.splitlines()[0].startswith("make: ")


def test_an_older_python_is_passed_over_for_a_newer_one(checkout, programs):
    programs("python3", TOO_OLD)
    folder = programs("python3.13", NEW_ENOUGH)

    done = run("scripts/find-python", folder=checkout, path=f"{folder}:/bin:/usr/bin")

    assert done.returncode == 0
    assert done.stdout.strip() == str(folder / "python3.13")


def test_help_names_every_target(checkout):
    phony = re.search(r"^\.PHONY: (.*)$", (checkout / "Makefile").read_text(), re.MULTILINE)

    done = run("make", folder=checkout)

    listed = set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE))
    assert listed == set(phony[1].split()) - {"help", "chromium", "pgbouncer"}


def test_what_is_set_up_is_not_set_up_again(checkout):
    for stamp in (".tools/.uv", ".venv/.made", ".venv/.base", ".venv/.dev"):
        (checkout / stamp).parent.mkdir(exist_ok=True)
    (checkout / "pyproject.toml").touch()
    for stamp in (".tools/.uv", ".venv/.made", ".venv/.base", ".venv/.dev"):
        (checkout / stamp).touch()

    done = run("make", ".venv/.base", ".venv/.dev", folder=checkout)

    assert done.returncode == 0
    assert done.stdout.count("is up to date") == 2


def test_a_changed_requirement_file_is_installed_again(checkout):
    for stamp in (".tools/.uv", ".venv/.made", ".venv/.base", ".venv/.dev"):
        (checkout / stamp).parent.mkdir(exist_ok=True)
        (checkout / stamp).touch()
    (checkout / "pyproject.toml").touch()
    os.utime(checkout / "requirements" / "base.txt", (4e9, 4e9))

    plan = run("make", "--dry-run", ".venv/.base", folder=checkout)

    assert "requirements/base.txt" in plan.stdout
    assert "requirements/dev.txt" not in plan.stdout


def made(checkout):
    """The stamps of a set-up that is done, all newer than what they are made from."""
    for stamp in (".tools/.uv", ".venv/.made", ".venv/.base", ".venv/.dev", ".venv/.node"):
        (checkout / stamp).parent.mkdir(exist_ok=True)
        (checkout / stamp).touch()


def test_packages_from_npm_are_installed_by_the_tests_and_once(checkout):
    (checkout / "pyproject.toml").touch()
    made(checkout)
    assert "scripts/node" not in run("make", "--dry-run", "test", folder=checkout).stdout

    os.utime(checkout / "tests" / "node" / "package-lock.json", (4e9, 4e9))
    assert "scripts/node" in run("make", "--dry-run", "test", folder=checkout).stdout
    assert "scripts/node" not in run("make", "--dry-run", ".venv/.dev", folder=checkout).stdout


def test_packages_from_npm_are_those_of_the_lock_file_and_run_nothing_of_their_own(checkout, programs):
    (checkout / ".venv").mkdir()
    folder = programs("npm", 'echo "$PWD: $*" >>"$HOME/calls"')

    done = run("scripts/node", folder=checkout, path=f"{folder}:/bin:/usr/bin")

    assert (done.returncode, done.stderr) == (0, "")
    where, _, arguments = (checkout / "calls").read_text().strip().partition(": ")
    assert where == str(checkout / "tests" / "node")
    assert arguments.split()[0] == "ci"
    assert "--ignore-scripts" in arguments.split()
    assert (checkout / ".venv" / ".node").exists()


def test_without_the_packages_from_npm_it_says_that_their_tests_will_fail_and_tries_again_next_time(
    checkout, programs
):
    (checkout / ".venv").mkdir()
    folder = programs("npm", "echo 'no network' >&2; exit 1")

    done = run("scripts/node", folder=checkout, path=f"{folder}:/bin:/usr/bin")

    assert done.returncode == 0
    assert "the tests that need Node.js will fail" in done.stderr
    assert "no network" in done.stderr
    assert not (checkout / ".venv" / ".node").exists()


def test_a_browser_that_is_there_is_left_alone(checkout, programs):
    folder = programs("chromium", "exit 0")

    done = run("scripts/chromium", folder=checkout, path=f"{folder}:/bin:/usr/bin")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_a_browser_and_without_rights_it_says_that_its_tests_will_fail(checkout, programs):
    folder = programs("id", "echo 1000")
    for name in ("env", "sh"):
        (folder / name).symlink_to(f"/bin/{name}")

    done = run("/bin/sh", "scripts/chromium", folder=checkout, path=str(folder))

    assert done.returncode == 0
    assert "the browser tests will fail; install it" in done.stderr


def test_a_named_browser_that_is_not_there_is_told(checkout):
    done = run("scripts/chromium", folder=checkout, CHROMIUM="/nonexistent/chromium")

    assert "CHROMIUM names no program" in done.stderr


def test_an_unknown_benchmark_lists_the_known_ones(root):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"], cwd=root, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "start" in done.stderr
