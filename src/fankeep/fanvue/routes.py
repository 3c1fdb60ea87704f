"""From a request's path to an operation with its parameters, and back.

The outgoing path is always built from the template and the parameters, never taken from the request, so what
was matched is what is called. Paths that two programs could read in two ways match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote, unquote_to_bytes

from fankeep.errors import ConfigurationError
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.operations import OPERATIONS, Operation
from fankeep.fanvue.schema import Enum, Leaf, parse_schema

__all__ = ["Match", "build_path", "match"]

_MAX_PATH = 4096
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")  # RFC 3986 section 3.3: pchar
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029\ud800-\udfff]|%[0-9A-Fa-f]{2}")
"""In a decoded text: what a server further on could take for a separator, an end, or one more encoding."""


@dataclass(frozen=True, slots=True)
class Match:
    """An operation and the decoded parameters of its path; uuids are lower case."""

    operation: Operation
    params: Mapping[str, str] = field(repr=False)


def match(method: str, raw_path: str | bytes) -> Match | None:
    """Find the operation that a request means.

    Each segment is decoded exactly once. A literal segment wins over a parameter. Nothing matches a path with
    an empty or dot segment, a query, an encoded slash, backslash or control character, an escape that is not
    UTF-8 or that decodes to another escape, or a parameter that is not of its type.

    Args:
        method: as in the request line.
        raw_path: the path before any decoding, without the query.
    """
    if len(raw_path) > _MAX_PATH or not raw_path.isascii():
        return None
    path = raw_path if isinstance(raw_path, str) else raw_path.decode("ascii")
    segments = _decoded(path)
    if segments is None:
        return None
    node: _Node | None = _tree()
    values: list[str] = []
    for segment in segments:
        if node is None:
            return None
        if segment in node.literals:
            node = node.literals[segment]
        else:
            values.append(segment)
            node = node.parameter
    op = node.operations.get(method) if node is not None else None
    return None if op is None else _typed(op, values)


def build_path(op: Operation, params: Mapping[str, str]) -> str:
    """Fill an operation's template; ``match`` finds the same operation and parameters in the result.

    Args:
        op: the operation.
        params: every parameter of the template and no other, decoded.

    Raises:
        ValueError: a parameter is missing, unknown, not of its type, or cannot stand in a path; or the path
            is longer than ``match`` reads.
    """
    if params.keys() != op.params.keys():
        raise ValueError("the parameters of a path are those of its template")
    path = op.path
    for name, schema in op.params.items():
        value = _checked(schema, params[name])
        if value is None:
            raise ValueError("a parameter of the path is not of its type")
        path = path.replace("{" + name + "}", quote(value, safe=""))
    if len(path) > _MAX_PATH:
        raise ValueError("the path is too long")
    return path


def _decoded(path: str) -> list[str] | None:
    start, *segments = path.split("/")
    if start or not segments or not all(map(_SEGMENT.fullmatch, segments)):
        return None
    try:
        decoded = [unquote_to_bytes(segment).decode() for segment in segments]
    except UnicodeDecodeError:
        return None
    return None if any(map(_is_unsafe, decoded)) else decoded


def _is_unsafe(text: str) -> bool:
    return text in {".", ".."} or _UNSAFE.search(text) is not None


def _typed(op: Operation, values: list[str]) -> Match | None:
    params: dict[str, str] = {}
    for (name, schema), text in zip(op.params.items(), values, strict=True):
        value = _checked(schema, text)
        if value is None:
            return None
        params[name] = value
    return Match(op, params)


def _checked(schema: str, text: str) -> str | None:
    """Return the one spelling of a parameter, or None if it is not of its type."""
    node = _parameter(schema)
    if isinstance(node, Enum):
        return text if text in node.values else None
    if node.type == "uuid":
        return as_uuid(text)
    if node.type == "int":
        return text if _INTEGER.fullmatch(text) and _within(node, int(text)) else None
    return text if text and not _is_unsafe(text) and _within(node, len(text)) else None


def _within(node: Leaf, size: int) -> bool:
    return (node.minimum or 0) <= size and (node.maximum is None or size <= node.maximum)


@cache
def _parameter(schema: str) -> Leaf | Enum:
    node = parse_schema(schema)
    if not isinstance(node, (Leaf, Enum)):
        raise ConfigurationError("a parameter of a path is a single value")
    return node


class _Node:
    __slots__ = ("literals", "operations", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.operations: dict[str, Operation] = {}

    def below(self, literal: str) -> _Node:
        return self.literals.setdefault(literal, _Node())

    def below_parameter(self) -> _Node:
        self.parameter = self.parameter or _Node()
        return self.parameter


@cache
def _tree() -> _Node:
    root = _Node()
    for op in OPERATIONS.values():
        node = root
        for segment in op.path.split("/")[1:]:
            node = node.below_parameter() if segment.startswith("{") else node.below(segment)
        node.operations[op.method] = op
    return root
