"""The schema language of ``operations.jsonl``: read into nodes.

A leaf is a text: a type (``str uuid email date-time date url num int bool any`` or ``enum(a|b)``), limits
in brackets (``str[1..5000]``, ``num[min 300]``, ``int[exclusive min 0]``), then ``?`` if it may be null,
``~`` if it may be missing, ``=`` and a default. An object is an object; for fields that are no leaves ``?``
and ``~`` stand behind the name. A list of one is an array, or ``{"array": X, "min": 1, "max": 50}``;
``{"map": X}`` is an object with any names, ``{"map?": X}`` one whose values may be null; ``{"oneOf": [...]}``
is a union; ``ref(Name)`` points to ``schemas/Name``; a content type such as ``text/plain`` is a body that is
not JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from fankeep.errors import ConfigurationError

__all__ = [
    "Array",
    "Content",
    "Enum",
    "Field",
    "Leaf",
    "MapOf",
    "Node",
    "Object",
    "Union",
    "leaf_paths",
    "parse_schema",
]

_TYPES = frozenset({"str", "uuid", "email", "date-time", "date", "url", "num", "int", "bool", "any"})
_LEAF = re.compile(
    r"(?P<what>enum\((?P<values>[^()]*)\)|ref\((?P<ref>\w+)\)|[a-z-]+)"
    r"(?:\[(?:(?P<low>\d+)\.\.(?P<high>\d+)|(?P<bound>exclusive min|min|max) (?P<one>\d+))\])?"
    r"(?P<nullable>\?)?(?P<optional>~)?(?:=(?P<default>.*))?",
    re.DOTALL,
)
_CONTENT = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_MAX_DEPTH = 32
_WORDS: Mapping[frozenset[str], str] = {
    frozenset({"array"}): "array",
    frozenset({"array", "min"}): "array",
    frozenset({"array", "max"}): "array",
    frozenset({"array", "min", "max"}): "array",
    frozenset({"map"}): "map",
    frozenset({"map?"}): "map",
    frozenset({"oneOf"}): "oneOf",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value.

    Attributes:
        type: one of ``str uuid email date-time date url num int bool any``.
        minimum: of a number, or of the number of characters of a text.
        maximum: the same at the other end.
        exclusive: whether the minimum itself is too small.
    """

    type: str
    minimum: int | None = None
    maximum: int | None = None
    exclusive: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Enum:
    """One of a list of words. Fanvue adds words without notice."""

    values: tuple[str, ...]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Array:
    """A list of values of one kind, with the smallest and largest number of them."""

    element: Node
    minimum: int | None = None
    maximum: int | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any names, whose values are of one kind."""

    value: Node
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object.

    Attributes:
        default: what the server assumes when the field is missing, as text.
    """

    node: Node
    optional: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """An object with named fields."""

    fields: Mapping[str, Field]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """A value of one of several kinds."""

    options: tuple[Node, ...]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A body that is not JSON."""

    media_type: str
    nullable: bool = False


Node: TypeAlias = Leaf | Enum | Array | MapOf | Object | Union | Content


def parse_schema(raw: object, components: Mapping[str, object] | None = None) -> Node:
    """Read a schema; every ``ref`` is replaced by what it points to.

    Args:
        raw: the schema as decoded JSON.
        components: what refs point to, by name with the kind in front: ``schemas/PostAudience``.

    Raises:
        ConfigurationError: this is not the language, a ref points nowhere or to itself, or the schema is
            nested too deep.
    """
    return _Parser(components or {}).field(raw, 0).node


def leaf_paths(node: Node, path: str = "") -> list[str]:
    """List the paths of all leaves in the notation of ``personal``; the options of a union share theirs."""
    match node:
        case Array():
            return leaf_paths(node.element, f"{path}[]")
        case MapOf():
            return leaf_paths(node.value, f"{path}{{}}")
        case Union():
            return list(dict.fromkeys(leaf for option in node.options for leaf in leaf_paths(option, path)))
        case Object():
            below = f"{path}." if path else ""
            return [
                leaf for name, field in node.fields.items() for leaf in leaf_paths(field.node, below + name)
            ]
        case _:
            return [path]


class _Parser:
    def __init__(self, components: Mapping[str, object]) -> None:
        self._components = components

    def field(self, raw: object, depth: int) -> Field:
        if depth > _MAX_DEPTH:
            raise ConfigurationError("a schema is nested too deep, or a ref points to itself")
        match raw:
            case str():
                return self._leaf(raw, depth)
            case [element]:
                return Field(Array(self.field(element, depth + 1).node))
            case dict():
                return Field(self._braces(raw, depth))
            case _:
                raise ConfigurationError("a schema is a text, a list of one, or an object")

    def _braces(self, raw: dict[str, object], depth: int) -> Node:
        word = _WORDS.get(frozenset(raw))
        if word == "array":
            element = self.field(raw["array"], depth + 1).node
            return Array(element, _count(raw.get("min")), _count(raw.get("max")))
        if word == "map":
            (name, value), *_ = raw.items()
            node = self.field(value, depth + 1).node
            return MapOf(replace(node, nullable=True) if name == "map?" else node)
        if word == "oneOf":
            return self._union(raw["oneOf"], depth)
        return Object(dict(self._named(name, value, depth) for name, value in raw.items()))

    def _union(self, raw: object, depth: int) -> Union:
        if not isinstance(raw, list) or not raw:
            raise ConfigurationError("a union lists its options")
        return Union(tuple(self.field(option, depth + 1).node for option in raw))

    def _named(self, name: str, raw: object, depth: int) -> tuple[str, Field]:
        bare = name.removesuffix("~")
        optional, nullable = bare != name, bare.endswith("?")
        field = self.field(raw, depth + 1)
        return bare.removesuffix("?"), Field(
            replace(field.node, nullable=True) if nullable else field.node,
            optional or field.optional,
            field.default,
        )

    def _leaf(self, text: str, depth: int) -> Field:
        if _CONTENT.fullmatch(text):
            return Field(Content(text))
        match = _LEAF.fullmatch(text)
        if match is None:
            raise ConfigurationError("a leaf of a schema is malformed")
        node = self._referred(match["ref"], depth) if match["ref"] else _plain(match)
        nullable = node.nullable or match["nullable"] is not None
        return Field(replace(node, nullable=nullable), match["optional"] is not None, match["default"])

    def _referred(self, name: str, depth: int) -> Node:
        if f"schemas/{name}" not in self._components:
            raise ConfigurationError("a ref of a schema points nowhere")
        return self.field(self._components[f"schemas/{name}"], depth + 1).node


def _plain(match: re.Match[str]) -> Leaf | Enum:
    if match["values"] is not None:
        return Enum(tuple(match["values"].split("|")))
    if match["what"] not in _TYPES:
        raise ConfigurationError("a schema names a type that does not exist")
    low = match["low"] or (match["one"] if (match["bound"] or "").endswith("min") else None)
    high = match["high"] or (match["one"] if match["bound"] == "max" else None)
    return Leaf(
        match["what"],
        None if low is None else _bounded(low),
        None if high is None else _bounded(high),
        exclusive=match["bound"] == "exclusive min",
    )


def _bounded(digits: str) -> int:
    if len(digits) > 18 or not digits.isascii():
        raise ConfigurationError("a limit of a schema is out of range")
    return int(digits)


def _count(raw: object) -> int | None:
    if raw is None or (isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0):
        return raw
    raise ConfigurationError("a limit of a schema is a whole number")
