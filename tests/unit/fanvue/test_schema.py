import pytest

from fankeep.errors import ConfigurationError
from fankeep.fanvue.schema import (
    Array,
    Content,
    Enum,
    Field,
    Leaf,
    MapOf,
    Object,
    Union,
    leaf_paths,
    parse_schema,
)

COMPONENTS = {"schemas/Colour": "enum(red|blue)", "schemas/Loop": {"again": "ref(Loop)"}}


@pytest.mark.parametrize(
    ("raw", "node"),
    [
        ("str", Leaf("str")),
        ("str?", Leaf("str", nullable=True)),
        ("str[1..5000]", Leaf("str", 1, 5000)),
        ("str[max 30]", Leaf("str", None, 30)),
        ("num[min 300]?", Leaf("num", 300, nullable=True)),
        ("int[exclusive min 0]", Leaf("int", 0, exclusive=True)),
        ("date-time", Leaf("date-time")),
        ("any", Leaf("any")),
        ("enum(a|b-c)", Enum(("a", "b-c"))),
        ("enum(a)?", Enum(("a",), nullable=True)),
        ("ref(Colour)", Enum(("red", "blue"))),
        ("ref(Colour)?", Enum(("red", "blue"), nullable=True)),
        ("text/plain", Content("text/plain")),
        (["uuid"], Array(Leaf("uuid"))),
        ({"array": "uuid", "min": 1, "max": 50}, Array(Leaf("uuid"), 1, 50)),
        ({"array": "uuid", "max": 50}, Array(Leaf("uuid"), None, 50)),
        ({"map": "num"}, MapOf(Leaf("num"))),
        ({"map?": {"a": "num"}}, MapOf(Object({"a": Field(Leaf("num"))}, nullable=True))),
        ({"oneOf": ["num", "any?"]}, Union((Leaf("num"), Leaf("any", nullable=True)))),
        ({}, Object({})),
    ],
)
def test_the_language_is_read_into_nodes(raw, node):
    assert parse_schema(raw, COMPONENTS) == node


def test_optional_and_nullable_stand_on_the_leaf_or_on_the_name():
    node = parse_schema({"a": "str~", "b?": {"c": "int?~=5"}, "d~": ["str"], "e?~": ["str"], "f": "str~=UTC"})
    assert node.fields == {
        "a": Field(Leaf("str"), optional=True),
        "b": Field(
            Object({"c": Field(Leaf("int", nullable=True), optional=True, default="5")}, nullable=True)
        ),
        "d": Field(Array(Leaf("str")), optional=True),
        "e": Field(Array(Leaf("str"), nullable=True), optional=True),
        "f": Field(Leaf("str"), optional=True, default="UTC"),
    }


def test_paths_of_leaves_mark_lists_and_maps_and_merge_the_options_of_a_union():
    node = parse_schema({"a": ["str"], "m": {"map": {"oneOf": [{"x": "int"}, {"x": "int", "y": "str"}]}}})
    assert leaf_paths(node) == ["a[]", "m{}.x", "m{}.y"]
    assert leaf_paths(parse_schema("text/plain")) == [""]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        5,
        [],
        ["str", "str"],
        "",
        "text",
        "Str",
        "str[",
        "str[1..]",
        "str[a..b]",
        "str[min -1]",
        "str[max " + "9" * 30 + "]",
        "str~?",
        "enum",
        "ref(Missing)",
        "ref(Loop)",
        {"oneOf": []},
        {"oneOf": "str"},
        {"array": "str", "max": "3"},
        {"array": "str", "min": -1},
        {"array": "str", "min": True},
        {"a": {"b": None}},
    ],
)
def test_anything_else_is_a_configuration_error(raw):
    with pytest.raises(ConfigurationError):
        parse_schema(raw, COMPONENTS)


def test_a_schema_nested_without_end_is_refused():
    raw: object = "str"
    for _ in range(2000):
        raw = [raw]
    with pytest.raises(ConfigurationError):
        parse_schema(raw)
