"""The control API under ``/sandbox/``: what a test may ask, and what it may make happen."""

from fankeep.sandbox.control.routes import control_routes

__all__ = ["control_routes"]
