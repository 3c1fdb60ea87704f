"""Reads switches as somebody types them: ``grace_answer=same_pair``, ``echo_nonce=off``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from fankeep.errors import ConfigurationError
from fankeep.sandbox.settings import SandboxSettings, Switches

__all__ = ["OPTIONS", "read_switches", "turned"]

OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access_token_lifetime": "--token-lifetime",
        "grace": "--grace",
        "seed": "--seed",
        "creators": "--creators",
        "port": "--port",
        "scenario": "--scenario",
    }
)
"""The settings that are no switches and have an option of their own; all others only code can set."""

_WORDS: Final = {"on": True, "off": False}


def read_switches(given: Iterable[str]) -> Switches:
    """Turn switches away from their defaults.

    Args:
        given: ``name=value`` each; a value is ``on`` or ``off``, one of a switch's words, or a whole number.

    Raises:
        ConfigurationError: there is no such switch, or no such value; one line that names what there is.
    """
    switches = Switches()
    defaults = {field.name: getattr(switches, field.name) for field in fields(Switches)}
    chosen: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in defaults:
            raise ConfigurationError(_no_switch(name))
        chosen[name] = _value(name, defaults[name], value)
    return replace(switches, **chosen)


def turned(switches: Switches) -> dict[str, bool | int | str]:
    """The switches that stand otherwise than by default, with their values."""
    values = {field.name: getattr(switches, field.name) for field in fields(Switches)}
    return {name: value for name, value in values.items() if value != getattr(Switches(), name)}


def _no_switch(name: str) -> str:
    options = {**OPTIONS, **{option[2:].replace("-", "_"): option for option in OPTIONS.values()}}
    if name in options:
        return f"{name} is no switch: {options[name]} sets it"
    if name in {field.name for field in fields(SandboxSettings)}:
        return f"{name} is no switch: in a test, SandboxSettings({name}=...) sets it"
    names = [field.name for field in fields(Switches)]
    near = get_close_matches(name, names, n=1)
    meant = f"is it {near[0]}?" if near else f"the switches are: {', '.join(names)}"
    return f"the sandbox has no switch {name}; {meant}"


def _value(name: str, default: object, text: str) -> bool | int | StrEnum:
    if isinstance(default, bool):
        if text in _WORDS:
            return _WORDS[text]
        raise ConfigurationError(f"the switch {name} is on or off")
    if isinstance(default, StrEnum):
        words = [word.value for word in type(default)]
        if text in words:
            return type(default)(text)
        raise ConfigurationError(f"the switch {name} is one of: {', '.join(words)}")
    if text.isascii() and text.isdigit():
        return int(text)
    raise ConfigurationError(f"the switch {name} is a whole number")
