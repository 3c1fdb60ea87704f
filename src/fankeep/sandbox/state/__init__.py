"""A sandbox's world in one file, so that whoever was connected before a restart still is."""

from fankeep.sandbox.state.file import StateFile
from fankeep.sandbox.state.keeper import Keeper, Saved

__all__ = ["Keeper", "Saved", "StateFile"]
