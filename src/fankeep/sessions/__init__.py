"""Browser sessions, and the sign-ins that lead to them."""

from __future__ import annotations

from fankeep.sessions.pending import PendingLogins
from fankeep.sessions.sessions import Session, SessionLimits, Sessions

__all__ = ["PendingLogins", "Session", "SessionLimits", "Sessions"]
