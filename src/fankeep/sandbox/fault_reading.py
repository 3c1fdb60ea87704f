"""Reads a fault from a table, of a scenario file or of a control request; nothing unknown is passed over."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from fankeep.fanvue.operations import OPERATIONS
from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox.faults import FILTERS, RULES, Fault, FaultKind, Moment, Rule, Target
from fankeep.sandbox.payloads import TOPICS

__all__ = ["KEYS", "FaultError", "read_fault"]

_Reader: TypeAlias = Callable[[object], object]

_ALWAYS: Final = frozenset({"target", "kind", "skip", "count", "start", "end", "chance"})
_GRANT_TYPES: Final = ("authorization_code", "refresh_token")
_MOST: Final = 100_000
_A_YEAR: Final = 366 * 86_400


class FaultError(ValueError):
    """A table that is no fault; its text names the key and says what belongs there."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")


def read_fault(table: Mapping[str, object]) -> Fault:
    """Read one fault; a key whose value is ``None`` counts as missing.

    Raises:
        FaultError: a key is unknown, does not fit the kind, is missing, or has a bad value.
    """
    values: dict[str, object] = {}
    for key, value in table.items():
        if value is not None:
            values[key] = _value(key, value)
    kind = values.get("kind")
    if not isinstance(kind, FaultKind):
        raise FaultError("kind", f"missing; one of {', '.join(FaultKind)}")
    rule = RULES[kind]
    target = values.setdefault("target", rule.targets[0])
    if not isinstance(target, Target) or target not in rule.targets:
        raise FaultError("target", f"{kind} strikes at {', '.join(rule.targets)}")
    _check_keys(values, kind, target, rule)
    fault = msgspec.convert({**values, "count": _count(values)}, Fault)
    if fault.end is not None and fault.end <= fault.start:
        raise FaultError("end", "expected more than start")
    if fault.seconds < 0 and kind is not FaultKind.CLOCK_SKEW:
        raise FaultError("seconds", "expected a number of at least 0")
    return fault


def _value(key: str, value: object) -> object:
    reader = KEYS.get(key)
    if reader is None:
        raise FaultError(ascii(key[:40]), f"there is no such key; the keys are {', '.join(KEYS)}")
    try:
        return reader(value)
    except ValueError as problem:
        raise FaultError(key, str(problem)) from None


def _check_keys(values: Mapping[str, object], kind: FaultKind, target: Target, rule: Rule) -> None:
    fitting = _ALWAYS | rule.details | ({FILTERS[target]} if target in FILTERS else set())
    for key in values:
        if key not in fitting:
            raise FaultError(key, f"means nothing for {kind} at {target}")
    for key in sorted(rule.needed - set(values)):
        raise FaultError(key, f"missing; {kind} needs it")


def _count(values: Mapping[str, object]) -> object:
    count = values.get("count", 1)
    return None if count == "all" else count


def _word(words: type[StrEnum]) -> _Reader:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in set(words):
            raise ValueError(f"expected one of {', '.join(words)}")
        return words(value)

    return read


def _name(known: Container[object], what: str) -> _Reader:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"expected {what}")
        return value

    return read


def _whole(low: int, high: int) -> _Reader:
    def read(value: object) -> object:
        number = _number(low, high)(value)
        if not isinstance(number, float) or not number.is_integer():
            raise ValueError("expected a whole number")
        return int(number)

    return read


def _number(low: float, high: float) -> _Reader:
    def read(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"expected a number from {low} to {high}")
        return float(value)

    return read


def _how_often(value: object) -> object:
    return value if value == "all" else _whole(1, _MOST)(value)


def _chance(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ValueError("expected a number above 0 and at most 1")
    return float(value)


def _text(value: object) -> object:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a text")
    return value


def _scopes(value: object) -> object:
    names = value if isinstance(value, list) else []
    if not names or not all(isinstance(name, str) and name in SCOPES for name in names):
        raise ValueError("expected a list of scopes that Fanvue has")
    return value


KEYS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        "kind": _word(FaultKind),
        "target": _word(Target),
        "moment": _word(Moment),
        "grant_type": _name(_GRANT_TYPES, f"one of {', '.join(_GRANT_TYPES)}"),
        "operation": _name(OPERATIONS, "the id of an operation"),
        "topic": _name(TOPICS, "an event that Fanvue has"),
        "skip": _whole(0, _MOST),
        "count": _how_often,
        "start": _number(0, _A_YEAR),
        "end": _number(0, _A_YEAR),
        "chance": _chance,
        "status": _whole(400, 599),
        "seconds": _number(-_A_YEAR, _A_YEAR),
        "copies": _whole(2, 100),
        "behind": _whole(1, 100),
        "scopes": _scopes,
        "creator": _text,
    }
)
"""Every key of a fault, and what reads its value."""
