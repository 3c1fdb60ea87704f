"""Things that somebody should look at now, as opposed to errors that happen."""

from __future__ import annotations

from fankeep.telemetry.logs import get_logger

__all__ = ["alarm"]

_log = get_logger("fankeep.alarm")


def alarm(name: str, /, **fields: object) -> None:
    """Raise an alarm: one error line and one count, both under its name.

    Args:
        name: one of ``metrics.ALARM_NAMES``; another one is logged as it is and counted as ``other``.
        fields: ids, codes and counts.
    """
    from fankeep.telemetry import metrics  # noqa: PLC0415  its library takes 80 ms, and alarms are rare

    metrics.ALARMS.add(alarm=name)
    _log.error("alarm", alarm=name, **fields)
