"""How a redacted event is written: one JSON object a line, or a line for people."""

from __future__ import annotations

import msgspec
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer

from fankeep.policy import Loggable

__all__ = ["render_console", "render_json"]

_console = ConsoleRenderer(colors=False, sort_keys=False)
_json = JSONRenderer(serializer=lambda event, **_: msgspec.json.encode(event).decode())


def render_json(event: dict[str, Loggable]) -> str:
    """Render one event as one JSON object, without line breaks."""
    return str(_json(None, "", event))


def render_console(event: dict[str, Loggable]) -> str:
    """Render one event as one line for people."""
    return _console(None, "", event)
