"""What a log line says about an exception: type, code and place, but never its message.

Messages of foreign exceptions quote what they stumbled over: addresses with queries, headers, rows.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

from fankeep.errors import FankeepError, ProviderError

__all__ = ["describe_error"]

_MAX_FRAMES = 12
_MAX_CAUSES = 4


def describe_error(error: BaseException) -> dict[str, object]:
    """Describe an exception for the log.

    Returns:
        ``type`` and, for our own errors, ``code`` and their fixed words; for any other exception the
        innermost frames as ``file:line:function``, and the types of its causes.
    """
    described: dict[str, object] = {"type": type(error).__name__}
    if not isinstance(error, FankeepError):
        return {**described, "frames": _frames(error), "causes": _causes(error)}
    described["code"] = error.code
    reason = getattr(error, "reason", None)  # a fixed word, wherever an error of ours has one
    if isinstance(reason, str):
        described["reason"] = reason
    if isinstance(error, ProviderError):
        described["oauth_error"] = error.oauth_error
        described["http_status"] = error.http_status
    return described


def _frames(error: BaseException) -> list[str]:
    summary = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), limit=-_MAX_FRAMES, lookup_lines=False, capture_locals=False
    )
    return [f"{_short(frame.filename)}:{frame.lineno}:{frame.name}" for frame in summary]


def _short(filename: str) -> str:
    """The path inside the package; where an installation lies on disk is nobody's business."""
    return "/".join(PurePath(filename).parts[-3:]).lstrip("/")


def _causes(error: BaseException) -> list[str]:
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < _MAX_CAUSES:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return causes
