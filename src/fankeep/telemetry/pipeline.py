"""From an event to a line: time, level, sanitised errors, redaction, rendering, in this order."""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from fankeep.policy import Loggable, Redactor
from fankeep.telemetry.failures import describe_error

__all__ = ["RENDERED", "Format", "Pipeline", "current_pipeline", "make_pipeline", "use_pipeline"]

Format: TypeAlias = Literal["json", "console"]

RENDERED = "fankeep_rendered"
"""Marks log records whose message is a finished line."""

_Renderer: TypeAlias = Callable[[dict[str, Loggable]], str]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How events become lines."""

    redactor: Redactor
    renderer: _Renderer

    def render(self, logger: str, level: int, event: MutableMapping[str, object]) -> str:
        """Turn one event into one line.

        Security:
            Redaction is the last step before rendering: nothing is added to the line after it.
        """
        event["logger"] = logger
        event["level"] = logging.getLevelName(level).lower()
        event["timestamp"] = _utc_now()
        for name, value in list(event.items()):
            if isinstance(value, BaseException):
                event[name] = describe_error(value)
        return self.renderer(self.redactor.redact(event))


def _utc_now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def make_pipeline(redactor: Redactor, output: Format) -> Pipeline:
    """Build a pipeline; imports structlog."""
    from fankeep.telemetry import renderers  # noqa: PLC0415  180 ms that a command without a log line saves

    return Pipeline(redactor, renderers.render_console if output == "console" else renderers.render_json)


class _Active:
    pipeline: Pipeline | None = None


def current_pipeline() -> Pipeline:
    """The pipeline in use; without ``configure`` it renders JSON and knows no secret by value."""
    if _Active.pipeline is None:
        _Active.pipeline = make_pipeline(Redactor(), "json")
    return _Active.pipeline


def use_pipeline(pipeline: Pipeline) -> None:
    """Replace the pipeline of this process."""
    _Active.pipeline = pipeline
