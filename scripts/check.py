"""Everything that a change must satisfy besides the tests; ``make check`` runs it.

Each step prints its result. A step that could not be carried out is "not audited", which is not "passed".
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


class Verdict(Enum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_AUDITED = "not audited"


@dataclass(frozen=True, slots=True)
class Result:
    """A step's verdict and what a reader needs to act on it."""

    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One named check."""

    name: str
    run: Callable[[], Result]


def tool(*command: str) -> Callable[[], Result]:
    """Make a step of a program of the virtual environment: it passes when the program exits with 0."""

    def run() -> Result:
        done = _run(*command)
        if done.returncode == 0:
            return Result(Verdict.PASSED)
        return Result(Verdict.FAILED, (done.stdout + done.stderr).strip())

    return run


def lock_files_name_no_host() -> Result:
    """A lock file that names a host works only where that host can be reached."""
    locks = (*(ROOT / "requirements").glob("*.txt"), *(ROOT / "tests").glob("*/package-lock.json"))
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(locks)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "://" in line
    ]
    return _listing(found)


# Words that mean that a file of one machine, or of one package index, slipped in. Host names that a reader
# of the source should know stand in fankeep.fanvue and in the documents.
_STRANGE = re.compile(
    r"(?<![\w.~)-])/(?:work|root|Users/\w+|home/\w+)/[\w.]|\bpypi\.org\b|\bpythonhosted\.org\b|\bregistry\.npmjs\.org\b"
)
_BINARY = {".png", ".jpg", ".ico", ".db", ".woff2"}


def no_machine_in_the_tree() -> Result:
    """No tracked file holds a path of somebody's machine or the host of a package index."""
    if not (ROOT / ".git").exists():
        return Result(Verdict.NOT_AUDITED, "this is not a git checkout")
    tracked = _run("git", "ls-files", "-z").stdout.split("\0")
    found = [
        f"{name}:{number}: {match.group()}"
        for name in tracked
        if name and Path(name).suffix not in _BINARY and (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), start=1)
        if (match := _STRANGE.search(line))
    ]
    return _listing(found)


def known_vulnerabilities() -> Result:
    """Look every pinned package up; one that could not be looked up makes the whole audit void."""
    done = _run(
        str(BIN / "pip-audit"),
        *("--disable-pip", "--require-hashes", "--requirement", "requirements/dev.txt"),
        *("--format", "json", "--progress-spinner", "off", "--timeout", "10"),
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Result(Verdict.NOT_AUDITED, "the advisory data could not be reached")
    vulnerable = [
        f"{package['name']} {package['version']}: {', '.join(v['id'] for v in package['vulns'])}"
        for package in packages
        if package.get("vulns")
    ]
    if vulnerable:
        return _listing(vulnerable)
    skipped = sum("skip_reason" in package for package in packages)
    if skipped or not packages:
        return Result(Verdict.NOT_AUDITED, f"{skipped} of {len(packages)} packages could not be looked up")
    return Result(Verdict.PASSED, f"{len(packages)} packages")


STEPS = (
    Step("lint", tool(str(BIN / "ruff"), "check", "--quiet", ".")),
    Step("format", tool(str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Step("types", tool(str(BIN / "mypy"))),
    Step("import contracts", tool(str(BIN / "lint-imports"))),
    Step("lock files name no host", lock_files_name_no_host),
    Step("no machine in the tree", no_machine_in_the_tree),
    Step("known vulnerabilities", known_vulnerabilities),
)


def main() -> int:
    """Run every step, print each result and the sum; return the exit code."""
    counts = dict.fromkeys(Verdict, 0)
    for step in STEPS:
        result = step.run()
        counts[result.verdict] += 1
        in_line = f" ({result.detail})" if result.detail and "\n" not in result.detail else ""
        print(f"{step.name}: {result.verdict.value}{in_line}", flush=True)
        if result.detail and not in_line:
            print(result.detail, flush=True)
    print("check: " + ", ".join(f"{counts[verdict]} {verdict.value.lower()}" for verdict in Verdict))
    return 1 if counts[Verdict.FAILED] else 0


def _listing(found: list[str]) -> Result:
    return Result(Verdict.FAILED, "\n".join(found)) if found else Result(Verdict.PASSED)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
