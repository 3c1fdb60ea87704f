"""Writes objects that refer to each other, in circles too, as JSON, and reads them back.

Every object gets a number; what refers to it says the number. Only classes of a given table are written or
made, and making one runs none of its code.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from types import MappingProxyType

from fankeep.sandbox.dice import Dice
from fankeep.sandbox.json import Json, JsonObject
from fankeep.secret import Secret

__all__ = ["Classes", "read_graph", "write_graph"]

_NEWEST = 500

Classes = Mapping[str, type]
"""The dataclasses and enumerations that may stand in a graph, by name."""


def write_graph(root: object, classes: Classes) -> JsonObject:
    """Write everything that can be reached from an object.

    Of a ``deque`` only the newest entries are written.

    Raises:
        TypeError: something in it is of a class that is not in the table.
    """
    return _Writer(classes).write(root)


def read_graph(graph: JsonObject, classes: Classes) -> object:
    """Make the objects again.

    Raises:
        ValueError: this is no graph of these classes, fields and all.
    """
    try:
        return _Reader(graph, classes).read()
    except (KeyError, TypeError, IndexError, AttributeError):
        raise ValueError("not a graph of these classes") from None


class _Writer:
    def __init__(self, classes: Classes) -> None:
        self._names = {kind: name for name, kind in classes.items()}
        self._numbers: dict[int, int] = {}
        self._objects: list[object] = []

    def write(self, root: object) -> JsonObject:
        start = self._value(root)
        rows: list[Json] = []
        while len(rows) < len(self._objects):  # writing an object may find more of them
            one = self._objects[len(rows)]
            members: JsonObject = {name: self._value(getattr(one, name)) for name in _fields(type(one))}
            rows.append([self._names[type(one)], members])
        return {"root": start, "objects": rows}

    def _value(self, value: object) -> Json:
        match value:
            case StrEnum():
                return {"enum": [self._named(value), value.value]}
            case None | bool() | int() | float() | str():
                return value
            case list():
                return {"list": [self._value(item) for item in value]}
            case tuple():
                return {"tuple": [self._value(item) for item in value]}
            case dict():
                return {"dict": [[self._value(key), self._value(item)] for key, item in value.items()]}
        return self._rarer(value)

    def _rarer(self, value: object) -> Json:
        match value:
            case frozenset():
                return {"frozenset": list[Json](sorted(str(item) for item in value))}
            case deque():
                return {"deque": [value.maxlen, [self._value(item) for item in list(value)[-_NEWEST:]]]}
            case bytes():
                return {"bytes": base64.b64encode(value).decode()}
            case Secret():
                return {"secret": str(value.reveal())}
            case Dice():
                return {"dice": value.state()}
        return {"object": self._number(value)}

    def _number(self, value: object) -> int:
        self._named(value)
        number = self._numbers.setdefault(id(value), len(self._objects))
        if number == len(self._objects):
            self._objects.append(value)
        return number

    def _named(self, value: object) -> str:
        name = self._names.get(type(value))
        if name is None:
            raise TypeError(f"a state file has no place for {type(value).__name__}")
        return name


class _Reader:
    def __init__(self, graph: JsonObject, classes: Classes) -> None:
        self._graph = graph
        self._classes = classes
        self._objects: list[object] = []

    def read(self) -> object:
        rows = [_pair(row) for row in _list(self._graph["objects"])]
        kinds = [self._classes[str(name)] for name, _ in rows]
        self._objects = [object.__new__(kind) for kind in kinds]
        for one, (_, members) in zip(self._objects, rows, strict=True):
            self._fill(one, members)
        return self._value(self._graph["root"])

    def _fill(self, one: object, members: Json) -> None:
        if not isinstance(members, dict) or tuple(members) != _fields(type(one)):
            raise TypeError
        for name, value in members.items():
            object.__setattr__(one, name, self._value(value))  # also of a frozen one

    def _value(self, value: Json) -> object:
        if isinstance(value, list):
            raise TypeError
        if not isinstance(value, dict):
            return value
        ((tag, content),) = value.items()
        return _READERS[tag](self, content)

    def list(self, content: Json) -> list[object]:
        return [self._value(item) for item in _list(content)]

    def dict(self, content: Json) -> dict[object, object]:
        pairs = [_pair(row) for row in _list(content)]
        return {self._value(key): self._value(item) for key, item in pairs}

    def deque(self, content: Json) -> deque[object]:
        longest, items = _pair(content)
        return deque(self.list(items), maxlen=_integer(longest))

    def enum(self, content: Json) -> object:
        name, word = _pair(content)
        return self._classes[str(name)](word)

    def object(self, content: Json) -> object:
        return self._objects[_integer(content)]


_READERS: Mapping[str, Callable[[_Reader, Json], object]] = MappingProxyType(
    {
        "list": _Reader.list,
        "tuple": lambda reader, content: tuple(reader.list(content)),
        "dict": _Reader.dict,
        "frozenset": lambda reader, content: frozenset(reader.list(content)),
        "deque": _Reader.deque,
        "bytes": lambda _reader, content: base64.b64decode(str(content), validate=True),
        "secret": lambda _reader, content: Secret(str(content)),
        "dice": lambda _reader, content: Dice.again(content),
        "enum": _Reader.enum,
        "object": _Reader.object,
    }
)


def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _pair(value: Json) -> tuple[Json, Json]:
    first, second = _list(value)
    return first, second


def _integer(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
