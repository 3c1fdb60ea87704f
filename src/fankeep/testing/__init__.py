"""Help for the tests of apps on Fanvue: a pytest plugin with the fixture ``fanvue_sandbox``.

Installing fankeep is enough: pytest finds the plugin by its entry point. The names below are imported when
they are first used, so that test runs that don't need the sandbox don't pay for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fankeep.sandbox import (
        AppRegistration,
        SandboxSettings,
        Switches,
        parse_scenario,
        read_scenario,
    )
    from fankeep.testing.connecting import Connected
    from fankeep.testing.control import Control
    from fankeep.testing.running import FanvueSandbox, fanvue_sandbox_in_thread

__all__ = [
    "AppRegistration",
    "Connected",
    "Control",
    "FanvueSandbox",
    "SandboxSettings",
    "Switches",
    "fanvue_sandbox_in_thread",
    "parse_scenario",
    "read_scenario",
]

_HOMES = {
    "AppRegistration": "fankeep.sandbox",
    "Connected": "fankeep.testing.connecting",
    "Control": "fankeep.testing.control",
    "FanvueSandbox": "fankeep.testing.running",
    "SandboxSettings": "fankeep.sandbox",
    "Switches": "fankeep.sandbox",
    "fanvue_sandbox_in_thread": "fankeep.testing.running",
    "parse_scenario": "fankeep.sandbox",
    "read_scenario": "fankeep.sandbox",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fankeep.testing' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
