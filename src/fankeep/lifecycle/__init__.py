"""What touches several services: connect, disconnect, a grant that died."""

from __future__ import annotations

from fankeep.lifecycle.directory import Directory
from fankeep.lifecycle.identity import Identity
from fankeep.lifecycle.lifecycle import Connected, Lifecycle, LogoutPolicy

__all__ = ["Connected", "Directory", "Identity", "Lifecycle", "LogoutPolicy"]
