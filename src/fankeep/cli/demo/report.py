"""What the demo prints: one line a step, for people or as JSON."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TextIO

__all__ = ["Failed", "Report"]


class Failed(Exception):
    """A step did not show what it is there to show."""


@dataclass
class Report:
    """Prints steps as they finish and counts them.

    Attributes:
        copy: gets all that is printed as well, so that it can be searched.
    """

    as_json: bool
    copy: TextIO
    passed: int = 0
    failed: int = 0
    _since: float = 0.0

    def begin(self, number: int, title: str) -> None:
        """Announce a step; on a terminal the line stays open until its result comes."""
        self._since = time.monotonic()
        if not self.as_json:
            self._print(f"{number:>3}. {title}")

    def end(self, number: int, title: str, findings: list[str], error: str | None) -> None:
        """Print what a step found, or why it failed."""
        seconds = time.monotonic() - self._since
        if error is None:
            self.passed += 1
        else:
            self.failed += 1
        if self.as_json:
            result = {
                "step": number,
                "title": title,
                "passed": error is None,
                "seconds": round(seconds, 2),
                "findings": findings,
            }
            self._print(json.dumps(result | ({"error": error} if error else {})))
            return
        for finding in findings:
            self._print(f"       {finding}")
        mark = "ok" if error is None else f"FAILED: {error}"
        self._print(f"       {mark} ({seconds:.1f} s)")

    def close(self) -> int:
        """Print the last line and return the exit code."""
        if self.as_json:
            self._print(json.dumps({"passed": self.passed, "failed": self.failed}))
        self._print(f"demo: {self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1

    def _print(self, line: str) -> None:
        print(line, flush=True)
        print(line, file=self.copy, flush=True)
