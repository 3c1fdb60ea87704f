"""Export and erasure of one fan, wired: for the services of a process and for an operator's commands."""

from __future__ import annotations

from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores
from fankeep.privacy.fans import BackUps, Fans

__all__ = ["open_fans"]


def open_fans(settings: Settings, stores: Stores) -> Fans:
    """Work on what is stored about fans."""
    return Fans(stores.data, stores.datakeys, BackUps(settings.backups_days, settings.key_backups_days))
