"""``make check``: finds what it looks for, and never counts what it could not look at as passed."""

import importlib.util
import json
import subprocess

import pytest


@pytest.fixture
def check(root, tmp_path, monkeypatch):
    """The script, with an empty repository to look at."""
    spec = importlib.util.spec_from_file_location("check_under_test", root / "scripts" / "check.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, spec.name, module)
    spec.loader.exec_module(module)
    folder = tmp_path / "tree"
    (folder / "requirements").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    monkeypatch.setattr(module, "ROOT", folder)
    monkeypatch.setattr(module, "BIN", tmp_path)
    return module


@pytest.fixture
def audit(check, tmp_path):
    """Replace the auditor by one that gives an answer."""

    def answer(text):
        path = tmp_path / "pip-audit"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        path.chmod(0o755)
        return check.known_vulnerabilities()

    return answer


def track(check, name, text):
    path = check.ROOT / name
    path.write_text(text)
    subprocess.run(["git", "add", name], cwd=check.ROOT, check=True)


def test_a_lock_file_with_an_address_fails(check):
    (check.ROOT / "requirements" / "base.txt").write_text("a==1\nb @ https://files.example/b.whl\n")

    result = check.lock_files_name_no_host()

    assert result.verdict is check.Verdict.FAILED
    assert result.detail == "requirements/base.txt:2"


def test_a_lock_file_of_npm_with_an_address_fails(check):
    (check.ROOT / "tests" / "node").mkdir(parents=True)
    (check.ROOT / "tests" / "node" / "package-lock.json").write_text('{\n"resolved": "https://x/a.tgz"\n}\n')

    assert check.lock_files_name_no_host().detail == "tests/node/package-lock.json:2"


@pytest.mark.parametrize(
    "text", ["see " + "/" + "root/notes.txt", "index-url = https://" + "pypi" + ".org/simple"]
)
def test_a_path_of_a_machine_or_a_package_index_fails(check, text):
    track(check, "notes.md", f"fine\n{text}\n")

    result = check.no_machine_in_the_tree()

    assert result.verdict is check.Verdict.FAILED
    assert result.detail.startswith("notes.md:2: ")


def test_ordinary_text_passes(check):
    track(check, "notes.md", "FANKEEP_KEYS=file:/etc/fankeep/keys.json https://app.example.com/work/x\n")

    assert check.no_machine_in_the_tree().verdict is check.Verdict.PASSED


def test_packages_without_known_holes_pass(audit, check):
    result = audit(json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}))

    assert result.verdict is check.Verdict.PASSED


def test_a_package_with_a_known_hole_fails_by_name(audit, check):
    result = audit(json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}))

    assert result.verdict is check.Verdict.FAILED
    assert result.detail == "a 1: CVE-1"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"dependencies": [{"name": "a", "skip_reason": "not found"}]}),
        json.dumps({"dependencies": []}),
        "no network",
        "",
    ],
)
def test_what_was_not_looked_up_is_not_audited(audit, check, text):
    result = audit(text)

    assert result.verdict is check.Verdict.NOT_AUDITED


def test_the_sum_counts_not_audited_apart_and_failures_decide(check, monkeypatch, capsys):
    verdicts = [check.Verdict.PASSED, check.Verdict.NOT_AUDITED, check.Verdict.FAILED]
    steps = [check.Step(verdict.name, lambda verdict=verdict: check.Result(verdict)) for verdict in verdicts]
    monkeypatch.setattr(check, "STEPS", steps)

    assert check.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "check: 1 passed, 1 failed, 1 not audited"

    monkeypatch.setattr(check, "STEPS", steps[:2])
    assert check.main() == 0
