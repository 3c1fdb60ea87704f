"""Which operation a request is for: by method and raw path, with or without ``/v1``, literals first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from fankeep.fanvue.operations import Operation

__all__ = ["Found", "Routes"]

_PREFIX = "v1"


@dataclass(frozen=True, slots=True)
class Found:
    """An operation with the parameters of its path."""

    operation: Operation
    params: dict[str, str]
    versioned: bool


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Routes:
    """The operations as a tree of path segments."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def find(self, method: str, raw_path: str) -> Found | None:
        """The operation for a request, or None.

        Args:
            method: in upper case.
            raw_path: percent-encoded, as it came.
        """
        segments = raw_path.removeprefix("/").rstrip("/").split("/")
        versioned = segments[0] == _PREFIX
        names = [unquote(segment) for segment in segments[versioned:]]
        operation = _walk(self._root, method, names, 0)
        if operation is None:
            return None
        return Found(operation, _params(operation, names), versioned)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in _segments(operation):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.operations[operation.method] = operation


def _walk(node: _Node, method: str, names: list[str], depth: int) -> Operation | None:
    if depth == len(names):
        return node.operations.get(method)
    literal = node.literals.get(names[depth])
    found = _walk(literal, method, names, depth + 1) if literal else None
    if found is not None or node.parameter is None or not names[depth]:
        return found
    return _walk(node.parameter, method, names, depth + 1)


def _segments(operation: Operation) -> list[str]:
    return operation.path.strip("/").split("/")


def _params(operation: Operation, names: list[str]) -> dict[str, str]:
    return {
        segment.strip("{}"): name
        for segment, name in zip(_segments(operation), names, strict=True)
        if segment.startswith("{")
    }
