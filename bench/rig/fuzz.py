"""A coverage-guided run of atheris: ``python -m bench.rig.fuzz TARGET FOLDER [options of libFuzzer]``.

The process ends with an error at the first exception that is not ours, and when a pair is accepted.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_MAX_BYTES = 4096


def main(name: str, folder: Path, options: list[str]) -> None:
    """Fuzz until the options say enough."""
    atheris: Any = import_module("atheris")  # there is no package of it for every platform
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=["fankeep.fanvue", "fankeep.policy", "fankeep.inbox"]):
        targets: Any = import_module("bench.rig.fuzz_targets")
    target, first = targets.TARGETS[name]
    for number, data in enumerate(first()):
        if len(data) <= _MAX_BYTES:
            (folder / f"{number}").write_bytes(data)
    atheris.Setup([sys.argv[0], str(folder), f"-max_len={_MAX_BYTES}", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
