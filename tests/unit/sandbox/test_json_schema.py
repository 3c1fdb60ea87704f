"""The contract's schemas written as JSON Schema."""

import pytest

from fankeep.fanvue.schema import parse_schema
from fankeep.sandbox.api.json_schema import json_schema


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("str", {"type": "string"}),
        ("str[1..5000]?", {"type": ["string", "null"], "minLength": 1, "maxLength": 5000}),
        ("num[min 300]", {"type": "number", "minimum": 300}),
        ("int[exclusive min 0]", {"type": "integer", "exclusiveMinimum": 0}),
        ("uuid", {"type": "string", "format": "uuid"}),
        ("any?", {}),
        ("enum(a|b)", {"type": "string", "enum": ["a", "b"]}),
        (["bool"], {"type": "array", "items": {"type": "boolean"}}),
        ({"array": "str", "max": 3}, {"type": "array", "items": {"type": "string"}, "maxItems": 3}),
        ({"map": "int"}, {"type": "object", "additionalProperties": {"type": "integer"}}),
        ({"oneOf": ["str", "int"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ("text/plain", {"type": "string"}),
        (
            {"a": "str", "b": "str~"},
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "required": ["a"],
            },
        ),
    ],
)
def test_each_kind_has_its_form(raw, written):
    assert json_schema(parse_schema(raw), closed=False) == written


def test_a_list_of_words_that_may_be_null_is_one_or_the_other():
    written = json_schema(parse_schema("enum(a)?"), closed=False)
    assert written == {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}


def test_closed_objects_have_no_other_fields_at_any_depth():
    written = json_schema(parse_schema({"a": {"b": "str"}}), closed=True)
    assert written["additionalProperties"] is False
    assert written["properties"]["a"]["additionalProperties"] is False
