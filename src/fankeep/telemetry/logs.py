"""The logger that every room uses.

    log = get_logger("fankeep.vault")
    log.info("token_refreshed", user=user, generation=generation)
    log.error("refresh_failed", user=user, error=error)

Event names are fixed snake_case words; values are ids, codes and counts. An exception is given as ``error``:
the line gets its type, its code and where it came from, never its message.

Lines go to Python's ``logging`` under the logger's name, already redacted and rendered. Nothing here touches
structlog's own global settings, so an app that uses structlog keeps its configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType

from fankeep.telemetry.pipeline import RENDERED, current_pipeline

__all__ = ["Logger", "get_logger", "log_fields"]

_EMPTY: Mapping[str, object] = MappingProxyType({})
_context: ContextVar[Mapping[str, object]] = ContextVar("fankeep_log_fields", default=_EMPTY)


class Logger:
    """Writes events with fields; made by ``get_logger``."""

    __slots__ = ("_fields", "_logger")

    def __init__(self, name: str, fields: Mapping[str, object] = _EMPTY) -> None:
        self._logger = logging.getLogger(name)
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """A logger whose events carry these fields as well."""
        return Logger(self._logger.name, {**self._fields, **fields})

    def debug(self, event: str, /, **fields: object) -> None:
        """For whoever looks for a mistake; off by default."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Something that belongs to normal work happened."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Something was refused or had to be tried again."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Something failed that should not have."""
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        if not self._logger.isEnabledFor(level):
            return
        merged = {**_context.get(), **self._fields, **fields, "event": event}
        text = current_pipeline().render(self._logger.name, level, merged)
        self._logger.log(level, "%s", text, extra={RENDERED: True})


def get_logger(name: str) -> Logger:
    """Return the logger of a room, such as ``fankeep.vault``; cheap, structlog is imported at first use."""
    return Logger(name)


def log_fields(**fields: object) -> AbstractContextManager[None]:
    """Add fields to every event that is logged inside the block, in this task and those it starts."""
    return _Block(fields)


class _Block:
    """What `log_fields` gives; a generator would cost every request as much again."""

    __slots__ = ("_fields", "_token")

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self._token: Token[Mapping[str, object]] | None = None

    def __enter__(self) -> None:
        self._token = _context.set({**_context.get(), **self._fields})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _context.reset(self._token)
