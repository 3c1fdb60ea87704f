"""Every operation of the Fanvue API: what it takes, gives, needs, changes, and says about people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from fankeep.errors import ConfigurationError
from fankeep.fanvue._data import LazyMapping, read_data
from fankeep.fanvue.personal import Personal
from fankeep.fanvue.schema import Node, Object, parse_schema

__all__ = [
    "COMPONENTS",
    "OPERATIONS",
    "Method",
    "Operation",
    "SideEffect",
    "answer_schema",
    "body_schema",
    "component_schema",
    "operation",
    "query_schema",
]

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class SideEffect(StrEnum):
    """What a call changes; decides whether it may be repeated without asking."""

    NONE = "none"
    """Nothing."""

    MARKS_READ = "marks_read"
    """Reads, and marks the chat as read unless the query says ``markAsRead=false``."""

    IDEMPOTENT_WRITE = "idempotent_write"
    """Sets something; doing it again changes nothing more."""

    CREATES = "creates"
    """Makes something that only the account itself sees; doing it again may make a second one."""

    SENDS = "sends"
    """Reaches other people: messages, posts, comments, invitations. Doing it again reaches them twice."""

    DELETES = "deletes"
    """Removes something; doing it again finds nothing (404)."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation.

    Attributes:
        id: its name in Fanvue's own specification.
        path: the template, without a version prefix.
        params: the schema of every parameter in the path, as text.
        scopes: all of them are needed.
        query: schema of the query parameters, undecoded; ``query_schema`` reads it.
        body: schema of the request's JSON body, or None.
        status: of the answer when all is well.
        answer: schema of that answer, or None if it has no body.
        errors: the statuses of other answers that Fanvue lists.
        personal: the class of every leaf of the answer, by path.
        notes: what the specification says besides.
    """

    id: str
    method: Method
    path: str
    params: Mapping[str, str] = field(repr=False)
    scopes: tuple[str, ...]
    side_effect: SideEffect
    query: object = field(repr=False)
    body: object = field(repr=False)
    body_required: bool = field(repr=False)
    status: int = field(repr=False)
    answer: object = field(repr=False)
    errors: tuple[int, ...] = field(repr=False)
    personal: Mapping[str, Personal] = field(repr=False)
    notes: str = field(repr=False)

    @property
    def repeatable(self) -> bool:
        """Whether a call with an unknown outcome may be made again without doing harm."""
        return self.side_effect not in {SideEffect.CREATES, SideEffect.SENDS}


class _Component(msgspec.Struct):
    component: str
    schema: object


class _File(NamedTuple):
    operations: Mapping[str, Operation]
    components: Mapping[str, object]


@cache
def _file() -> _File:
    operations: dict[str, Operation] = {}
    components: dict[str, object] = {}
    for line in read_data("operations.jsonl").splitlines():
        if line.startswith(b'{"component"'):
            component = msgspec.json.decode(line, type=_Component)
            components[component.component] = component.schema
        else:
            op = msgspec.json.decode(line, type=Operation)
            operations[op.id] = op
    return _File(operations, components)


OPERATIONS: Final[Mapping[str, Operation]] = LazyMapping(lambda: _file().operations)
"""Every operation by id."""

COMPONENTS: Final[Mapping[str, object]] = LazyMapping(lambda: _file().components)
"""The specification's shared components by name, such as ``schemas/PostAudience``; schemas, undecoded."""


def operation(operation_id: str) -> Operation:
    """Return the operation of that id.

    Raises:
        ConfigurationError: Fanvue has none of that name.
    """
    found = OPERATIONS.get(operation_id)
    if found is None:
        raise ConfigurationError("an operation is named that Fanvue does not have")
    return found


@cache
def query_schema(op: Operation) -> Object:
    """Return the schema of an operation's query parameters."""
    node = parse_schema(op.query, COMPONENTS)
    if not isinstance(node, Object):
        raise ConfigurationError("query parameters are an object")
    return node


@cache
def body_schema(op: Operation) -> Node | None:
    """Return the schema of an operation's request body; None if it takes none."""
    return None if op.body is None else parse_schema(op.body, COMPONENTS)


@cache
def answer_schema(op: Operation) -> Node | None:
    """Return the schema of an operation's good answer; None if it has no body."""
    return None if op.answer is None else parse_schema(op.answer, COMPONENTS)


@cache
def component_schema(name: str) -> Node:
    """Return the schema of a component, such as ``responses/RateLimitResponse``.

    Raises:
        ConfigurationError: there is none of that name, or it is a description and no schema.
    """
    if name not in COMPONENTS:
        raise ConfigurationError("a component is named that Fanvue does not have")
    return parse_schema(COMPONENTS[name], COMPONENTS)
