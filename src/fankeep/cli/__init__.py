"""Command line."""

from fankeep.cli.program import main

__all__ = ["main"]
