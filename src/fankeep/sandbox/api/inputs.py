"""Reads parameters, query and body of a call and holds them against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fankeep.fanvue.operations import Operation, body_schema, query_schema
from fankeep.fanvue.schema import Array, Field, Leaf, Object, parse_schema
from fankeep.fanvue.validation import validate
from fankeep.sandbox.api.call import ApiRefusal
from fankeep.sandbox.json import Json, JsonObject, decode_json, object_of

__all__ = ["read_call_body", "read_params", "read_query"]


def read_params(operation: Operation, params: Mapping[str, str]) -> dict[str, str]:
    """Check the parameters of the path.

    Raises:
        ApiRefusal: 400 with Fanvue's body for a bad UUID.
    """
    for name, value in params.items():
        node = parse_schema(operation.params[name])
        if validate(node, _typed(Field(node), value)):
            raise ApiRefusal(400, {"message": f"Invalid {name}"})
    return dict(params)


def read_query(operation: Operation, text: str, *, with_cursor: bool = False) -> dict[str, Json]:
    """Read the query and fill in defaults; fields that the contract does not know are ignored.

    Args:
        operation: whose query it is.
        text: the query, encoded.
        with_cursor: know a ``cursor`` besides.

    Raises:
        ApiRefusal: 400 with the list of what is wrong.
    """
    schema = query_schema(operation)
    if with_cursor:
        schema = Object({**schema.fields, "cursor": Field(Leaf("str"), optional=True)})
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    given: dict[str, Json] = {}
    for name, value in pairs:
        if name in schema.fields:
            given[name] = _joined(given.get(name), _typed(schema.fields[name], value))
    # Defaults are not checked: one of them lies outside its own limits.
    defaults = {
        name: _typed(field, field.default)
        for name, field in schema.fields.items()
        if field.default is not None and name not in given
    }
    wanted = Object({name: field for name, field in schema.fields.items() if name not in defaults})
    _refuse(validate(wanted, given, strict=True))
    return {**defaults, **given}


def read_call_body(operation: Operation, data: bytes) -> JsonObject:
    """Read the JSON body of a call.

    Raises:
        ApiRefusal: 400 with the list of what is wrong.
    """
    schema = body_schema(operation)
    if schema is None:
        return {}
    try:
        body = object_of(decode_json(data)) if data else {}
    except ValueError:
        raise ApiRefusal(400, {"errors": ["body: expected a JSON object"]}) from None
    _refuse(validate(schema, body))
    return body


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ApiRefusal(400, {"errors": list[Json](problems)})


def _joined(before: Json, value: Json) -> Json:
    """A list may be given in several parts; of anything else the last counts."""
    return [*before, *value] if isinstance(before, list) and isinstance(value, list) else value


def _typed(field: Field, value: str) -> Json:
    """Turn the text of a query field into what its schema is about; what does not fit stays text."""
    node = field.node
    if isinstance(node, Array):
        return [_typed(Field(node.element), item) for item in value.split(",")]
    if isinstance(node, Leaf) and node.type in ("num", "int"):
        return _number(value)
    if isinstance(node, Leaf) and node.type == "bool":
        return {"true": True, "false": False}.get(value, value)
    return value


def _number(value: str) -> Json:
    try:
        return int(value)
    except ValueError:
        return value
