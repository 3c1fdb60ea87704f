"""A local Fanvue for development and tests: authorization server, API, webhooks, and pages for people.

It behaves like the real one as far as that is known, disputed facts being switches, and misbehaves on
command. Its signing and token code is its own: shared code would agree with fankeep's mistakes.

Security:
    Everything in it is made up. It binds to loopback only, keeps every secret it ever saw in clear, and shows
    them to whoever asks on that listener. Nothing that serves production can import it.
"""

from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.control_client import ControlClient
from fankeep.sandbox.forging import Forge
from fankeep.sandbox.payloads import TOPICS
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.scenario import parse_scenario, read_scenario
from fankeep.sandbox.server import running_sandbox
from fankeep.sandbox.settings import (
    AppRegistration,
    EventScopes,
    GraceAnswer,
    RevokeSpent,
    SandboxSettings,
    SecretReading,
    Switches,
    TokenFormat,
)
from fankeep.sandbox.state import Keeper, StateFile
from fankeep.sandbox.switching import read_switches
from fankeep.sandbox.trigger import Trigger, Triggered, send_directly, send_through_sandbox

__all__ = [
    "TOPICS",
    "AppRegistration",
    "ControlClient",
    "EventScopes",
    "Forge",
    "GraceAnswer",
    "Keeper",
    "RevokeSpent",
    "Sandbox",
    "SandboxClock",
    "SandboxSettings",
    "SecretReading",
    "StateFile",
    "Switches",
    "TokenFormat",
    "Trigger",
    "Triggered",
    "parse_scenario",
    "read_scenario",
    "read_switches",
    "running_sandbox",
    "send_directly",
    "send_through_sandbox",
]
