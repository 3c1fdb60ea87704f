"""What is known about a request that failed: certainly never sent, or unknown.

The classes of the library's exceptions don't tell: it calls a connection that was lost after sending, and an
answer that never came, connection errors too. A refresh token judged by them would be used twice. Two
signals are sound, and everything else counts as sent:

(a) a cause of the failure is the connecting itself (refused, no such name, certificate not accepted);
(b) the body was never asked for, or was held back by its guard.
"""

from __future__ import annotations

from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

from fankeep.errors import TransportError
from fankeep.transport.outgoing import Outgoing

__all__ = ["lost_answer", "transport_error"]

_CONNECTING_FAILED = "client error (Connect)"


def transport_error(error: PyreqwestError, body: Outgoing | None) -> TransportError:
    """Say what a failure before the answer's head means.

    Args:
        error: what the library raised. Its text holds the address, so nothing of it goes on.
        body: the streamed body of the request, if it had one.

    Returns:
        The error to raise in its place, outside of any ``except`` block: also an exception's context is
        printed by some loggers.
    """
    held_back = body is not None and not body.committed
    if held_back or _CONNECTING_FAILED in _causes(error):
        return TransportError("the server could not be reached; nothing was sent", outcome_unknown=False)
    return TransportError("the connection failed after the request may have been sent", outcome_unknown=True)


def lost_answer() -> TransportError:
    """The error for an answer that broke off, did not make sense or was too long."""
    return TransportError("the answer was cut off, malformed or too large", outcome_unknown=True)


def _causes(error: PyreqwestError) -> list[str]:
    if not isinstance(error, DetailedPyreqwestError):
        return []
    return [cause["message"] for cause in error.details["causes"] or []]
