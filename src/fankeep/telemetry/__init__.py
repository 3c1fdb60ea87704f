"""Logs with redaction last, metrics, traces.

Metrics stand in ``fankeep.telemetry.metrics``, which is imported on its own because its library is not small.
"""

from __future__ import annotations

from fankeep.telemetry.alarms import alarm
from fankeep.telemetry.failures import describe_error
from fankeep.telemetry.logs import Logger, get_logger, log_fields
from fankeep.telemetry.references import reference
from fankeep.telemetry.setup import configure

__all__ = ["Logger", "alarm", "configure", "describe_error", "get_logger", "log_fields", "reference"]
