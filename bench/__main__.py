"""``python -m bench [NAME]``: one benchmark, or every one in turn. ``make bench NAME=start`` calls it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from bench.harness import print_machine

_NOT_A_BENCHMARK = {"__main__", "harness"}


def names() -> list[str]:
    """Every module of this folder that is a benchmark."""
    return sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_A_BENCHMARK
    )


def main(arguments: list[str]) -> int:
    """Run the benchmarks that were asked for; return the exit code.

    A benchmark whose figures have to be of a certain kind raises `SystemExit` when one is not; the others are
    run all the same.
    """
    known = names()
    wanted = arguments or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"bench: no benchmark {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    print_machine()
    failed = False
    for name in wanted:
        try:
            import_module(f"bench.{name}").main()
        except SystemExit as problem:
            print(problem.code, file=sys.stderr, flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
