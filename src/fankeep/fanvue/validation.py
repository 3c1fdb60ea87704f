"""Whether a value is what a schema says, told as a list of places and expectations."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.schema import Array, Content, Enum, Field, Leaf, MapOf, Node, Object, Union
from fankeep.fanvue.strict_json import Json

__all__ = ["validate"]

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
_URL = re.compile(r"https?://[^\s/]+\S*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MAX_PROBLEMS = 100


def validate(node: Node, value: Json, *, strict: bool = False) -> list[str]:
    """List what is wrong with a value; an empty list means nothing.

    Args:
        node: the schema.
        value: decoded JSON.
        strict: also refuse words that an enum does not list and fields that an object does not have. Answers
            are checked without it, since Fanvue adds both without notice; requests with it.

    Returns:
        At most 100 problems, each a place and an expectation, such as ``data[3].price: at least 300``.
        No values: what is wrong may be personal.
    """
    checker = _Checker(strict=strict)
    checker.check(node, value, "")
    return checker.problems


class _Checker:
    def __init__(self, *, strict: bool) -> None:
        self.problems: list[str] = []
        self._strict = strict

    def check(self, node: Node, value: Json, path: str) -> None:
        if value is None and (node.nullable or (isinstance(node, Leaf) and node.type == "any")):
            return
        match node:
            case Leaf():
                self._note(path, _leaf_problem(node, value))
            case Enum():
                self._enum(node, value, path)
            case Content():
                self._note(path, None if isinstance(value, str) else "expected a text")
            case Array():
                self._array(node, value, path)
            case MapOf():
                self._map(node, value, path)
            case Object():
                self._object(node, value, path)
            case Union():
                self._union(node, value, path)

    def _note(self, path: str, problem: str | None) -> None:
        if problem is not None and len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(f"{path or '(all of it)'}: {problem}")

    def _enum(self, node: Enum, value: Json, path: str) -> None:
        if not isinstance(value, str):
            self._note(path, "expected a word")
        elif self._strict and value not in node.values:
            self._note(path, "not one of " + ", ".join(node.values))

    def _array(self, node: Array, value: Json, path: str) -> None:
        if not isinstance(value, list):
            self._note(path, "expected a list")
            return
        self._note(path, _range_problem(len(value), node.minimum, node.maximum, " elements"))
        for index, element in enumerate(value):
            self.check(node.element, element, f"{path}[{index}]")

    def _map(self, node: MapOf, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            self._note(path, "expected an object")
            return
        for one in value.values():  # the names may be personal, so they stay out of the path
            self.check(node.value, one, f"{path}{{}}")

    def _object(self, node: Object, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            self._note(path, "expected an object")
            return
        below = f"{path}." if path else ""
        for name, field in node.fields.items():
            self._field(field, value, name, below)
        if self._strict:
            for name in value.keys() - node.fields.keys():
                self._note(below + (name if _NAME.fullmatch(name) else "?"), "no such field")

    def _field(self, field: Field, value: Mapping[str, Json], name: str, below: str) -> None:
        if name in value:
            self.check(field.node, value[name], below + name)
        elif not field.optional:
            self._note(below + name, "missing")

    def _union(self, node: Union, value: Json, path: str) -> None:
        if any(not validate(option, value, strict=self._strict) for option in node.options):
            return
        self._note(path, "fits none of the kinds it may have")


def _leaf_problem(node: Leaf, value: Json) -> str | None:
    if node.type == "any":
        return None
    if node.type in {"num", "int"}:
        return _number_problem(node, value)
    if node.type == "bool":
        return None if isinstance(value, bool) else "expected true or false"
    if not isinstance(value, str):
        return "expected a text"
    is_right = _TEXT_CHECKS.get(node.type)
    if is_right is not None and not is_right(value):
        return f"expected {node.type}"
    return _range_problem(len(value), node.minimum, node.maximum, " characters")


def _number_problem(node: Leaf, value: Json) -> str | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or _is_nan(value):
        return "expected a number"
    if node.type == "int" and isinstance(value, float) and not value.is_integer():
        return "expected a whole number"
    if node.exclusive and node.minimum is not None and not value > node.minimum:
        return f"more than {node.minimum}"
    return _range_problem(value, node.minimum, node.maximum, "")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)  # of a huge int it would raise


def _range_problem(size: float, minimum: int | None, maximum: int | None, unit: str) -> str | None:
    if minimum is not None and size < minimum:
        return f"at least {minimum}{unit}"
    if maximum is not None and size > maximum:
        return f"at most {maximum}{unit}"
    return None


def _is_time(text: str) -> bool:
    """``date`` and ``date-time`` alike: many fields are declared ``date`` and hold a date-time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_TEXT_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "uuid": lambda text: as_uuid(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "url": lambda text: _URL.fullmatch(text) is not None,
    "date": _is_time,
    "date-time": _is_time,
}
