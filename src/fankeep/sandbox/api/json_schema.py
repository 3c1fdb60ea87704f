"""The contract's schemas as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fankeep.fanvue.schema import Array, Content, Enum, Leaf, MapOf, Node, Object, Union
from fankeep.sandbox.json import Json, JsonObject

__all__ = ["json_schema"]

# ``date`` has no format: such fields hold a date-time as often as a date.
_TYPES: Mapping[str, JsonObject] = MappingProxyType(
    {
        "str": {"type": "string"},
        "uuid": {"type": "string", "format": "uuid"},
        "email": {"type": "string", "format": "email"},
        "date-time": {"type": "string", "format": "date-time"},
        "date": {"type": "string"},
        "url": {"type": "string", "format": "uri"},
        "num": {"type": "number"},
        "int": {"type": "integer"},
        "bool": {"type": "boolean"},
        "any": {},
    }
)


def json_schema(node: Node, *, closed: bool) -> JsonObject:
    """Write a schema as JSON Schema.

    Args:
        node: the schema.
        closed: objects have no fields but those that are named.
    """
    written = _written(node, closed=closed)
    if not node.nullable or not written:
        return written
    if "enum" in written or "anyOf" in written:
        return {"anyOf": [written, {"type": "null"}]}
    return {**written, "type": [written["type"], "null"]}


def _written(node: Node, *, closed: bool) -> JsonObject:
    match node:
        case Leaf():
            written = {**_TYPES[node.type], **_limits(node)}
        case Enum():
            written = {"type": "string", "enum": list(node.values)}
        case Array():
            written = _array(node, closed=closed)
        case MapOf():
            values = json_schema(node.value, closed=closed)
            written = {"type": "object", "additionalProperties": values}
        case Object():
            written = _object(node, closed=closed)
        case Union():
            written = {"anyOf": [json_schema(option, closed=closed) for option in node.options]}
        case Content():
            written = {"type": "string"}
    return written


def _limits(leaf: Leaf) -> JsonObject:
    numeric = leaf.type in ("num", "int")
    lowest = "exclusiveMinimum" if leaf.exclusive else "minimum"
    limits: dict[str, Json] = {
        lowest if numeric else "minLength": leaf.minimum,
        "maximum" if numeric else "maxLength": leaf.maximum,
    }
    return _without_none(limits)


def _array(node: Array, *, closed: bool) -> JsonObject:
    items = json_schema(node.element, closed=closed)
    return {
        "type": "array",
        "items": items,
        **_without_none({"minItems": node.minimum, "maxItems": node.maximum}),
    }


def _object(node: Object, *, closed: bool) -> JsonObject:
    written: dict[str, Json] = {
        "type": "object",
        "properties": {name: json_schema(field.node, closed=closed) for name, field in node.fields.items()},
    }
    required = [name for name, field in node.fields.items() if not field.optional]
    if required:
        written["required"] = list[Json](required)
    if closed:
        written["additionalProperties"] = False
    return written


def _without_none(values: Mapping[str, Json]) -> JsonObject:
    return {name: value for name, value in values.items() if value is not None}
