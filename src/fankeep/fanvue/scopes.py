"""Scopes: what each one opens, in words for the person who grants it, and which ones an app needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from fankeep.errors import ConfigurationError
from fankeep.fanvue._data import LazyMapping, read_data
from fankeep.fanvue.operations import Operation, operation

__all__ = [
    "FIXED_SCOPES",
    "SCOPES",
    "Scope",
    "ScopeComparison",
    "check_scopes",
    "compare_scopes",
    "required_scopes",
    "sentence",
]

FIXED_SCOPES: Final = ("openid", "offline_access", "offline", "read:self")
"""Requested by every app: without the first three there is no refresh token, without the last one it is not
known whose grant it is."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope.

    Attributes:
        kind: ``system`` scopes make the connection work, ``app`` scopes open data or actions.
        sentence: completes "The app will be able to ...".
    """

    name: str
    kind: Literal["system", "app"]
    sentence: str


@dataclass(frozen=True, slots=True)
class ScopeComparison:
    """How requested scopes relate to needed ones, both in the catalogue's order.

    Attributes:
        missing: needed and not requested; calls will be answered with 403.
        superfluous: requested and not needed by any operation. Events need scopes as well, so this is advice.
    """

    missing: tuple[str, ...]
    superfluous: tuple[str, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    scope: list[Scope]


def _load() -> Mapping[str, Scope]:
    file = msgspec.convert(tomllib.loads(read_data("scopes.toml").decode()), _File)
    return {scope.name: scope for scope in file.scope}


SCOPES: Final[Mapping[str, Scope]] = LazyMapping(_load)
"""Every scope by name, in the order in which pages show them; the file is read at the first look."""


def sentence(scope: str) -> str:
    """Say what a scope lets an app do: the end of "The app will be able to ...".

    Raises:
        ConfigurationError: there is no such scope.
    """
    (name,) = _known([scope])
    return SCOPES[name].sentence


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes to request: the given and the fixed ones, each once, in the catalogue's order.

    Raises:
        ConfigurationError: one is unknown. Fanvue would refuse the whole request only when a creator is
            already on the way to it.
    """
    return _ordered({*FIXED_SCOPES, *_known(scopes)})


def required_scopes(operations: Iterable[Operation | str]) -> tuple[str, ...]:
    """Return what the operations need, without the fixed scopes, in the catalogue's order.

    Args:
        operations: operations or their ids.

    Raises:
        ConfigurationError: an id is unknown.
    """
    needed = {scope for one in operations for scope in _operation(one).scopes}
    return _ordered(needed - set(FIXED_SCOPES))


def compare_scopes(requested: Iterable[str], operations: Iterable[Operation | str]) -> ScopeComparison:
    """Compare requested (or granted) scopes with what the operations need.

    Raises:
        ConfigurationError: a scope or an id is unknown.
    """
    needed, asked = set(required_scopes(operations)), _known(requested)
    return ScopeComparison(_ordered(needed - asked), _ordered(asked - needed - set(FIXED_SCOPES)))


def _known(scopes: Iterable[str]) -> set[str]:
    found = set[str]()
    for place, scope in enumerate(scopes, start=1):
        if scope not in SCOPES:
            raise ConfigurationError(f"scope {place} of the list is none of Fanvue's: {', '.join(SCOPES)}")
        found.add(scope)
    return found


def _ordered(scopes: set[str]) -> tuple[str, ...]:
    return tuple(name for name in SCOPES if name in scopes)


def _operation(one: Operation | str) -> Operation:
    return operation(one) if isinstance(one, str) else one
