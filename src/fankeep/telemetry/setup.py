"""Setting up the logs of a process: one stream, one format, everything through redaction."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import TextIO

from fankeep.policy import Redactor
from fankeep.secret import Secret
from fankeep.telemetry.pipeline import RENDERED, Format, current_pipeline, make_pipeline, use_pipeline

__all__ = ["configure"]


def configure(
    *,
    format: Format = "json",  # noqa: A002  the word that people look for
    level: str = "INFO",
    known_secrets: Iterable[Secret[str]] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every log line of this process, ours and other libraries', to one stream.

    Args:
        format: ``json``, one object a line; or ``console``, for people.
        level: the least important level that is written.
        known_secrets: looked for by value in every line.
        stream: standard error by default.

    Raises:
        ValueError: there is no such level.
    """
    use_pipeline(make_pipeline(Redactor(known_secrets), format))
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)


class _Formatter(logging.Formatter):
    """Passes our own lines on and renders what other libraries log."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, RENDERED, False):
            return record.getMessage()
        # The first line only: servers and event loops append tracebacks and reprs, which quote messages.
        event: dict[str, object] = {"event": record.getMessage().partition("\n")[0]}
        if record.exc_info and record.exc_info[1] is not None:
            event["error"] = record.exc_info[1]
        return current_pipeline().render(record.name, record.levelno, event)


class _Handler(logging.StreamHandler[TextIO]):
    """A handler whose own failure does not print the record that failed."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name is logging's
        """Say that a line was lost, and nothing of what it was."""
        del record
        if sys.stderr is not None:
            sys.stderr.write("fankeep: a log line could not be written\n")
