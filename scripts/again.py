"""Run the tests that failed in the last run once more: alone, and three times in a row.

On a machine that others use as well, one test of thousands may fail for want of a processor beside two
others. What fails here as well failed for a reason, and so did everything when more than three have failed;
see ``docs/adr/0010-tests-side-by-side.md``.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
MOST = 3
TURNS = 3


def main() -> int:
    """Return 0 if every one of them passed in every turn."""
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if not 0 < len(failed) <= MOST:
        print(f"again: {len(failed)} tests failed; up to {MOST} would be run again")
        return 1
    print("\n== once more, alone:", *failed, sep="\n  ", flush=True)
    for _ in range(TURNS):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *failed], cwd=ROOT, check=False
        )
        if done.returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
